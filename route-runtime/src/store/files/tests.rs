//! Files, as they are found and as they are left.

use std::{
    fs::File,
    path::PathBuf,
    time::{Instant, UNIX_EPOCH},
};

use super::*;
use crate::logged;
use crate::testing::store::{changes, suite};

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
    /// Waits until nobody has it open: a sweep may go on for a moment.
    fn left(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.files("tmp").is_empty() {
            assert!(Instant::now() < deadline, "no drafts are left behind");
            std::thread::yield_now();
        }
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
async fn files_keep_the_contract() {
    let directory = Directory::new();
    suite(async |name: &str| FileStore::open(directory.0.join(name))).await;
    changes(async |name: &str| FileStore::open(directory.0.join(name))).await;
}

#[tokio::test]
async fn what_is_damaged_or_of_another_version_is_absent_and_goes() {
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
    // A newer one that is damaged is in nobody's way.
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
    // Of another record, which may have invalidated anything.
    drop(store);
    fs::remove_file(directory.0.join("v1/record")).unwrap();
    let store = FileStore::open(&directory.0);
    assert_eq!(store.read(KEY).await.unwrap(), None);
}

#[tokio::test]
async fn a_record_that_goes_while_it_is_used_invalidates_all() {
    let directory = Directory::new();
    let stores = [(); 2].map(|()| FileStore::open(&directory.0));
    for store in &stores {
        store
            .invalidate(&tags(), Invalidation::Absent)
            .await
            .unwrap();
    }
    let record = directory.0.join("v1/record");
    let damages: [&dyn Fn(); 4] = [
        &|| fs::remove_file(&record).unwrap(),
        &|| fs::write(&record, "nonsense").unwrap(),
        &|| {
            let length = fs::metadata(&record).unwrap().len();
            let file = File::options().write(true).open(&record).unwrap();
            file.set_len(length - 10).unwrap();
        },
        &|| fs::remove_dir_all(&directory.0).unwrap(),
    ];
    for damage in damages {
        let mut last = Epoch(0);
        for store in &stores {
            store
                .invalidate(&tags(), Invalidation::Absent)
                .await
                .unwrap();
            last = store.invalidations(Epoch(0)).await.unwrap().until;
        }
        damage();
        for store in &stores {
            let news = store.invalidations(last).await.unwrap();
            assert!(
                news.floor.absent >= last && news.floor.stale >= last,
                "{news:?}"
            );
            assert!(news.until >= last);
            let next = store
                .invalidate(&tags(), Invalidation::Stale)
                .await
                .unwrap();
            assert!(next > last);
        }
    }
}

#[tokio::test]
async fn a_loss_that_cannot_be_written_down_is_not_forgotten() {
    let (directory, other) = (Directory::new(), Directory::new());
    let store = FileStore::open(&directory.0);
    for _ in 0..2 {
        store
            .invalidate(&tags(), Invalidation::Absent)
            .await
            .unwrap();
    }
    let ahead = FileStore::open(&other.0);
    for _ in 0..5 {
        ahead.invalidate(&[], Invalidation::Absent).await.unwrap();
    }
    fs::copy(other.0.join("v1/record"), directory.0.join("v1/record")).unwrap();
    let locks = directory.0.join("v1/locks");
    fs::remove_dir_all(&locks).unwrap();
    fs::write(&locks, "").unwrap();
    for _ in 0..3 {
        assert!(store.invalidations(Epoch(2)).await.is_err());
    }
    fs::remove_file(&locks).unwrap();
    let news = store.invalidations(Epoch(2)).await.unwrap();
    assert!(news.until >= Epoch(5) && news.floor.absent > Epoch(2));
}

#[tokio::test]
async fn a_record_with_any_byte_damaged_makes_no_old_entry_valid() {
    let directory = Directory::new();
    let store = FileStore::open(&directory.0);
    store.write(KEY, entry(b"old", 0)).await.unwrap();
    store
        .invalidate(&tags(), Invalidation::Absent)
        .await
        .unwrap();
    let path = store.inner.place.entry(KEY);
    drop(store);
    let record = directory.0.join("v1/record");
    let (whole, file) = (fs::read(&record).unwrap(), fs::read(&path).unwrap());
    // Without its end, the last line is one that was never written.
    for at in 0..whole.len() - 1 {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&record, damaged).unwrap();
        fs::write(&path, &file).unwrap();
        let store = FileStore::open(&directory.0);
        let news = store.invalidations(Epoch(0)).await.unwrap();
        let read = store.read(KEY).await.unwrap();
        let reached = news.floor.absent > Epoch(0) || !news.tags.is_empty();
        assert!(read.is_none() || reached, "{at}: {news:?}");
    }
}

