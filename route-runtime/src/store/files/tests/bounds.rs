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
        .filter_map(|it| Some(it.metadata().ok()?.len()))
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

/// Writes this many entries whose names begin with `name`.
async fn fill(store: &FileStore, name: &str, entries: u32, bytes: usize, listed: bool) {
    for number in 0..entries {
        let name = format!("{name} {number}");
        let key = EntryKey {
            build: number.is_multiple_of(2).then_some("b"),
            name: &name,
        };
        let entry = entry(&vec![0; bytes], Mark::START);
        let written = store.write(key, StoredEntry { listed, ..entry });
        assert!(written.await.unwrap());
    }
}

/// Returns the numbers of listed and of other entries in a directory, and the bytes of the others.
///
/// The store removes files in the background, so a file may be gone after it was found.
fn parts(directory: &Directory) -> (usize, usize, u64) {
    let (mut listed, mut others, mut bytes) = (0, 0, 0);
    for file in directory.files("") {
        let Ok(metadata) = file.metadata() else {
            continue;
        };
        let scope = file.iter().nth_back(2).unwrap().to_string_lossy();
        if scope.ends_with("-other") {
            others += 1;
            bytes += metadata.len();
        } else if scope == "app" || scope.starts_with("b-") {
            listed += 1;
        }
    }
    (listed, others, bytes)
}

#[tokio::test]
async fn entries_that_are_not_listed_displace_no_listed_entry_and_have_half_of_the_room() {
    let directory = Directory::new();
    let store = FileStore::options().entries(100).open(&directory.0);
    fill(&store, "listed", 70, 100, true).await;
    for round in 0..20 {
        fill(&store, &format!("other {round}"), 100, 100, false).await;
        store.inner.sweep();
        let (listed, others, _) = parts(&directory);
        assert_eq!(listed, 70);
        // What listed entries leave is less than half.
        assert!((1..=20).contains(&others), "{others}");
    }
    // Listed entries take the room of others, but not the other way round.
    fill(&store, "more", 15, 100, true).await;
    store.inner.sweep();
    let (listed, others, _) = parts(&directory);
    assert_eq!(listed, 85);
    assert!(others <= 5, "{others}");
    // Listed entries alone keep to the bound.
    fill(&store, "too many", 100, 100, true).await;
    store.inner.sweep();
    let (listed, others, _) = parts(&directory);
    assert!((70..=90).contains(&listed), "{listed}");
    assert!(listed + others <= 100, "{others}");
}

#[tokio::test]
async fn both_bounds_of_entries_that_are_not_listed_are_half_of_those_of_all() {
    let directory = Directory::new();
    let store = FileStore::options()
        .entries(100)
        .bytes(100_000)
        .open(&directory.0);
    fill(&store, "small", 300, 10, false).await;
    store.inner.sweep();
    let (_, others, _) = parts(&directory);
    assert!((40..=50).contains(&others), "{others}");
    fill(&store, "large", 300, 3000, false).await;
    store.inner.sweep();
    let (_, others, bytes) = parts(&directory);
    assert!(others > 5 && bytes <= 50_000, "{others}, {bytes}");
}

#[tokio::test]
async fn writes_keep_entries_that_are_not_listed_within_half_without_a_call_to_sweep() {
    let directory = Directory::new();
    let store = FileStore::options().entries(100).open(&directory.0);
    fill(&store, "other", 500, 100, false).await;
    let deadline = Instant::now() + PATIENCE;
    while parts(&directory).1 > 50 {
        fill(&store, "last", 1, 100, false).await;
        assert!(Instant::now() < deadline);
    }
}

#[tokio::test]
async fn an_entry_that_is_listed_and_later_is_not_exists_once() {
    let directory = Directory::new();
    let store = FileStore::open(&directory.0);
    for listed in [true, false, true] {
        let mark = store.record().await.mark;
        let written = StoredEntry {
            listed,
            ..entry(b"body", mark)
        };
        store.write(KEY, written.clone()).await.unwrap();
        assert_eq!(store.read(KEY, mark).await.unwrap(), Some(written));
        let (listed_files, others, _) = parts(&directory);
        assert_eq!((listed_files, others), (listed.into(), (!listed).into()));
    }
}

#[tokio::test]
async fn the_newer_of_two_files_that_a_killed_process_has_left_counts() {
    let directory = Directory::new();
    let store = FileStore::open(&directory.0);
    let mark = store.record().await.mark;
    let listed = StoredEntry {
        listed: true,
        ..entry(b"older", Mark::START)
    };
    let other = StoredEntry {
        listed: false,
        ..entry(b"newer", mark)
    };
    store.write(KEY, listed.clone()).await.unwrap();
    let path = store.inner.place.entry(KEY, Part::Listed);
    let older = fs::read(&path).unwrap();
    store.write(KEY, other.clone()).await.unwrap();
    fs::write(&path, older).unwrap();
    assert_eq!(store.read(KEY, mark).await.unwrap(), Some(other));
    // The older one replaces nothing, and both are removed.
    store.write(KEY, listed).await.unwrap();
    assert_eq!(parts(&directory).1, 1);
    store.remove(KEY).await.unwrap();
    assert_eq!(parts(&directory), (0, 0, 0));
}
