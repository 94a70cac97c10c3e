//! The bounds of the files, kept by removing the oldest first.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use std::{fs, io};

use super::place::StoreDirectory;

/// The longest time that an entry is kept without being written.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

/// The time that a directory has to be empty before it is removed: somebody may be about to fill
/// it.
const EMPTY: Duration = Duration::from_secs(3600);

/// The numbers of entries and bytes that must not be exceeded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) entries: u64,
    pub(super) bytes: u64,
}

impl Bounds {
    /// Returns the size of the largest entry that is kept. One entry must not push out nearly all
    /// others.
    pub(super) fn largest(self) -> u64 {
        self.bytes / 4
    }

    fn part(self, parts: u64, of: u64) -> Self {
        let part = |all: u64| all - all / of * (of - parts);
        Self {
            entries: part(self.entries),
            bytes: part(self.bytes),
        }
    }

    fn holds(self, entries: u64, bytes: u64) -> bool {
        entries <= self.entries && bytes <= self.bytes
    }
}

/// The bounds, and how much may still be written before a sweep.
#[derive(Debug)]
pub(super) struct Shelves {
    bounds: Bounds,
    /// The room that is left before the next sweep; `None` until the first one.
    left: Mutex<Option<Bounds>>,
    sweeping: Arc<AtomicBool>,
}

/// The turn to sweep. Nobody else has it until the holder drops it, whether the holder has swept or
/// could not.
#[derive(Debug)]
#[must_use]
pub(super) struct SweepTurn(Arc<AtomicBool>);

impl Drop for SweepTurn {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Shelves {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            left: Mutex::new(None),
            sweeping: Arc::default(),
        }
    }

    pub(super) fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Counts a write of this many bytes. Returns the turn to [`sweep`](Self::sweep) if it is time.
    pub(super) fn wrote(&self, bytes: u64) -> Option<SweepTurn> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *left {
            Some(left) if left.entries > 0 && left.bytes > bytes => {
                left.entries -= 1;
                left.bytes -= bytes;
                None
            }
            _ => {
                let free = !self.sweeping.swap(true, Ordering::AcqRel);
                free.then(|| SweepTurn(Arc::clone(&self.sweeping)))
            }
        }
    }

    /// Looks at all files, and removes the oldest if they exceed nine tenths of the bounds. Then it
    /// removes directories that have been empty for long, such as those of old builds.
    ///
    /// Half of the room that is left may be filled before the next sweep, because another process
    /// may be filling the other half.
    pub(super) fn sweep(&self, place: &StoreDirectory) -> io::Result<()> {
        let swept = self.remove_excess(place);
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok((entries, bytes)) = swept {
            *left = Some(Bounds {
                entries: self.bounds.entries.saturating_sub(entries) / 2,
                bytes: self.bounds.bytes.saturating_sub(bytes) / 2,
            });
        }
        swept.map(drop)
    }

    fn remove_excess(&self, place: &StoreDirectory) -> io::Result<(u64, u64)> {
        let before = |age| SystemTime::now().checked_sub(age);
        let oldest = before(LONGEST);
        let scopes = place.scopes()?;
        // A path that cannot be listed was removed meanwhile, or is not ours.
        let listed = |directory: &PathBuf| fs::read_dir(directory).into_iter().flatten().flatten();
        let scopes: Vec<PathBuf> = scopes.into_iter().map(|(_, scope)| scope).collect();
        let shelves = scopes.iter().flat_map(listed).map(|shelf| shelf.path());
        let shelves: Vec<PathBuf> = shelves.collect();
        let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        for file in shelves.iter().flat_map(listed) {
            let Ok(metadata) = file.metadata() else {
                continue;
            };
            let written = metadata.modified()?;
            if Some(written) < oldest {
                fs::remove_file(file.path()).ok();
            } else if metadata.is_file() {
                files.push((written, metadata.len(), file.path()));
            }
        }
        let mut entries = files.len() as u64;
        let mut bytes = files.iter().map(|(_, length, _)| length).sum();
        if !self.bounds.part(9, 10).holds(entries, bytes) {
            let kept = self.bounds.part(8, 10);
            files.sort_unstable();
            for (_, length, path) in files {
                if kept.holds(entries, bytes) {
                    break;
                }
                match fs::remove_file(path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {
                        entries -= 1;
                        bytes -= length;
                    }
                }
            }
        }
        for shelf in &shelves {
            let changed = fs::metadata(shelf).and_then(|shelf| shelf.modified());
            if changed.is_ok_and(|changed| Some(changed) < before(EMPTY)) {
                // Fails if the directory is not empty, as does the removal below.
                fs::remove_dir(shelf).ok();
            }
        }
        for scope in &scopes {
            fs::remove_dir(scope).ok();
        }
        Ok((entries, bytes))
    }
}
