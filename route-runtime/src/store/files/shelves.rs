//! The bounds of the files, kept by removing the oldest first. Files that requests can make any
//! number of have bounds of their own.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use std::{fs, io};

use super::place::{Part, StoreDirectory};

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

    /// Returns the bounds of the entries that are not listed.
    fn other(self) -> Self {
        Self {
            entries: self.entries / 2,
            bytes: self.bytes / 2,
        }
    }

    fn part(self, parts: u64, of: u64) -> Self {
        let part = |all: u64| all - all / of * (of - parts);
        Self {
            entries: part(self.entries),
            bytes: part(self.bytes),
        }
    }

    /// Returns the room that `used` leaves.
    fn less(self, used: Self) -> Self {
        Self {
            entries: self.entries.saturating_sub(used.entries),
            bytes: self.bytes.saturating_sub(used.bytes),
        }
    }

    fn min(self, other: Self) -> Self {
        Self {
            entries: self.entries.min(other.entries),
            bytes: self.bytes.min(other.bytes),
        }
    }

    fn holds(self, used: Self) -> bool {
        used.entries <= self.entries && used.bytes <= self.bytes
    }

    /// Takes the room of one entry, if more than that is left.
    fn take(&mut self, bytes: u64) -> bool {
        let has_room = self.entries > 0 && self.bytes > bytes;
        if has_room {
            self.entries -= 1;
            self.bytes -= bytes;
        }
        has_room
    }
}

/// The bounds, and how much may still be written before a sweep.
#[derive(Debug)]
pub(super) struct Shelves {
    bounds: Bounds,
    /// The room that is left before the next sweep; `None` until the first one.
    left: Mutex<Option<Left>>,
    sweeping: Arc<AtomicBool>,
}

/// The room that is left before the next sweep.
#[derive(Debug)]
struct Left {
    /// The room for all entries together.
    all: Bounds,
    /// The room for entries that are not listed.
    other: Bounds,
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
    pub(super) fn wrote(&self, part: Part, bytes: u64) -> Option<SweepTurn> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(left) = &mut *left
            && left.all.take(bytes)
            && (part == Part::Listed || left.other.take(bytes))
        {
            return None;
        }
        let free = !self.sweeping.swap(true, Ordering::AcqRel);
        free.then(|| SweepTurn(Arc::clone(&self.sweeping)))
    }

    /// Looks at all files, and removes the oldest of those that exceed nine tenths of their bounds.
    /// Listed entries may use all the room, and other entries half of it, as far as listed entries
    /// leave that. So what requests make displaces nothing that the program lists. Then it removes
    /// directories that have been empty for long, such as those of old builds.
    ///
    /// Half of the room that is left may be filled before the next sweep, because another process
    /// may be filling the other half.
    pub(super) fn sweep(&self, place: &StoreDirectory) -> io::Result<()> {
        let swept = self.remove_excess(place);
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(Swept { listed, other }) = swept {
            let half = |room: Bounds| Bounds {
                entries: room.entries / 2,
                bytes: room.bytes / 2,
            };
            *left = Some(Left {
                all: half(self.bounds.less(listed).less(other)),
                other: half(self.bounds.other().less(other)),
            });
        }
        swept.map(drop)
    }

    fn remove_excess(&self, place: &StoreDirectory) -> io::Result<Swept> {
        let before = |age| SystemTime::now().checked_sub(age);
        let oldest = before(LONGEST);
        let scopes = place.scopes()?;
        // A path that cannot be listed was removed meanwhile, or is not ours.
        let inside = |directory: &Path| fs::read_dir(directory).into_iter().flatten().flatten();
        let mut shelves: Vec<PathBuf> = Vec::new();
        let (mut files, mut others) = (Vec::new(), Vec::new());
        for (part, scope) in &scopes {
            let first = shelves.len();
            shelves.extend(inside(scope).map(|shelf| shelf.path()));
            for file in shelves[first..].iter().flat_map(|shelf| inside(shelf)) {
                let Ok(metadata) = file.metadata() else {
                    continue;
                };
                let written = metadata.modified()?;
                if Some(written) < oldest {
                    fs::remove_file(file.path()).ok();
                } else if metadata.is_file() {
                    let files = match part {
                        Part::Listed => &mut files,
                        Part::Other => &mut others,
                    };
                    files.push((written, metadata.len(), file.path()));
                }
            }
        }
        let most = self.bounds.part(9, 10);
        let listed = remove_oldest(files, most, self.bounds.part(8, 10))?;
        let most = self.bounds.other().part(9, 10).min(most.less(listed));
        let other = remove_oldest(others, most, most.part(8, 9))?;
        for shelf in &shelves {
            let changed = fs::metadata(shelf).and_then(|shelf| shelf.modified());
            if changed.is_ok_and(|changed| Some(changed) < before(EMPTY)) {
                // Fails if the directory is not empty, as does the removal below.
                fs::remove_dir(shelf).ok();
            }
        }
        for (_, scope) in &scopes {
            fs::remove_dir(scope).ok();
        }
        Ok(Swept { listed, other })
    }
}

/// The entries and bytes that a sweep has left, by part.
struct Swept {
    listed: Bounds,
    other: Bounds,
}

/// Removes the oldest files if all together exceed `most`, until they are within `kept`. Returns the
/// number and the bytes of the files that are left.
fn remove_oldest(
    mut files: Vec<(SystemTime, u64, PathBuf)>,
    most: Bounds,
    kept: Bounds,
) -> io::Result<Bounds> {
    let mut left = Bounds {
        entries: files.len() as u64,
        bytes: files.iter().map(|(_, length, _)| length).sum(),
    };
    if most.holds(left) {
        return Ok(left);
    }
    files.sort_unstable();
    for (_, length, path) in files {
        if kept.holds(left) {
            break;
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {
                left.entries -= 1;
                left.bytes -= length;
            }
        }
    }
    Ok(left)
}
