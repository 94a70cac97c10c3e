//! A [`Store`] in files.

mod format;
mod inner;
mod known;
mod line;
mod mark;
mod place;
mod record;
mod reserve;
mod shelves;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use tokio::task::spawn_blocking;

use self::inner::{FileCall, Inner};
use self::shelves::Bounds;
use super::{
    EntryKey, Invalidation, Invalidations, Mark, OwnedKey, Recorded, Store, StoreError,
    StoreFuture, StoredEntry, Tag,
};

/// The pause between two looks for the invalidations of other processes.
const PAUSE: Duration = Duration::from_millis(500);

/// A store in the files of a directory. Its entries and invalidations survive a restart.
///
/// Several processes may use one directory: each sees what the others write and invalidate. They
/// have no leases, so two processes may render the same thing at once. The directory has to be on a
/// disk of this machine, or on a file system that has locks and moves files atomically.
///
/// The methods have to be called in a tokio runtime with a timer. They read and write files on the
/// runtime's threads for blocking work.
///
/// # Layout of the directory
///
/// Everything is below `v2` in the directory. An entry is one file, named by the hash of its key:
/// a line with a checksum of the rest, a line of JSON that describes the entry, and the body. Entries
/// that are [listed](StoredEntry::listed) are in one directory for the application (`app`) and one
/// for each build (`b-…`), other entries in a directory beside it (`app-other`, `b-…-other`). The
/// file `record` holds the invalidations, and the file `mark` the last of their marks. A copy of the
/// directory keeps entries and invalidations. If `record` is missing, is damaged, or does not know
/// what is in `mark`, all entries count as absent, because nobody knows what was invalidated.
///
/// A directory `v1` was left by an older version of this crate. Nothing of it is used.
///
/// # Durability
///
/// An entry is written elsewhere and moved into place, so either the old entry or the new one is
/// there, whatever kills the process. Entries are not forced to the disk: an entry that a power cut
/// damages does not match its checksum, and is absent. An invalidation is on the disk when
/// `invalidate` resolves.
///
/// # Bounds
///
/// The store keeps at most 1 GiB and 100 000 entries, unless [`options`](Self::options) say
/// otherwise. The entries that were written first are removed first, and every entry is removed
/// after 30 days without a write. Entries that are not [listed](StoredEntry::listed), of which
/// requests can make as many as they like, get half of both bounds at most, and less if listed
/// entries need the room. A listed entry is removed only if listed entries alone exceed a bound. An
/// entry larger than a quarter of the bytes is not kept. Each
/// process counts what it writes itself and looks at the rest from time to time, so three or more
/// processes together may exceed a bound for a while.
///
/// # When the store cannot write
///
/// If the directory cannot be made or written, the methods return the error, and the first error is
/// logged as a warning. Reads that are still possible succeed.
///
/// On a full disk, an entry is not written, and the oldest entries are removed, so that there is room
/// for the next. Invalidations succeed: a file of 1 MiB is kept in reserve for them. Only if there is
/// no entry to remove does an invalidation fail.
///
/// A directory that this process may only read, such as a build in a read-only image, is a source of
/// entries. Invalidations then hold in this process, until it ends, and nothing is written. An entry
/// is used until this process has something newer.
///
/// # Example: An entry survives a restart
///
/// ```
/// # use std::{sync::Arc, time::SystemTime};
/// # use route_runtime::store::{EntryKey, FileStore, Mark, Store, StoreError, StoredEntry};
/// # #[tokio::main]
/// # async fn main() -> Result<(), StoreError> {
/// # let directory = std::env::temp_dir().join(format!("route-files-{}", std::process::id()));
/// let key = EntryKey { build: Some("f00d"), name: "/api/posts" };
/// let entry = StoredEntry {
///     body: Arc::from(*b"[]"),
///     created: SystemTime::now(),
///     started: Mark::START,
///     revalidate: None,
///     expire: None,
///     tags: Arc::from([]),
///     listed: true,
/// };
/// let store = FileStore::open(&directory);
/// store.write(key, entry.clone()).await?;
/// drop(store);
///
/// let store = FileStore::open(&directory);
/// assert_eq!(store.read(key, Mark::START).await?, Some(entry));
/// # std::fs::remove_dir_all(directory).unwrap();
/// # Ok(())
/// # }
/// ```
pub struct FileStore {
    inner: Arc<Inner>,
}

/// The bounds of a [`FileStore`].
///
/// ```no_run
/// # use route_runtime::store::FileStore;
/// let store = FileStore::options().entries(1000).bytes(50_000_000).open(".route/cache");
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct FileStoreOptions(Bounds);

impl FileStoreOptions {
    /// Sets the largest number of entries, 100 000 by default.
    pub fn entries(mut self, entries: u64) -> Self {
        self.0.entries = entries;
        self
    }

