//! The room that is kept for invalidations.
//!
//! A disk that is full must not refuse an invalidation because the entries of this very store fill
//! it. So a file of 1 MiB is kept in reserve, which is removed to record an invalidation. Then the
//! oldest entries are removed, first those that are not listed, until there is a reserve again.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, io};

use super::place::{Part, StoreDirectory};

/// The bytes of the reserve, and the least that is removed to make room for an entry.
pub(super) const RESERVE: usize = 1 << 20;

/// Returns whether an error says that there is no room for what was written.
pub(super) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded)
}

/// Makes the reserve if there is none. Does not make room for it.
pub(super) fn keep(place: &StoreDirectory) -> io::Result<()> {
    if place.reserve().exists() {
        return Ok(());
    }
    // A file system that compresses would give zeros no room.
    let mut content = vec![0; RESERVE];
    blake3::Hasher::new().finalize_xof().fill(&mut content);
    place.draft(&content)?.publish(&place.reserve())
}

/// Writes something that must not fail because the disk is full. Gives up the reserve for it, or the
/// oldest entries if there is no reserve. Returns also whether it did.
pub(super) fn write<T>(
    place: &StoreDirectory,
    write: impl Fn() -> io::Result<T>,
) -> io::Result<(T, bool)> {
    let mut oldest = None;
    let mut gave_up = false;
    loop {
        match write() {
            Err(error) if is_full(&error) => {
                gave_up = true;
                if fs::remove_file(place.reserve()).is_err()
                    && !remove(oldest.get_or_insert_with(|| entries(place)), RESERVE as u64)
                {
                    return Err(error);
                }
            }
            written => return written.map(|written| (written, gave_up)),
        }
    }
}

/// Removes the oldest entries, of at least so many bytes, and further ones until there is a reserve.
/// Does nothing more if there is no entry left.
pub(super) fn make_room(place: &StoreDirectory, bytes: u64) -> io::Result<()> {
    let mut oldest = None;
    if bytes > 0 {
        remove(oldest.insert(entries(place)), bytes);
    }
    loop {
        match keep(place) {
            Err(error)
                if is_full(&error)
                    && remove(oldest.get_or_insert_with(|| entries(place)), RESERVE as u64) => {}
            done => return done,
        }
    }
}

/// Returns all entries, each with its length: those that are not listed first, and of each part the
/// oldest first.
fn entries(place: &StoreDirectory) -> VecDeque<(u64, PathBuf)> {
    // A path that cannot be listed was removed meanwhile, or is not ours.
    let listed = |directory: &Path| fs::read_dir(directory).into_iter().flatten().flatten();
    let mut entries: Vec<(bool, SystemTime, u64, PathBuf)> = Vec::new();
    for (part, scope) in place.scopes().unwrap_or_default() {
        for file in listed(&scope).flat_map(|shelf| listed(&shelf.path())) {
            if let Ok(metadata) = file.metadata()
                && metadata.is_file()
                && let Ok(written) = metadata.modified()
            {
                let is_listed = part == Part::Listed;
                entries.push((is_listed, written, metadata.len(), file.path()));
            }
        }
    }
    entries.sort_unstable();
    let entries = entries.into_iter();
    entries.map(|(.., length, path)| (length, path)).collect()
}

/// Removes entries of at least this many bytes. Returns whether there was one to remove.
fn remove(oldest: &mut VecDeque<(u64, PathBuf)>, bytes: u64) -> bool {
    let (mut removed, mut freed) = (false, 0);
    while freed < bytes
        && let Some((length, path)) = oldest.pop_front()
    {
        if fs::remove_file(path).is_ok() {
            removed = true;
            // However short a file is, it has a block of its own.
            freed += length.max(4096);
        }
    }
    removed
}
