//! Tests of the bounds, and of what is cleared away.

use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::FutureExt as _;

use super::*;
use crate::store::files::place::made;

#[tokio::test]
async fn the_oldest_entries_are_removed_first() {
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
            store
                .write(key, entry(&[0; 100], Mark::START))
                .await
                .unwrap();
            let path = store.inner.place.entry(key, Part::Listed);
            // The clock of a file system may be too coarse to tell two writes apart.
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
    // The bound of bytes holds, too.
    for number in 100..110 {
        let name = number.to_string();
        let key = EntryKey {
            build: None,
            name: &name,
        };
        store
            .write(key, entry(&[0; 9000], Mark::START))
            .await
            .unwrap();
        store.inner.sweep();
    }
    let bytes: u64 = directory
        .files("app")
        .iter()
        .map(|it| it.metadata().unwrap().len())
        .sum();
    assert!(bytes <= 40_000 && bytes > 20_000, "{bytes}");
    // An entry that is too large removes the one that it replaces.
    store
        .write(KEY, entry(b"small", Mark::START))
        .await
        .unwrap();
    let mark = store.record().await.mark;
    store.write(KEY, entry(&[0; 10_000], mark)).await.unwrap();
    assert_eq!(store.read(KEY, Mark::START).await.unwrap(), None);
    // An entry without `expire` is removed after 30 days.
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
async fn writes_keep_the_store_within_its_bounds() {
    let directory = Directory::new();
    let store = FileStore::options().entries(20).open(&directory.0);
    for number in 0..200 {
        let name = number.to_string();
        let key = EntryKey {
            build: None,
            name: &name,
        };
        store.write(key, entry(b"body", Mark::START)).await.unwrap();
    }
    let deadline = Instant::now() + PATIENCE;
    while directory.files("app").len() > 20 {
        store.write(KEY, entry(b"body", Mark::START)).await.unwrap();
        assert!(Instant::now() < deadline);
    }
}

#[tokio::test]
async fn a_dropped_write_does_not_stop_later_writes_from_sweeping() {
    let directory = Directory::new();
    let store = FileStore::options().entries(10).open(&directory.0);
    // The first write of a process finds that it is time to sweep.
    drop(store.write(KEY, entry(b"body", Mark::START)).now_or_never());
    eventually("it is written", || directory.files("app").len() == 1);
    for number in 0..100 {
        let name = number.to_string();
        let key = EntryKey {
            build: None,
            name: &name,
        };
        store.write(key, entry(b"body", Mark::START)).await.unwrap();
    }
    let deadline = Instant::now() + PATIENCE;
    while directory.files("app").len() > 10 {
        store.write(KEY, entry(b"body", Mark::START)).await.unwrap();
        assert!(Instant::now() < deadline, "somebody sweeps");
    }
}

#[tokio::test]
async fn drafts_of_killed_instances_are_removed_and_those_of_living_ones_stay() {
    let directory = Directory::new();
    let living = FileStore::open(&directory.0);
    let draft = living.inner.place.draft(b"draft").unwrap();
    let dead = directory.0.join("v2/tmp/dead");
    fs::create_dir_all(&dead).unwrap();
    fs::write(dead.join("7"), "half of").unwrap();
    fs::write(directory.0.join("v2/tmp/dead.lock"), "").unwrap();
    let other = FileStore::open(&directory.0);
    assert!(!dead.exists());
    assert_eq!(directory.files("tmp").len(), 3);
    draft
        .publish(&living.inner.place.entry(KEY, Part::Listed))
        .unwrap();
    drop((living, other));
    directory.left();
}

#[tokio::test]
async fn directories_of_old_builds_are_removed_whatever_lies_beside_them() {
    let directory = Directory::new();
    let store = FileStore::open(&directory.0);
    let root = directory.0.join("v2");
    fs::write(root.join("b-foreign"), "").unwrap();
    let key = |build: &'static str| EntryKey {
        build: Some(build),
        ..KEY
    };
    for build in ["old", "new"] {
        store
            .write(key(build), entry(b"body", Mark::START))
            .await
            .unwrap();
    }
    let scope = |build: &'static str| {
        let path = store.inner.place.entry(key(build), Part::Listed);
        path.ancestors().nth(2).unwrap().to_owned()
    };
    fs::write(scope("new").join("foreign"), "").unwrap();
    store.remove(key("old")).await.unwrap();
    let sweep = || store.inner.shelves.sweep(&store.inner.place).unwrap();
    sweep();
    assert!(scope("old").exists(), "it may be filled again");
    for shelf in fs::read_dir(scope("old")).unwrap() {
        let shelf = File::open(shelf.unwrap().path()).unwrap();
        let long_ago = SystemTime::now() - Duration::from_secs(3700);
        shelf.set_modified(long_ago).unwrap();
    }
    sweep();
    assert!(!scope("old").exists());
    assert_eq!(
        store.read(key("new"), Mark::START).await.unwrap(),
        Some(entry(b"body", Mark::START))
    );
    assert!(root.join("b-foreign").exists());
}

#[test]
fn a_directory_that_a_sweep_removes_before_its_first_use_is_made_again() {
    let directory = Directory::new();
    let shelf = directory.0.join("shelf");
    let tries = AtomicU32::new(0);
    let written = made(&shelf.join("entry"), || {
        if tries.fetch_add(1, Ordering::Relaxed) < 3 {
            fs::remove_dir(&shelf).ok();
        }
        fs::write(shelf.join("entry"), "")
    });
    written.unwrap();
    assert_eq!(tries.into_inner(), 4);
    // A file that is missing for another reason is an error in the end.
    made(&shelf.join("entry"), || {
        fs::remove_file(directory.0.join("none"))
    })
    .unwrap_err();
}
