//! Tests of the record of invalidations.

use super::*;

#[tokio::test]
async fn a_record_that_is_lost_while_in_use_invalidates_everything() {
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
async fn a_loss_that_cannot_be_recorded_yet_is_not_forgotten() {
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
    // Without its line end, the last line counts as never written.
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
async fn a_line_without_an_end_is_not_read_and_is_removed() {
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
async fn the_record_is_written_anew_when_it_has_grown_too_long() {
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_of_an_entry_does_not_wait_for_a_writer_of_the_record() {
    let directory = Directory::new();
    let store = FileStore::open(&directory.0);
    let other = FileStore::open(&directory.0);
    store.write(KEY, entry(b"body", 0)).await.unwrap();
    // A writer gives up after half a second, which on a busy machine may pass before the read.
    for _ in 0..20 {
        let held = other.inner.place.lock("record").unwrap();
        let writing = std::thread::spawn({
            let inner = Arc::clone(&store.inner);
            move || {
                let record = &inner.record;
                record.invalidate(&inner.place, &tags(), Invalidation::Absent)
            }
        });
        while store.inner.record.writer.try_lock().is_ok() && !writing.is_finished() {
            std::thread::yield_now();
        }
        assert!(store.read(KEY).await.unwrap().is_some());
        drop(held);
        if writing.join().unwrap().is_ok() {
            return;
        }
    }
    panic!("whoever reads waits until a writer has its turn");
}

#[tokio::test]
async fn a_damaged_record_still_tells_how_far_the_numbers_went() {
    let (directory, other) = (Directory::new(), Directory::new());
    // This store cannot read anything yet.
    let root = directory.0.join("v1");
    fs::write(&root, "").unwrap();
    let store = FileStore::open(&directory.0);
    fs::remove_file(&root).unwrap();
    let before = FileStore::open(&other.0);
    for _ in 0..5 {
        before
            .invalidate(&tags(), Invalidation::Stale)
            .await
            .unwrap();
    }
    let mut record = fs::read(other.0.join("v1/record")).unwrap();
    *record.iter_mut().rfind(|it| **it == b't').unwrap() = b'u';
    fs::create_dir(&root).unwrap();
    fs::write(root.join("record"), record).unwrap();
    let next = store
        .invalidate(&tags(), Invalidation::Stale)
        .await
        .unwrap();
    assert!(next > Epoch(4), "{next:?}");
    let news = store.invalidations(Epoch(0)).await.unwrap();
    assert!(news.floor.absent > Epoch(4), "{news:?}");
}
