//! The places of files in the directory, and the locks that say whose turn it is.
//!
//! ```text
//! <directory>/v2/
//!   app/3f/3f…             a listed entry of the application
//!   app-other/3f/3f…       an entry of the application that is not listed
//!   b-<hash>/3f/3f…        a listed entry of a build
//!   b-<hash>-other/3f/3f…  an entry of a build that is not listed
//!   record                 invalidations
//!   mark                   the mark of the last invalidation
//!   reserve                1 MiB, removed to record an invalidation on a full disk
//!   locks/                 one file for the record, one for `tmp`, one for each first byte of a hash
//!   tmp/                   for each instance, a directory and a lock that says whether it is alive
//! ```
//!
//! An entry that was listed and no longer is, or the other way round, moves to the other directory:
//! it is written there first, and then removed here. If the process is killed in between, it is in
//! both, and the newer one counts. A reader that looks here before the first step and there after
//! the second one finds nothing, as if the store had forgotten the entry.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{io, thread};

use crate::store::random::random;
use crate::store::{EntryKey, StoredEntry};

/// The longest wait for a lock. A holder writes one file and then lets go of the lock.
const PATIENCE: Duration = Duration::from_millis(500);

/// The end of the name of a directory whose entries are not listed.
const OTHER: &str = "-other";

/// A part of the entries, which has directories of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The entries that the program lists.
    Listed,
    /// All other entries, of which requests can make as many as they like.
    Other,
}

impl Part {
    pub(super) const ALL: [Self; 2] = [Self::Listed, Self::Other];

    pub(super) fn of(entry: &StoredEntry) -> Self {
        match entry.listed {
            true => Self::Listed,
            false => Self::Other,
        }
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::Listed => Self::Other,
            Self::Other => Self::Listed,
        }
    }
}

#[derive(Debug)]
pub(super) struct StoreDirectory {
    root: PathBuf,
    workshop: Mutex<Option<Workshop>>,
    files: AtomicU64,
    /// The number of writes after which this process counts as killed.
    #[cfg(test)]
    pub(super) steps: AtomicU64,
    /// The number of bytes that fit on the disk.
    #[cfg(test)]
    pub(super) room: AtomicU64,
}

/// The directory in which this instance writes files before they are moved to their places.
#[derive(Debug)]
struct Workshop {
    path: PathBuf,
    /// The file that is locked for as long as this instance lives. An instance that can lock it may
    /// clear up after this one.
    sign: File,
}

impl StoreDirectory {
    pub(super) fn new(directory: &Path) -> Self {
        Self {
            root: directory.join("v2"),
            workshop: Mutex::default(),
            files: AtomicU64::new(0),
            #[cfg(test)]
            steps: AtomicU64::new(u64::MAX),
            #[cfg(test)]
            room: AtomicU64::new(u64::MAX),
        }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the directory of the version before this one.
    pub(super) fn older(&self) -> PathBuf {
        self.root.with_file_name("v1")
    }

    pub(super) fn record(&self) -> PathBuf {
        self.root.join("record")
    }

    pub(super) fn reserve(&self) -> PathBuf {
        self.root.join("reserve")
    }

    pub(super) fn mark(&self) -> PathBuf {
        self.root.join("mark")
    }

    /// Marks a point before a write, at which the disk of a test may be full.
    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as in tests")]
    pub(super) fn fits(&self, _bytes: usize) -> io::Result<()> {
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn fits(&self, bytes: usize) -> io::Result<()> {
        let room = self.room.load(Ordering::SeqCst);
        let is_full = room < u64::MAX && used(&self.root) + bytes as u64 > room;
        match is_full {
            true => Err(io::ErrorKind::StorageFull.into()),
            false => Ok(()),
        }
    }

    /// Marks a point before a write, at which a test can end the process.
    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as in tests")]
    pub(super) fn step(&self) -> io::Result<()> {
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn step(&self) -> io::Result<()> {
        let less = |left: u64| left.checked_sub(1);
        let taken = self
            .steps
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
        taken
            .map(drop)
            .map_err(|_| io::Error::other("killed by a test"))
    }

    /// Returns the path of an entry in a part. Only hashes make the path, so no key can name another
    /// place.
    pub(super) fn entry(&self, key: EntryKey<'_>, part: Part) -> PathBuf {
        let name = blake3::hash(key.name.as_bytes()).to_hex();
        let mut scope = match key.build {
            None => "app".to_owned(),
            Some(build) => format!("b-{}", &blake3::hash(build.as_bytes()).to_hex()[..32]),
        };
        if part == Part::Other {
            scope.push_str(OTHER);
        }
        let mut path = self.root.join(scope);
        path.push(&name[..2]);
        path.push(name.as_str());
        path
    }

    /// Returns the directories that hold entries, each with its part: those of the application and
    /// those of each build. A file with the name of such a directory is returned, too.
    pub(super) fn scopes(&self) -> io::Result<Vec<(Part, PathBuf)>> {
        let mut scopes = Vec::new();
        for scope in fs::read_dir(&self.root)? {
            let scope = scope?;
            let name = scope.file_name();
            let name = name.to_string_lossy();
            let (name, part) = match name.strip_suffix(OTHER) {
                Some(name) => (name, Part::Other),
                None => (&*name, Part::Listed),
            };
            if name == "app" || name.starts_with("b-") {
                scopes.push((part, scope.path()));
            }
        }
        Ok(scopes)
    }

    /// Takes a lock. Waits, but not long, while another holder has it.
    pub(super) fn lock(&self, name: &str) -> io::Result<File> {
        let path = self.root.join("locks").join(name);
        let file = made(&path, || {
            File::options().create(true).append(true).open(&path)
        })?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    // A file's lock cannot be waited for with a limit.
                    thread::sleep(Duration::from_millis(1));
                }
                Err(TryLockError::WouldBlock) => {
                    let what = format!("another process holds {} for long", path.display());
                    return Err(io::Error::new(io::ErrorKind::TimedOut, what));
                }
            }
        }
    }