#[tokio::test]
async fn a_line_that_has_no_end_is_not_read_and_goes() {
    let directory = Directory::new();
    let store = FileStore::open(&directory.0);
    store
        .invalidate(&tags(), Invalidation::Absent)
        .await
        .unwrap();
    let record = directory.0.join("v1/record");
    let whole = fs::read(&record).unwrap();
    let begun = [&whole[..], &whole[whole.len() - 30..whole.len() - 1]].concat();
    fs::write(&record, begun).unwrap();
    let other = FileStore::open(&directory.0);
    for store in [&store, &other] {
        let news = store.invalidations(Epoch(0)).await.unwrap();
        assert_eq!((news.until, news.floor.absent), (Epoch(1), Epoch(0)));
    }
    assert_eq!(
        other
            .invalidate(&tags(), Invalidation::Absent)
            .await
            .unwrap(),
        Epoch(2)
    );
    let news = store.invalidations(Epoch(1)).await.unwrap();
    assert_eq!((news.until, news.floor.absent), (Epoch(2), Epoch(0)));
}

#[tokio::test]
async fn the_record_is_written_anew_when_it_has_grown() {
    let directory = Directory::new();
    let store = FileStore::open(&directory.0);
    let other = FileStore::open(&directory.0);
    let many: Vec<_> = (0..10_000)
        .map(|n| Tag::new(format!("a longer name {n}")))
        .collect();
    let mut longest = 0;
    for number in 1..=40 {
        let epoch = store.invalidate(&many, Invalidation::Absent).await.unwrap();
        assert_eq!(epoch, Epoch(number));
        longest = longest.max(fs::metadata(store.inner.place.record()).unwrap().len());
    }
    assert!(longest < 6 << 20, "{longest}");
    for store in [&other, &FileStore::open(&directory.0)] {
        let news = store.invalidations(Epoch(39)).await.unwrap();
        assert_eq!((news.until, news.tags.len()), (Epoch(40), 10_000));
        assert_eq!(news.floor, Default::default());
    }
}

#[tokio::test]
async fn the_oldest_go_first() {
    let directory = Directory::new();
    let store = FileStore::options()
        .entries(10)
        .bytes(40_000)
        .open(&directory.0);
    let written = |number: u32| {
        let name = number.to_string();
        let store = &store;
        async move {
            let key = EntryKey {
                build: Some("b"),
                name: &name,
            };
            store.write(key, entry(&[0; 100], 0)).await.unwrap();
            let path = store.inner.place.entry(key);
            // The clock of a file system may be too coarse to tell.
            let time =
                SystemTime::now() - Duration::from_secs(1000) + Duration::from_secs(number.into());
            File::options()
                .append(true)
                .open(&path)
                .unwrap()
                .set_modified(time)
                .unwrap();
            path
        }
    };
    let mut paths = Vec::new();
    for number in 0..100 {
        paths.push(written(number).await);
        store.inner.sweep();
        assert!(
            directory
                .files("")
                .iter()
                .filter(|it| paths.contains(it))
                .count()
                <= 10
        );
    }
    assert!(paths[92..].iter().all(|path| path.exists()));
    // By bytes.
    for number in 100..110 {
        let name = number.to_string();
        let key = EntryKey {
            build: None,
            name: &name,
        };
        store.write(key, entry(&[0; 9000], 0)).await.unwrap();
        store.inner.sweep();
    }
    let bytes: u64 = directory
        .files("app")
        .iter()
        .map(|it| it.metadata().unwrap().len())
        .sum();
    assert!(bytes <= 40_000 && bytes > 20_000, "{bytes}");
    // Too large leaves nothing of what it replaces.
    store.write(KEY, entry(b"small", 0)).await.unwrap();
    store.write(KEY, entry(&[0; 10_000], 1)).await.unwrap();
    assert_eq!(store.read(KEY).await.unwrap(), None);
    // For ever is 30 days.
    let path = written(200).await;
    let long_ago = SystemTime::now() - Duration::from_secs(31 * 86_400);
    File::options()
        .append(true)
        .open(&path)
        .unwrap()
        .set_modified(long_ago)
        .unwrap();
    store.inner.sweep();
    assert!(!path.exists());
}

