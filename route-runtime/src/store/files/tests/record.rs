//! Tests of the record of invalidations.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::store::Epoch;

impl Directory {
    fn record(&self) -> PathBuf {
        self.0.join("v2/record")
    }

    fn mark(&self) -> PathBuf {
        self.0.join("v2/mark")
    }

    fn cut(&self, bytes: u64) {
        let length = fs::metadata(self.record()).unwrap().len();
        let file = File::options().write(true).open(self.record()).unwrap();
        file.set_len(length - bytes).unwrap();
    }
}

#[tokio::test]
async fn a_record_that_is_lost_while_in_use_invalidates_everything() {
    let directory = Directory::new();
    let stores = [(); 2].map(|()| FileStore::open(&directory.0));
    for store in &stores {
        store.record().await;
    }
    let old = fs::read(directory.record()).unwrap();
    let damages: [&dyn Fn(); 6] = [
        &|| fs::remove_file(directory.record()).unwrap(),
        &|| fs::write(directory.record(), "nonsense").unwrap(),
        &|| directory.cut(10),
        &|| fs::write(directory.record(), &old).unwrap(),
        &|| fs::remove_file(directory.mark()).unwrap(),
        &|| fs::remove_dir_all(&directory.0).unwrap(),
    ];
    for (number, damage) in damages.iter().enumerate() {
        for store in &stores {
            store.record().await;
        }
        let last = stores[0].news().await.until;
        stores[1].news().await;
        damage();
        for store in &stores {
            let news = store.invalidations(last, None).await.unwrap();
            assert!(
                news.floor.absent > last.epoch && news.floor.stale > last.epoch,
                "{number}: {news:?}"
            );
            assert!(news.until.epoch > last.epoch);
            assert!(store.record().await.mark.epoch > news.until.epoch);
        }
        let again = stores[0].news().await;
        assert_eq!(
            again.until.epoch.0,
            again.floor.absent.0 + 2,
            "{number}: once"
        );
    }
}

/// The loss shows when a process opens the store, whoever knew of what was lost.
#[tokio::test]
async fn a_record_that_is_lost_while_nobody_runs_invalidates_everything() {
    for damage in 0..6 {
        let directory = Directory::new();
        let store = FileStore::open(&directory.0);
        store.record().await;
        let early = fs::read(directory.record()).unwrap();
        for _ in 0..9 {
            store.record().await;
        }
        let mark = store.news().await.until;
        store.write(KEY, entry(b"old", mark)).await.unwrap();
        drop(store);
        match damage {
            0 => directory.cut(fs::metadata(directory.record()).unwrap().len() / 2),
            1 => directory.cut(1),
            2 => fs::write(directory.record(), &early).unwrap(),
            3 => fs::remove_file(directory.record()).unwrap(),
            4 => fs::remove_file(directory.mark()).unwrap(),
            _ => fs::write(directory.mark(), [0; 128]).unwrap(),
        }
        for again in 0..3 {
            let store = FileStore::open(&directory.0);
            let news = store.news().await;
            assert!(news.floor.absent > mark.epoch, "{damage}: {news:?}");
            let read = store.read(KEY, news.until).await.unwrap();
            let is_absent = read.is_none_or(|read| read.started.epoch < news.floor.absent);
            assert!(is_absent, "{damage}");
            let floor = news.floor.absent.0;
            assert_eq!(news.until.epoch.0, floor + again, "{damage}: once");
            store.record().await;
        }
    }
}

/// The lines that another process has added since are those of another history.
#[tokio::test]
async fn a_mark_that_was_read_is_not_forgotten_when_others_write_on_an_older_record() {
    let directory = Directory::new();
    let store = FileStore::open(&directory.0);
    let mut older = Vec::new();
    for number in 0..5 {
        store.record().await;
        if number == 2 {
            older = [directory.record(), directory.mark()]
                .map(|path| fs::read(path).unwrap())
                .into();
        }
    }
    let lost = store.news().await.until;
    fs::write(directory.record(), &older[0]).unwrap();
    fs::write(directory.mark(), &older[1]).unwrap();
    let other = FileStore::open(&directory.0);
    for _ in 0..5 {
        other.record().await;
    }
    // A read looks at the file first, and is the first to see the other history.
    assert_eq!(store.read(KEY, lost).await.unwrap(), None);
    let written = store.write(KEY, entry(b"old", lost)).await.unwrap();
    assert!(!written);
    let news = store.news().await;
    assert!(news.floor.absent > lost.epoch, "{news:?}");
}

#[tokio::test]
async fn floors_do_not_rise_again_and_again_while_the_mark_cannot_be_written() {
    let directory = Directory::new();
    let store = FileStore::open(&directory.0);
    store.record().await;
    let length = fs::metadata(directory.record()).unwrap().len();
    fs::remove_file(directory.mark()).unwrap();
    fs::create_dir(directory.mark()).unwrap();
    for _ in 0..3 {
        assert!(store.invalidations(Mark::START, None).await.is_err());
    }
    assert_eq!(fs::metadata(directory.record()).unwrap().len(), length);
    fs::remove_dir(directory.mark()).unwrap();
    let news = store.news().await;
    assert_eq!((news.until.epoch, news.floor.absent), (Epoch(2), Epoch(2)));
}

