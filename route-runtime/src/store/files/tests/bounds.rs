//! How much is kept, and what is cleared away.

use futures_util::FutureExt as _;

use super::*;

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
    let deadline = Instant::now() + PATIENCE;
    while directory.files("app").len() > 20 {
        store.write(KEY, entry(b"body", 0)).await.unwrap();
        assert!(Instant::now() < deadline);
    }
}

#[tokio::test]
async fn a_write_that_nobody_waits_for_leaves_no_directory_that_grows_for_ever() {
    let directory = Directory::new();
    let store = FileStore::options().entries(10).open(&directory.0);
    // The first one of a process finds that it is time to look what there is.
    assert!(store.write(KEY, entry(b"body", 0)).now_or_never().is_none());
    eventually("it is written", || directory.files("app").len() == 1);
    for number in 0..100 {
        let name = number.to_string();
        let key = EntryKey {
            build: None,
            name: &name,
        };
        store.write(key, entry(b"body", 0)).await.unwrap();
    }
    let deadline = Instant::now() + PATIENCE;
    while directory.files("app").len() > 10 {
        store.write(KEY, entry(b"body", 0)).await.unwrap();
        assert!(Instant::now() < deadline, "somebody sweeps");
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
