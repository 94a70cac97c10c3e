//! Tests of a file store by the files that it finds and leaves.

mod bounds;
mod failing;
mod record;

use std::fs::File;
use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::*;
use crate::testing::store::{changes, suite};

/// A limit far beyond what anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until other threads have made the condition true.
fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::yield_now();
    }
}

/// A directory for one test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let path =
            std::env::temp_dir().join(format!("route-runtime-{}", crate::store::random::random()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn files(&self, below: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut left = vec![self.0.join("v1").join(below)];
        while let Some(directory) = left.pop() {
            for file in fs::read_dir(directory).into_iter().flatten() {
                let file = file.unwrap();
                if file.file_type().unwrap().is_dir() {
                    left.push(file.path());
                } else {
                    found.push(file.path());
                }
            }
        }
        found
    }
}

impl Directory {
    /// Waits until no store has the directory open: a sweep may go on for a moment.
    fn left(&self) {
        eventually("no drafts are left behind", || self.files("tmp").is_empty());
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

const KEY: EntryKey<'static> = EntryKey {
    build: None,
    name: "/a",
};

fn entry(body: &[u8], started: u64) -> StoredEntry {
    StoredEntry {
        body: Arc::from(body),
        created: UNIX_EPOCH + Duration::new(1_700_000_000, 1),
        started: Epoch(started),
        revalidate: None,
        expire: None,
        tags: Arc::from([Tag::from("t")]),
    }
}

fn tags() -> Vec<Tag> {
    vec![Tag::from("t")]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_store_keeps_the_contract() {
    let directory = Directory::new();
    suite(async |name: &str| FileStore::open(directory.0.join(name))).await;
    changes(async |name: &str| FileStore::open(directory.0.join(name))).await;
}

#[tokio::test]
async fn a_file_that_is_damaged_or_of_another_version_is_absent_and_removed() {
    let directory = Directory::new();
    let store = FileStore::open(&directory.0);
    store.write(KEY, entry(b"body", 0)).await.unwrap();
    let path = store.inner.place.entry(KEY);
    let whole = fs::read(&path).unwrap();
    let mut odd: Vec<_> = (0..whole.len()).map(|cut| whole[..cut].to_vec()).collect();
    for at in 0..whole.len() {
        odd.push(whole.clone());
        odd.last_mut().unwrap()[at] ^= 1;
    }
    odd.push([b"route-cache 2 ", &whole[14..]].concat());
    odd.push([&whole[..], b"more"].concat());
    for file in odd {
        fs::write(&path, &file).unwrap();
        assert_eq!(store.read(KEY).await.unwrap(), None);
        assert!(!path.exists());
    }
    fs::write(&path, &whole).unwrap();
    assert_eq!(store.read(KEY).await.unwrap(), Some(entry(b"body", 0)));
    // A newer file that is damaged does not prevent a write.
    store.write(KEY, entry(b"newer", 0)).await.unwrap();
    let mut damaged = fs::read(&path).unwrap();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(&path, damaged).unwrap();
    store.write(KEY, entry(b"body", 0)).await.unwrap();
    assert_eq!(store.read(KEY).await.unwrap(), Some(entry(b"body", 0)));
}

#[tokio::test]
async fn entries_and_invalidations_survive_a_restart() {
    let directory = Directory::new();
    let store = FileStore::open(&directory.0);
    store
        .invalidate(&tags(), Invalidation::Absent)
        .await
        .unwrap();
    store.write(KEY, entry(b"body", 1)).await.unwrap();
    drop(store);
    directory.left();
    let store = FileStore::open(&directory.0);
    assert_eq!(store.read(KEY).await.unwrap(), Some(entry(b"body", 1)));
    let news = store.invalidations(Epoch(0)).await.unwrap();
    assert_eq!((news.until, news.tags.len()), (Epoch(1), 1));
    // The entry belongs to a record that is gone and may have invalidated anything.
    drop(store);
    fs::remove_file(directory.0.join("v1/record")).unwrap();
    let store = FileStore::open(&directory.0);
    assert_eq!(store.read(KEY).await.unwrap(), None);
}