#[tokio::test]
async fn writing_sweeps_by_itself() {
    let directory = Directory::new();
    let store = FileStore::options().entries(20).open(&directory.0);
    for number in 0..200 {
        let name = number.to_string();
        let key = EntryKey {
            build: None,
            name: &name,
        };
        store.write(key, entry(b"body", 0)).await.unwrap();
    }
    let deadline = Instant::now() + Duration::from_secs(30);
    while directory.files("app").len() > 20 {
        store.write(KEY, entry(b"body", 0)).await.unwrap();
        assert!(Instant::now() < deadline);
    }
}

#[tokio::test]
async fn drafts_of_those_that_were_killed_go_and_those_of_the_living_stay() {
    let directory = Directory::new();
    let living = FileStore::open(&directory.0);
    let draft = living.inner.place.draft(b"draft").unwrap();
    let dead = directory.0.join("v1/tmp/dead");
    fs::create_dir_all(&dead).unwrap();
    fs::write(dead.join("7"), "half of").unwrap();
    fs::write(directory.0.join("v1/tmp/dead.lock"), "").unwrap();
    let other = FileStore::open(&directory.0);
    assert!(!dead.exists());
    assert_eq!(directory.files("tmp").len(), 3);
    draft.publish(&living.inner.place.entry(KEY)).unwrap();
    drop((living, other));
    directory.left();
}

#[tokio::test]
async fn where_nothing_can_be_the_methods_fail_and_the_log_says_so_once() {
    logged::listen();
    let directory = Directory::new();
    let file = directory.0.join("file");
    fs::write(&file, "").unwrap();
    // Below a file there is no directory, whoever asks.
    let store = FileStore::open(file.join("cache"));
    for _ in 0..3 {
        assert!(store.read(KEY).await.is_err());
        assert!(store.write(KEY, entry(b"body", 0)).await.is_err());
        assert!(store.remove(KEY).await.is_err());
        assert!(
            store
                .invalidate(&tags(), Invalidation::Absent)
                .await
                .is_err()
        );
        let error = store.invalidations(Epoch(0)).await.unwrap_err();
        assert_eq!(error.to_string(), "cannot read invalidations");
        assert!(std::error::Error::source(&error).is_some());
    }
    assert_eq!(logged::levels("store"), [tracing::Level::WARN]);
    // It works from when it can.
    fs::remove_file(&file).unwrap();
    store.write(KEY, entry(b"body", 0)).await.unwrap();
    assert_eq!(store.read(KEY).await.unwrap(), Some(entry(b"body", 0)));
}

#[tokio::test]
async fn what_cannot_be_written_can_be_read() {
    let directory = Directory::new();
    let store = FileStore::open(&directory.0);
    store
        .invalidate(&tags(), Invalidation::Absent)
        .await
        .unwrap();
    store.write(KEY, entry(b"body", 1)).await.unwrap();
    drop(store);
    // Neither a lock nor a draft can be made, whoever asks.
    for name in ["locks", "tmp"] {
        let path = directory.0.join("v1").join(name);
        fs::remove_dir_all(&path).unwrap();
        fs::write(path, "").unwrap();
    }
    let store = FileStore::open(&directory.0);
    assert_eq!(store.read(KEY).await.unwrap(), Some(entry(b"body", 1)));
    assert!(store.write(KEY, entry(b"newer", 1)).await.is_err());
    assert!(
        store
            .invalidate(&tags(), Invalidation::Absent)
            .await
            .is_err()
    );
    assert_eq!(store.invalidations(Epoch(0)).await.unwrap().until, Epoch(1));
    let lost = store.invalidations(Epoch(9)).await.unwrap();
    assert_eq!((lost.until, lost.floor.absent), (Epoch(9), Epoch(9)));
}