    /// Locks an entry, together with all whose hashes begin with the same byte.
    pub(super) fn lock_entry(&self, entry: &Path) -> io::Result<File> {
        let name = entry.file_name().unwrap_or_default().to_string_lossy();
        self.lock(&name[..2])
    }

    /// Writes a file that [`Draft::publish`] moves to its place.
    pub(super) fn draft(&self, content: &[u8]) -> io::Result<Draft> {
        let mut workshop = self.workshop.lock().unwrap_or_else(PoisonError::into_inner);
        if workshop.as_ref().is_none_or(|it| !it.path.is_dir()) {
            *workshop = Some(self.open_workshop()?);
        }
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        let path = workshop
            .as_ref()
            .map(|it| it.path.join(number.to_string()))
            .unwrap_or_default();
        drop(workshop);
        self.fits(content.len())?;
        let draft = Draft(path);
        fs::write(&draft.0, content)?;
        Ok(draft)
    }

    /// Clears up after instances that were killed, and makes a directory for this one's drafts.
    pub(super) fn open(&self) -> io::Result<()> {
        let mut workshop = self.workshop.lock().unwrap_or_else(PoisonError::into_inner);
        if workshop.is_none() {
            *workshop = Some(self.open_workshop()?);
        }
        Ok(())
    }

    fn open_workshop(&self) -> io::Result<Workshop> {
        // Locked so that nobody clears up a sign that is only about to be locked.
        let _lock = self.lock("tmp")?;
        let tmp = self.root.join("tmp");
        fs::create_dir_all(&tmp)?;
        for sign in fs::read_dir(&tmp)? {
            let sign = sign?.path();
            if sign.extension().is_some_and(|it| it == "lock")
                && File::open(&sign).is_ok_and(|file| file.try_lock().is_ok())
            {
                // The sign goes last: without it, the directory would not be found again.
                if discard(&sign.with_extension("")) {
                    fs::remove_file(&sign).ok();
                }
            }
        }
        let path = tmp.join(random());
        let sign = File::create(path.with_extension("lock"))?;
        sign.try_lock()?;
        fs::create_dir(&path)?;
        Ok(Workshop { path, sign })
    }
}

impl Drop for StoreDirectory {
    fn drop(&mut self) {
        let workshop = self
            .workshop
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(Workshop { path, sign }) = workshop.take()
            && discard(&path)
        {
            fs::remove_file(path.with_extension("lock")).ok();
            drop(sign);
        }
    }
}

/// Returns the bytes of a directory and everything below it.
#[cfg(test)]
pub(super) fn used(directory: &Path) -> u64 {
    let files = fs::read_dir(directory).into_iter().flatten().flatten();
    let used = files.map(|file| match file.metadata() {
        Ok(metadata) if metadata.is_dir() => used(&file.path()),
        metadata => metadata.map_or(0, |metadata| metadata.len()),
    });
    used.sum()
}

/// Checks a directory for [`FileStore::check`](super::FileStore::check).
pub(super) fn check(directory: &Path) -> io::Result<()> {
    let place = StoreDirectory::new(directory);
    match File::open(place.record()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened.map(drop),
    }
    let mut there = place.root.ancestors().filter(|it| it.exists());
    // The last ancestor of a relative path is empty, and means the current directory.
    let there = there.next().unwrap_or(Path::new("."));
    let attempt = there.join(random());
    fs::create_dir(&attempt)?;
    fs::remove_dir(attempt)
}

fn discard(directory: &Path) -> bool {
    match fs::remove_dir_all(directory) {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// A file that is whole but not yet in its place. Dropping the draft removes the file.
#[derive(Debug)]
pub(super) struct Draft(PathBuf);

impl Draft {
    /// Moves the file to its place atomically, whatever is there.
    pub(super) fn publish(self, place: &Path) -> io::Result<()> {
        made(place, || fs::rename(&self.0, place))?;
        std::mem::forget(self);
        Ok(())
    }

    /// Waits until the file's content is on the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        fs::remove_file(&self.0).ok();
    }
}

/// Does something with a file. If the file's directory is missing, makes it and tries again.
///
/// It may try several times, because a sweep may remove a directory that has just been made and is
/// still empty.
pub(super) fn made<T>(file: &Path, act: impl Fn() -> io::Result<T>) -> io::Result<T> {
    let mut done = act();
    for _ in 0..10 {
        match (&done, file.parent()) {
            (Err(error), Some(parent)) if error.kind() == io::ErrorKind::NotFound => {
                match fs::create_dir_all(parent) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => done = act(),
                }
            }
            _ => break,
        }
    }
    done
}
