//! The work of a file store on its files, done on threads that may wait for them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use std::{fs, io};

use super::format::{self, Filed, Unusable};
use super::place::{Part, StoreDirectory};
use super::record::Record;
use super::reserve;
use super::shelves::{Bounds, Shelves};
use crate::store::{EntryKey, Mark, News, StoredEntry};
use crate::target;

/// The number of calls that may use files at once: a disk that hangs must not collect threads.
const AT_ONCE: usize = 256;

/// The state that calls share with the threads they work on.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) place: StoreDirectory,
    pub(super) record: Record,
    pub(super) shelves: Shelves,
    pub(super) news: News,
    replaced: Replaced,
    is_making_room: AtomicBool,
    /// The record's stamp when it was looked at last.
    told: Mutex<Option<(u64, SystemTime)>>,
    calls: Arc<()>,
    warned: AtomicBool,
    warned_of_sweep: AtomicBool,
}

/// A call under way, which counts towards [`AT_ONCE`].
pub(super) struct FileCall {
    inner: Arc<Inner>,
    _counted: Arc<()>,
}

impl FileCall {
    pub(super) fn begin(inner: &Arc<Inner>) -> Option<Self> {
        let counted = Arc::clone(&inner.calls);
        (inner.calls_under_way() <= AT_ONCE).then(|| Self {
            inner: Arc::clone(inner),
            _counted: counted,
        })
    }

    /// Does the work of the call. The call is under way until that is done, even if nobody waits for
    /// it any more.
    pub(super) fn run<T>(self, work: impl FnOnce(&Arc<Inner>) -> T) -> T {
        work(&self.inner)
    }
}

impl Inner {
    pub(super) fn new(directory: &Path, bounds: Bounds) -> Self {
        Self {
            place: StoreDirectory::new(directory),
            record: Record::new(),
            shelves: Shelves::new(bounds),
            news: News::default(),
            replaced: Replaced::default(),
            is_making_room: AtomicBool::new(false),
            told: Mutex::default(),
            calls: Arc::default(),
            warned: AtomicBool::new(false),
            warned_of_sweep: AtomicBool::new(false),
        }
    }

    /// Returns how many calls are under way.
    pub(super) fn calls_under_way(&self) -> usize {
        Arc::strong_count(&self.calls) - 1
    }

    pub(super) fn open(&self) -> io::Result<()> {
        // The stamp is taken before the record is read, so that nothing recorded in between is
        // missed.
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Record::stamp(&self.place);
        // The record is opened first, because it can be read even where nothing can be written.
        self.record.open(&self.place)?;
        if self.record.is_source() {
            let directory = self.place.root().display();
            tracing::info!(target: target::STORE, %directory, "the cache's files can only be read: what is rendered and invalidated from now on stays in this process");
            return Ok(());
        }
        self.place.open()?;
        let older = self.place.older();
        if older.exists() {
            let directory = older.display();
            tracing::info!(target: target::STORE, %directory, "the files of an older version are not used: remove them once no process of that version runs");
        }
        // Without a reserve, entries are removed when they have to make room.
        reserve::keep(&self.place).ok();
        Ok(())
    }

    /// Has a reserve again, if it was given up.
    pub(super) fn refill(self: &Arc<Self>) {
        if self.record.has_given_up() {
            self.make_room(0);
        }
    }