    /// Sets the largest size of all entries together in bytes, 1 GiB by default.
    pub fn bytes(mut self, bytes: u64) -> Self {
        self.0.bytes = bytes;
        self
    }

    /// Opens a store in a directory, as [`FileStore::open`] does.
    pub fn open(self, directory: impl AsRef<Path>) -> FileStore {
        let store = FileStore {
            inner: Arc::new(Inner::new(directory.as_ref(), self.0)),
        };
        if let Err(error) = store.inner.open() {
            store.inner.warn(&error);
        }
        store
    }
}

impl FileStore {
    /// Opens a store in a directory, and makes the directory if there is none.
    ///
    /// Opening never fails. If the directory cannot be made or written, that is logged, and the
    /// methods return the error until it can. Opening reads no entry, however many there are.
    pub fn open(directory: impl AsRef<Path>) -> Self {
        Self::options().open(directory)
    }

    /// Fails if a store in this directory could be opened, but would never work: there is no record
    /// of invalidations, and none can be made. Leaves nothing behind.
    pub(crate) fn check(directory: &Path) -> io::Result<()> {
        place::check(directory)
    }

    /// Returns whether there is no store in this directory, and nobody can make one.
    #[cfg(feature = "cli")]
    pub(crate) fn is_out_of_reach(directory: &Path) -> bool {
        place::check(directory).is_err_and(|error| record::is_unwritable(&error))
    }

    /// Returns the default options, to be changed.
    pub fn options() -> FileStoreOptions {
        FileStoreOptions(Bounds {
            entries: 100_000,
            bytes: 1 << 30,
        })
    }

    /// Does some work with files on a thread that may wait for them.
    fn call<'a, T: Send + 'static>(
        &'a self,
        what: &'static str,
        work: impl FnOnce(&Arc<Inner>) -> io::Result<T> + Send + 'static,
    ) -> StoreFuture<'a, T> {
        Box::pin(async move {
            let failed = || StoreError::new(format!("cannot {what}"));
            let done = match FileCall::begin(&self.inner) {
                None => Err(io::Error::other("too many calls wait for the disk")),
                Some(call) => match spawn_blocking(move || call.run(work)).await {
                    Ok(done) => done,
                    // The program is ending, which says nothing about the files.
                    Err(ended) if ended.is_cancelled() => return Err(failed().with_cause(ended)),
                    Err(panicked) => Err(io::Error::other(panicked)),
                },
            };
            done.map_err(|error| {
                self.inner.warn(&error);
                failed().with_cause(error)
            })
        })
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore")
            .field("directory", &self.inner.place.root())
            .field("bounds", &self.inner.shelves.bounds())
            .finish_non_exhaustive()
    }
}

impl Store for FileStore {
    fn read<'a>(&'a self, key: EntryKey<'a>, seen: Mark) -> StoreFuture<'a, Option<StoredEntry>> {
        let key = OwnedKey::from(key);
        self.call("read an entry", move |inner| {
            inner.read(key.borrowed(), seen)
        })
    }

    fn write<'a>(&'a self, key: EntryKey<'a>, entry: StoredEntry) -> StoreFuture<'a, bool> {
        let key = OwnedKey::from(key);
        self.call("write an entry", move |inner| {
            inner.write(key.borrowed(), &entry)
        })
    }

    fn remove<'a>(&'a self, key: EntryKey<'a>) -> StoreFuture<'a, ()> {
        let key = OwnedKey::from(key);
        self.call("remove an entry", move |inner| inner.remove(key.borrowed()))
    }

    fn invalidate<'a>(
        &'a self,
        tags: &'a [Tag],
        how: Invalidation,
        seen: Mark,
    ) -> StoreFuture<'a, Recorded> {
        let tags = tags.to_vec();
        self.call("record an invalidation", move |inner| {
            let recorded = inner.record.invalidate(&inner.place, &tags, how, seen)?;
            inner.refill();
            inner.look();
            Ok(recorded)
        })
    }

    fn invalidations(&self, seen: Mark, own: Option<Mark>) -> StoreFuture<'_, Invalidations> {
        self.call("read invalidations", move |inner| {
            let news = inner.record.since(&inner.place, seen, own)?;
            inner.refill();
            Ok(news)
        })
    }

    /// Resolves at most half a second after another process has recorded an invalidation.
    fn changed(&self) -> StoreFuture<'_, ()> {
        let heard = self.inner.news.heard();
        Box::pin(async move {
            let look = async {
                loop {
                    let look = |inner: &Arc<Inner>| {
                        inner.look();
                        Ok(())
                    };
                    self.call("look for invalidations", look).await.ok();
                    tokio::time::sleep(PAUSE).await;
                }
            };
            tokio::select! {
                () = heard => Ok(()),
                () = look => Ok(()),
            }
        })
    }
}

#[cfg(test)]
mod fuzzing;

#[cfg(all(test, feature = "testing"))]
mod tests;
