//! Tests of directories that cannot be written or read.

use futures_util::FutureExt as _;

use super::*;
use crate::store::files::place::used;
use crate::store::{Epoch, logged};

#[tokio::test]
async fn in_an_unusable_directory_methods_fail_and_one_warning_is_logged() {
    logged::listen();
    let directory = Directory::new();
    let file = directory.0.join("file");
    fs::write(&file, "").unwrap();
    // There is no directory below a file, whichever user runs this.
    let store = FileStore::open(file.join("cache"));
    for _ in 0..3 {
        assert!(store.read(KEY, Mark::START).await.is_err());
        assert!(store.write(KEY, entry(b"body", Mark::START)).await.is_err());
        assert!(store.remove(KEY).await.is_err());
        assert!(
            store
                .invalidate(&tags(), Invalidation::Absent, Mark::START)
                .await
                .is_err()
        );
        let error = store.invalidations(Mark::START, None).await.unwrap_err();
        assert_eq!(error.to_string(), "cannot read invalidations");
        assert!(std::error::Error::source(&error).is_some());
    }
    assert_eq!(logged::levels("store"), [tracing::Level::WARN]);
    // The store works as soon as the directory can be made.
    fs::remove_file(&file).unwrap();
    store.write(KEY, entry(b"body", Mark::START)).await.unwrap();
    assert_eq!(
        store.read(KEY, Mark::START).await.unwrap(),
        Some(entry(b"body", Mark::START))
    );
}

#[test]
fn check_refuses_a_path_through_a_file_and_leaves_nothing_behind() {
    let directory = Directory::new();
    let file = directory.0.join("file");
    fs::write(&file, "").unwrap();
    for unusable in [file.clone(), file.join("cache")] {
        let error = FileStore::check(&unusable).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotADirectory, "{unusable:?}");
    }
    fs::remove_file(&file).unwrap();
    FileStore::check(&directory.0.join("not/there")).unwrap();
    assert_eq!(fs::read_dir(&directory.0).unwrap().count(), 0);
}

#[tokio::test]
async fn a_store_that_cannot_be_written_can_be_read() {
    let directory = Directory::new();
    let store = FileStore::open(&directory.0);
    let mark = store.record().await.mark;
    store.write(KEY, entry(b"body", mark)).await.unwrap();
    drop(store);
    // Neither a lock nor a draft can be made, whichever user runs this.
    for name in ["locks", "tmp"] {
        let path = directory.0.join("v2").join(name);
        fs::remove_dir_all(&path).unwrap();
        fs::write(path, "").unwrap();
    }
    FileStore::check(&directory.0).unwrap();
    let store = FileStore::open(&directory.0);
    let read = store.read(KEY, mark).await.unwrap();
    assert_eq!(read, Some(entry(b"body", mark)));
    assert!(store.write(KEY, entry(b"newer", mark)).await.is_err());
    let recorded = store.invalidate(&tags(), Invalidation::Absent, mark).await;
    assert!(recorded.is_err());
    assert_eq!(store.news().await.until, mark);
    // A loss that cannot be recorded is an error, and stays one.
    let lost = Mark {
        epoch: Epoch(9),
        word: 9,
    };
    for _ in 0..2 {
        assert!(store.invalidations(lost, None).await.is_err());
        assert_eq!(store.read(KEY, lost).await.unwrap(), None);
    }
}

/// The disk holds 3 MiB, which the entries fill.
#[tokio::test]
async fn on_a_full_disk_invalidations_succeed_and_entries_make_room() {
    let directory = Directory::new();
    let store = FileStore::open(&directory.0);
    let room = &store.inner.place.room;
    room.store(3 << 20, std::sync::atomic::Ordering::SeqCst);
    let write = async |number: usize| {
        let name = format!("/{number}");
        let key = EntryKey { name: &name, ..KEY };
        store.write(key, entry(&[7; 50_000], Mark::START)).await
    };
    let refused = async |from: usize| {
        for number in from..from + 1000 {
            if write(number).await.is_err() {
                return;
            }
        }
        panic!("the disk is full");
    };
    let has_room = || used(&directory.0) + 100_000 < 3 << 20;
    let has_reserve = || {
        eventually("there is a reserve", || {
            store.inner.place.reserve().exists()
        });
    };
    refused(0).await;
    has_reserve();
    for round in 1..=10 {
        refused(round * 1000).await;
        eventually("there is room", has_room);
        // The next invalidation may come before there is a reserve again.
        for _ in 0..3 {
            store.record().await;
        }
        has_reserve();
        // The refused write makes room for another one.
        eventually("there is room", has_room);
        write(round).await.unwrap();
    }
    let news = store.news().await;
    assert_eq!((news.until.epoch, news.floor.absent), (Epoch(30), Epoch(0)));
    assert!(!directory.files("app").is_empty());

    // Others have filled the disk, so there is nothing to remove.
    for entry in directory.files("app") {
        fs::remove_file(entry).unwrap();
    }
    fs::remove_file(store.inner.place.reserve()).unwrap();
    room.store(0, std::sync::atomic::Ordering::SeqCst);
    let tags = tags();
    let recorded = store
        .invalidate(&tags, Invalidation::Absent, news.until)
        .await;
    assert!(recorded.is_err());
    room.store(u64::MAX, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(store.record().await.before, news.until);
}

#[test]
fn a_call_that_the_end_of_the_runtime_cuts_off_logs_no_warning() {
    logged::listen();
    let directory = Directory::new();
    let store = FileStore::open(&directory.0);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let ended = runtime.handle().clone();
    drop(runtime);
    let _entered = ended.enter();
    let error = store
        .read(KEY, Mark::START)
        .now_or_never()
        .unwrap()
        .unwrap_err();
    assert_eq!(error.to_string(), "cannot read an entry");
    assert!(logged::levels("store").is_empty());
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_counts_until_its_work_is_done() {
    let directory = Directory::new();
    let store = FileStore::open(&directory.0);
    let (begun, begins) = std::sync::mpsc::channel();
    let (end, ends) = std::sync::mpsc::channel::<()>();
    let mut call = store.call("wait for a disk that hangs", move |_| {
        begun.send(()).unwrap();
        ends.recv().unwrap();
        Ok(())
    });
    tokio::select! {
        biased;
        _ = &mut call => panic!("the disk hangs"),
        () = std::future::ready(()) => {}
    }
    begins.recv().unwrap();
    drop(call);
    assert_eq!(store.inner.calls_under_way(), 1);
    end.send(()).unwrap();
    eventually("the work is done", || store.inner.calls_under_way() == 0);
}