#[tokio::test]
async fn a_loss_that_cannot_be_recorded_yet_is_not_forgotten() {
    let (directory, other) = (Directory::new(), Directory::new());
    let store = FileStore::open(&directory.0);
    store.record().await;
    let seen = store.record().await.mark;
    let ahead = FileStore::open(&other.0);
    for _ in 0..5 {
        ahead.record().await;
    }
    fs::copy(other.record(), directory.record()).unwrap();
    let locks = directory.0.join("v2/locks");
    fs::remove_dir_all(&locks).unwrap();
    fs::write(&locks, "").unwrap();
    for _ in 0..3 {
        assert!(store.invalidations(Mark::START, None).await.is_err());
        assert!(store.invalidations(seen, None).await.is_err());
    }
    fs::remove_file(&locks).unwrap();
    let news = store.news().await;
    assert!(news.until.epoch >= Epoch(5) && news.floor.absent > seen.epoch);
}

#[tokio::test]
async fn a_record_with_any_byte_damaged_makes_no_old_entry_valid() {
    let directory = Directory::new();
    let store = FileStore::open(&directory.0);
    store.write(KEY, entry(b"old", Mark::START)).await.unwrap();
    store.record().await;
    let path = store.inner.place.entry(KEY, Part::Listed);
    drop(store);
    let (whole, file) = (
        fs::read(directory.record()).unwrap(),
        fs::read(&path).unwrap(),
    );
    let mark = fs::read(directory.mark()).unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(directory.record(), damaged).unwrap();
        fs::write(directory.mark(), &mark).unwrap();
        fs::write(&path, &file).unwrap();
        let store = FileStore::open(&directory.0);
        let news = store.news().await;
        let read = store.read(KEY, news.until).await.unwrap();
        let reached = news.floor.absent > Epoch(0) || !news.tags.is_empty();
        assert!(read.is_none() || reached, "{at}: {news:?}");
    }
}

