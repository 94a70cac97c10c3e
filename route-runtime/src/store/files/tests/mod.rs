//! Tests of a file store by the files that it finds and leaves.

mod bounds;
mod failing;
mod record;

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::place::Part;
use super::*;
use crate::store::Recorded;
use crate::testing::store::{Loss, changes, losses, suite};

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
        let mut left = vec![self.0.join("v2").join(below)];
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

fn entry(body: &[u8], started: Mark) -> StoredEntry {
    StoredEntry {
        body: Arc::from(body),
        created: UNIX_EPOCH + Duration::new(1_700_000_000, 1),
        started,
        revalidate: None,
        expire: None,
        tags: Arc::from([Tag::from("t")]),
        listed: true,
    }
}

fn tags() -> Vec<Tag> {
    vec![Tag::from("t")]
}

impl FileStore {
    /// Records an invalidation as a process that has just started.
    async fn record(&self) -> Recorded {
        let tags = tags();
        let recorded = self.invalidate(&tags, Invalidation::Absent, Mark::START);
        recorded.await.unwrap()
    }

    async fn news(&self) -> Invalidations {
        self.invalidations(Mark::START, None).await.unwrap()
    }
}

/// Copies a directory with everything in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        let to = to.join(file.file_name());
        if file.file_type().unwrap().is_dir() {
            copy(&file.path(), &to);
        } else {
            fs::copy(file.path(), to).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_store_makes_nothing_valid_again_that_it_has_lost() {
    let directory = Directory::new();
    let open = async |name: &str| FileStore::open(directory.0.join(name));
    // Locks and drafts are those of the processes, and stay.
    let parts = ["record", "mark", "app"];
    let lose = async |name: &str, loss| {
        let (there, kept) = (directory.0.join(name).join("v2"), directory.0.join("kept"));
        let (from, to) = match loss {
            Loss::Remember => (&there, &kept),
            Loss::ComeBack | Loss::Empty => (&kept, &there),
        };
        for part in parts {
            let to = to.join(part);
            fs::remove_file(&to)
                .or_else(|_| fs::remove_dir_all(&to))
                .ok();
            let from = from.join(part);
            if loss == Loss::Empty {
                continue;
            }
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            if from.is_dir() {
                copy(&from, &to);
            } else if from.exists() {
                fs::copy(from, to).unwrap();
            }
        }
    };
    losses(open, lose).await;
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
    store.write(KEY, entry(b"body", Mark::START)).await.unwrap();
    let path = store.inner.place.entry(KEY, Part::Listed);
    let whole = fs::read(&path).unwrap();
    let mut odd: Vec<_> = (0..whole.len()).map(|cut| whole[..cut].to_vec()).collect();
    for at in 0..whole.len() {
        odd.push(whole.clone());
        odd.last_mut().unwrap()[at] ^= 1;
    }
    odd.push([b"route-cache 3 ", &whole[14..]].concat());
    odd.push([&whole[..], b"more"].concat());
    for file in odd {
        fs::write(&path, &file).unwrap();
        assert_eq!(store.read(KEY, Mark::START).await.unwrap(), None);
        assert!(!path.exists());
    }
    fs::write(&path, &whole).unwrap();
    assert_eq!(
        store.read(KEY, Mark::START).await.unwrap(),
        Some(entry(b"body", Mark::START))
    );
    // A newer file that is damaged does not prevent a write.
    store
        .write(KEY, entry(b"newer", Mark::START))
        .await
        .unwrap();
    let mut damaged = fs::read(&path).unwrap();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(&path, damaged).unwrap();
    store.write(KEY, entry(b"body", Mark::START)).await.unwrap();
    assert_eq!(
        store.read(KEY, Mark::START).await.unwrap(),
        Some(entry(b"body", Mark::START))
    );
}

#[tokio::test]
async fn entries_and_invalidations_survive_a_restart() {
    let directory = Directory::new();
    let store = FileStore::open(&directory.0);
    let mark = store.record().await.mark;
    store.write(KEY, entry(b"body", mark)).await.unwrap();
    drop(store);
    directory.left();
    let store = FileStore::open(&directory.0);
    let read = store.read(KEY, mark).await.unwrap();
    assert_eq!(read, Some(entry(b"body", mark)));
    let news = store.news().await;
    assert_eq!((news.until, news.tags.len()), (mark, 1));
    // The entry belongs to a record that is gone and may have invalidated anything.
    drop(store);
    fs::remove_file(directory.0.join("v2/record")).unwrap();
    let store = FileStore::open(&directory.0);
    assert_eq!(store.read(KEY, Mark::START).await.unwrap(), None);
}

#[tokio::test]
async fn the_files_of_an_older_version_are_not_used() {
    let directory = Directory::new();
    let old = directory.0.join("v1/app/3f");
    fs::create_dir_all(&old).unwrap();
    fs::write(directory.0.join("v1/record"), "route-record 1 ").unwrap();
    fs::write(old.join("3f"), "route-cache 1 ").unwrap();
    let store = FileStore::open(&directory.0);
    assert_eq!(store.news().await, Invalidations::default());
    assert_eq!(fs::read(old.join("3f")).unwrap(), b"route-cache 1 ");
}