    /// Makes room for so many bytes on a full disk, and for the reserve, by removing the oldest
    /// entries. Nothing waits for that.
    fn make_room(self: &Arc<Self>, bytes: u64) {
        // Whoever makes room now makes it for all that were refused.
        if self.is_making_room.swap(true, Ordering::AcqRel) {
            return;
        }
        let inner = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = reserve::make_room(&inner.place, bytes) {
                inner.warn(&error);
            }
            inner.is_making_room.store(false, Ordering::Release);
        });
    }

    pub(super) fn read(&self, key: EntryKey<'_>, seen: Mark) -> io::Result<Option<StoredEntry>> {
        if self.replaced.contains(&self.place.entry(key, Part::Listed)) {
            return Ok(None);
        }
        let mut newest: Option<StoredEntry> = None;
        for part in Part::ALL {
            let found = match self.filed(key, part, seen)? {
                Ok(found) => found,
                Err(Unusable::Foreign) => None,
                Err(Unusable::Damaged) => {
                    // A good file may have replaced it meanwhile, but a store may forget any entry.
                    fs::remove_file(self.place.entry(key, part)).ok();
                    None
                }
            };
            if let Some(found) = found
                && newest.as_ref().is_none_or(|it| found.is_newer_than(it))
            {
                newest = Some(found);
            }
        }
        Ok(newest)
    }

    fn filed(
        &self,
        key: EntryKey<'_>,
        part: Part,
        seen: Mark,
    ) -> io::Result<Result<Option<StoredEntry>, Unusable>> {
        let file = match fs::read(self.place.entry(key, part)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ok(None)),
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => return Ok(Ok(None)),
            Err(error) => return Err(error),
        };
        Ok(format::decode(&file, key, part).map(|filed| {
            let Filed { entry, record } = filed;
            let leads = self
                .record
                .leads_to(&self.place, seen, &record, entry.started);
            leads.then_some(entry)
        }))
    }

    /// Writes an entry, and starts a sweep if it is time for one. Nothing waits for the sweep,
    /// because the caller that waits for this write may have given up by now. Returns whether the
    /// record leads to where the entry's render began.
    pub(super) fn write(
        self: &Arc<Self>,
        key: EntryKey<'_>,
        entry: &StoredEntry,
    ) -> io::Result<bool> {
        let Some(record) = self.record.takes(&self.place, entry.started)? else {
            return Ok(false);
        };
        if self.record.is_source() {
            self.replaced.insert(self.place.entry(key, Part::Listed));
            return Ok(true);
        }
        let file = format::encode(key, entry, &record);
        let length = file.len() as u64;
        let kept = length <= self.shelves.bounds().largest();
        let draft = kept.then(|| self.place.draft(&file)).transpose();
        let draft = draft.inspect_err(|error| {
            if reserve::is_full(error) {
                // There is room for the next one then.
                self.make_room(length.max(reserve::RESERVE as u64));
            }
        })?;
        let part = Part::of(entry);
        let path = self.place.entry(key, part);
        // The lock is that of the other part's file, too: both have the name of the key.
        let _lock = self.place.lock_entry(&path)?;
        for part in Part::ALL {
            if let Ok(Some(there)) = self.filed(key, part, entry.started)?
                && there.is_newer_than(entry)
            {
                return Ok(true);
            }
        }
        match draft {
            Some(draft) => {
                draft.publish(&path)?;
                if let Some(turn) = self.shelves.wrote(part, length) {
                    let inner = Arc::clone(self);
                    tokio::task::spawn_blocking(move || {
                        inner.sweep();
                        drop(turn);
                    });
                }
            }
            // The entry is too large to keep, but nobody must find the one that it would have
            // replaced.
            None => absent(fs::remove_file(path))?,
        }
        absent(fs::remove_file(self.place.entry(key, part.other())))?;
        Ok(true)
    }

    pub(super) fn remove(&self, key: EntryKey<'_>) -> io::Result<()> {
        if self.record.is_source() {
            self.replaced.insert(self.place.entry(key, Part::Listed));
            return Ok(());
        }
        for part in Part::ALL {
            absent(fs::remove_file(self.place.entry(key, part)))?;
        }
        Ok(())
    }

    pub(super) fn sweep(&self) {
        if let Err(error) = self.shelves.sweep(&self.place) {
            warn_once(&self.warned_of_sweep, &self.place, "swept", &error);
        }
    }

    pub(super) fn warn(&self, error: &io::Error) {
        warn_once(&self.warned, &self.place, "used", error);
    }

    pub(super) fn look(&self) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = Record::stamp(&self.place);
        if *told != stamp {
            *told = stamp;
            self.news.tell();
        }
    }
}

/// The files of a directory that nobody can write, as far as this process has had something newer.
#[derive(Debug, Default)]
struct Replaced(Mutex<HashSet<PathBuf>>);

impl Replaced {
    /// The number of files from which on all of them count as replaced.
    const MOST: usize = 100_000;

    fn contains(&self, path: &Path) -> bool {
        let replaced = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        replaced.len() >= Self::MOST || replaced.contains(path)
    }

    fn insert(&self, path: PathBuf) {
        let mut replaced = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if replaced.len() < Self::MOST {
            replaced.insert(path);
        }
    }
}

/// Logs a warning, but only once: a disk that is full would otherwise fill the log, too.
fn warn_once(warned: &AtomicBool, place: &StoreDirectory, what: &str, error: &io::Error) {
    if !warned.swap(true, Ordering::Relaxed) {
        let directory = place.root().display();
        tracing::warn!(target: target::STORE, %directory, %error, "the cache's files cannot be {what}");
    }
}

pub(super) fn absent(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