#[tokio::test]
async fn a_line_without_an_end_is_not_read_and_is_removed() {
    let directory = Directory::new();
    let store = FileStore::open(&directory.0);
    let first = store.record().await.mark;
    let whole = fs::read(directory.record()).unwrap();
    let begun = [&whole[..], &whole[whole.len() - 30..whole.len() - 1]].concat();
    fs::write(directory.record(), begun).unwrap();
    let other = FileStore::open(&directory.0);
    for store in [&store, &other] {
        let news = store.news().await;
        assert_eq!((news.until, news.floor.absent), (first, Epoch(0)));
    }
    let second = other.record().await;
    assert_eq!(second.before, first);
    let news = store.invalidations(first, None).await.unwrap();
    assert_eq!((news.until, news.floor.absent), (second.mark, Epoch(0)));
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
    let mut marks = vec![Mark::START];
    for number in 1..=40 {
        let recorded = store.invalidate(&many, Invalidation::Absent, Mark::START);
        marks.push(recorded.await.unwrap().mark);
        assert_eq!(marks[number].epoch, Epoch(number as u64));
        longest = longest.max(fs::metadata(directory.record()).unwrap().len());
    }
    assert!(longest < 6 << 20, "{longest}");
    for store in [&other, &FileStore::open(&directory.0)] {
        let news = store.invalidations(marks[39], None).await.unwrap();
        assert_eq!((news.until, news.tags.len()), (marks[40], 10_000));
        // The new file knows all marks of the old one.
        for &mark in &marks {
            let news = store.invalidations(mark, None).await.unwrap();
            assert_eq!(news.floor, Default::default());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_of_an_entry_does_not_wait_for_a_writer_of_the_record() {
    let directory = Directory::new();
    let store = FileStore::open(&directory.0);
    let other = FileStore::open(&directory.0);
    store.write(KEY, entry(b"body", Mark::START)).await.unwrap();
    // A writer gives up after half a second, which on a busy machine may pass before the read.
    for _ in 0..20 {
        let held = other.inner.place.lock("record").unwrap();
        let writing = std::thread::spawn({
            let inner = Arc::clone(&store.inner);
            move || {
                let record = &inner.record;
                record.invalidate(&inner.place, &tags(), Invalidation::Absent, Mark::START)
            }
        });
        while store.inner.record.writer.try_lock().is_ok() && !writing.is_finished() {
            std::thread::yield_now();
        }
        assert!(store.read(KEY, Mark::START).await.unwrap().is_some());
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
    let root = directory.0.join("v2");
    fs::write(&root, "").unwrap();
    let store = FileStore::open(&directory.0);
    fs::remove_file(&root).unwrap();
    let before = FileStore::open(&other.0);
    for _ in 0..5 {
        before.record().await;
    }
    let mut record = fs::read(other.record()).unwrap();
    *record.iter_mut().rfind(|it| **it == b't').unwrap() = b'u';
    fs::create_dir(&root).unwrap();
    fs::write(root.join("record"), record).unwrap();
    let next = store.record().await.mark;
    assert!(next.epoch > Epoch(4), "{next:?}");
    let news = store.news().await;
    assert!(news.floor.absent > Epoch(4), "{news:?}");
}

/// An act of a history in which processes are killed between two writes, and files are damaged.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Invalidates, and is killed after so many writes.
    Invalidate(u64),
    /// Writes the record anew, and is killed after so many writes.
    WriteAnew(u64),
    Open,
    /// Cuts off the last line of the record.
    Cut,
    RemoveMark,
}

/// Plays a history. Whatever was acknowledged is in force at the end, and everything else is only if
/// something was damaged.
async fn play(acts: &[Act]) {
    let directory = Directory::new();
    let mut store = FileStore::open(&directory.0);
    let mut acknowledged = HashSet::new();
    let mut is_damaged = false;
    for (number, &act) in acts.iter().enumerate() {
        match act {
            Act::Invalidate(steps) => {
                store
                    .inner
                    .place
                    .steps
                    .store(steps, std::sync::atomic::Ordering::SeqCst);
                let tag = Tag::new(number.to_string());
                let recorded = store.invalidate(
                    std::slice::from_ref(&tag),
                    Invalidation::Absent,
                    Mark::START,
                );
                if let Ok(recorded) = recorded.await {
                    acknowledged.insert((tag, recorded.mark.epoch));
                    continue;
                }
            }
            Act::WriteAnew(steps) => {
                store
                    .inner
                    .place
                    .steps
                    .store(steps, std::sync::atomic::Ordering::SeqCst);
                store.inner.record.write_anew(&store.inner.place);
            }
            Act::Open => {}
            Act::Cut => {
                let record = fs::read(directory.record()).unwrap();
                let lines = record.iter().filter(|&&byte| byte == b'\n').count();
                if lines > 2 {
                    let end = record[..record.len() - 1]
                        .iter()
                        .rposition(|&it| it == b'\n');
                    directory.cut((record.len() - 1 - end.unwrap()) as u64);
                    is_damaged = true;
                }
            }
            Act::RemoveMark => {
                fs::remove_file(directory.mark()).ok();
                is_damaged = true;
            }
        }
        // The next process.
        drop(store);
        store = FileStore::open(&directory.0);
    }
    drop(store);
    let news = FileStore::open(&directory.0).news().await;
    for (tag, epoch) in &acknowledged {
        let risen = news.tags.iter().find(|(it, _)| it == tag);
        let risen = risen.map_or(Epoch(0), |(_, risen)| risen.absent);
        assert!(
            risen >= *epoch || news.floor.absent >= *epoch,
            "{tag} at {epoch:?} is lost in {acts:?}: {news:?}"
        );
    }
    assert!(
        is_damaged || news.floor.absent == Epoch(0),
        "the floors rise for nothing in {acts:?}: {news:?}"
    );
}

/// Each of these breaks a simpler rule: a length in place of the mark, or the mark before the line.
#[tokio::test]
async fn histories_that_break_simpler_rules() {
    use Act::{Cut, Invalidate, Open, RemoveMark, WriteAnew};
    const WHOLE: u64 = u64::MAX;
    for acts in [
        &[Invalidate(WHOLE), Invalidate(WHOLE), WriteAnew(WHOLE), Open][..],
        &[Invalidate(WHOLE), WriteAnew(0), Invalidate(WHOLE), Cut],
        &[
            Invalidate(WHOLE),
            Invalidate(WHOLE),
            WriteAnew(WHOLE),
            Invalidate(WHOLE),
            Cut,
        ],
        &[Invalidate(1), Open, Invalidate(0), Open, Invalidate(WHOLE)],
        &[
            Invalidate(WHOLE),
            Cut,
            Invalidate(0),
            Invalidate(1),
            Invalidate(WHOLE),
        ],
        &[
            Invalidate(WHOLE),
            RemoveMark,
            Invalidate(1),
            Open,
            Invalidate(WHOLE),
        ],
        &[Invalidate(1), Cut, Invalidate(WHOLE), Open],
    ] {
        play(acts).await;
    }
}

fn act() -> impl Strategy<Value = Act> {
    let steps = prop::sample::select(vec![0, 1, 2, u64::MAX, u64::MAX]);
    prop_oneof![
        4 => steps.clone().prop_map(Act::Invalidate),
        1 => steps.prop_map(Act::WriteAnew),
        1 => Just(Act::Open),
        1 => Just(Act::Cut),
        1 => Just(Act::RemoveMark),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_acknowledged_is_lost_wherever_a_process_is_killed(
        acts in prop::collection::vec(act(), 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        runtime.block_on(play(&acts));
    }
}
