//! The contract of [`Store`], as tests that every store must pass.
//!
//! [`suite`] is for all stores. [`leases`] is for stores that have leases, [`changes`] is for stores
//! that report the invalidations of other instances, and [`losses`] is for stores that may come back
//! with less than they had. Each function panics with a sentence that names the clause that is
//! broken.
//!
//! Each function takes another one that opens a store by name. A name that was not opened before
//! is an empty store. A name that is opened again is another instance of that store, which shares
//! what the first one keeps, as another process would. Each store needs room for 16 MiB. The
//! functions need a tokio runtime with its timer, preferably with several threads.
//!
//! ```
//! use std::collections::HashMap;
//! use std::sync::{Arc, Mutex};
//! use route_runtime::store::MemoryStore;
//! use route_runtime::testing::store;
//!
//! # #[tokio::main]
//! # async fn main() {
//! let stores = Mutex::new(HashMap::<String, Arc<MemoryStore>>::new());
//! let open = async |name: &str| {
//!     let make = || Arc::new(MemoryStore::new(64 * 1024 * 1024));
//!     Arc::clone(stores.lock().unwrap().entry(name.to_owned()).or_insert_with(make))
//! };
//! store::leases(open).await;
//! # }
//! ```

mod entries;
mod invalidations;
mod keys;
mod lease;
mod losses;
mod storm;

use std::error::Error;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::store::{
    EntryKey, Invalidation, Invalidations, Lease, LeaseToken, Mark, Recorded, Store, StoreError,
    StoredEntry, Tag,
};

/// Checks everything that the contract asks of every store.
///
/// # Panics
///
/// When the store breaks its contract, or when a method fails.
pub async fn suite<S: Store>(open: impl AsyncFn(&str) -> S) {
    entries::exact(&one(&open, "exact").await).await;
    entries::newer_wins(&one(&open, "newer").await).await;
    entries::removed(&one(&open, "removed").await).await;
    entries::shared(&one(&open, "shared").await, &one(&open, "shared").await).await;
    keys::distinct(&one(&open, "keys").await).await;
    invalidations::state(&one(&open, "state").await).await;
    losses::marks(&one(&open, "marks").await).await;
    losses::too_old(&open).await;
    let two = [one(&open, "storm").await, one(&open, "storm").await];
    storm::whole_and_newest(&two).await;
    let two = [one(&open, "numbers").await, one(&open, "numbers").await];
    invalidations::numbered(&two).await;
    invalidations::many(&one(&open, "many").await).await;
    let first = one(&open, "again").await;
    let before = invalidations::recorded(&first).await;
    drop(first);
    invalidations::outlived(&one(&open, "again").await, &before).await;
}

/// Checks a store's leases: each has one holder at a time, until it is given back or expires.
///
/// This is not for a store that only one process uses: the provided methods grant every lease to
/// everyone.
///
/// # Panics
///
/// When two callers hold one lease, when a holder cannot give its lease back, when another can give
/// it back, when a lease outlives its length, when a lease cannot be renewed by its holder or can be
/// by another, or when a method fails.
pub async fn leases<S: Store>(open: impl AsyncFn(&str) -> S) {
    let two = [one(&open, "leases").await, one(&open, "leases").await];
    lease::one_holder(&two).await;
    lease::run_out(&two).await;
    lease::contended(&two).await;
    lease::renewed(&two).await;
}

/// Checks that [`Store::changed`] resolves when another instance has recorded an invalidation.
///
/// This is not for a store that only one process uses: there, [`Store::changed`] never resolves.
///
/// # Panics
///
/// When an instance does not learn of an invalidation within ten seconds, or when a method fails.
pub async fn changes<S: Store>(open: impl AsyncFn(&str) -> S) {
    let [here, there] = [one(&open, "changes").await, one(&open, "changes").await];
    invalidations::told(&here, &there).await;
}

/// A change of a store that [`losses`] asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The store is remembered as it is, with its entries and its record.
    Remember,
    /// The store comes back as it was remembered.
    ComeBack,
    /// The store loses everything.
    Empty,
}

/// Checks that nothing invalidated comes back when a store loses invalidations, and that everything
/// counts as invalidated only then.
///
/// `lose` changes the store of a name, under the instances that have it open.
///
/// # Panics
///
/// When content that was invalidated can be read or written again, when the numbers do not rise above
/// those that were lost, when the floors rise for nothing, or when a method fails.
pub async fn losses<S: Store>(open: impl AsyncFn(&str) -> S, lose: impl AsyncFn(&str, Loss)) {
    losses::histories(&open, &lose).await;
}

async fn one<S: Store>(open: &impl AsyncFn(&str) -> S, name: &str) -> Checked<S> {
    Checked(Arc::new(open(name).await))
}

/// A store whose methods must not fail.
struct Checked<S>(Arc<S>);

impl<S> Clone for Checked<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Store> Checked<S> {
    /// Reads as an instance that has just started.
    async fn read(&self, key: EntryKey<'_>) -> Option<StoredEntry> {
        self.read_as(key, Mark::START).await
    }

    async fn read_as(&self, key: EntryKey<'_>, seen: Mark) -> Option<StoredEntry> {
        done("read", self.0.read(key, seen).await)
    }

    async fn write(&self, key: EntryKey<'_>, entry: StoredEntry) {
        assert!(
            self.take(key, entry).await,
            "entries: a write is taken if its render began at a mark that the store knows"
        );
    }

    /// Writes an entry. Returns whether the store takes it.
    async fn take(&self, key: EntryKey<'_>, entry: StoredEntry) -> bool {
        done("write", self.0.write(key, entry).await)
    }

    async fn remove(&self, key: EntryKey<'_>) {
        done("remove", self.0.remove(key).await);
    }

    async fn invalidate(&self, tags: &[Tag], how: Invalidation) -> Recorded {
        self.invalidate_as(tags, how, Mark::START).await
    }

    async fn invalidate_as(&self, tags: &[Tag], how: Invalidation, seen: Mark) -> Recorded {
        done("invalidate", self.0.invalidate(tags, how, seen).await)
    }

    /// Returns this many marks, from the start on.
    async fn marks(&self, count: usize) -> Vec<Mark> {
        let mut marks = vec![Mark::START];
        while marks.len() < count {
            marks.push(self.invalidate(&[], Invalidation::Absent).await.mark);
        }
        marks
    }

    async fn since(&self, seen: Mark) -> Invalidations {
        done("invalidations", self.0.invalidations(seen, None).await)
    }

    async fn since_own(&self, seen: Mark, own: Mark) -> Invalidations {
        done("invalidations", self.0.invalidations(seen, Some(own)).await)
    }

    async fn lease(&self, key: EntryKey<'_>, length: Duration) -> Lease {
        done("lease", self.0.lease(key, length).await)
    }

    async fn renew(&self, key: EntryKey<'_>, token: LeaseToken, length: Duration) -> bool {
        done("renew", self.0.renew(key, token, length).await)
    }

    async fn release(&self, key: EntryKey<'_>, token: LeaseToken) {
        done("release", self.0.release(key, token).await);
    }
}

/// Returns a method's answer, or panics with everything that its error says.
fn done<T>(method: &str, answer: Result<T, StoreError>) -> T {
    answer.unwrap_or_else(|error| {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            write!(text, ": {error}").expect("a string takes everything");
            cause = error.source();
        }
        panic!("`{method}` fails in a store that should work: {text}")
    })
}

/// Makes the key of a page of some build.
fn page(name: &str) -> EntryKey<'_> {
    EntryKey {
        build: Some("build-1"),
        name,
    }
}

/// Makes an entry whose render began at the mark `started` and finished `age` seconds ago.
fn entry(body: &[u8], started: Mark, age: u64) -> StoredEntry {
    StoredEntry {
        body: Arc::from(body),
        created: now() - Duration::from_secs(age),
        started,
        revalidate: None,
        expire: None,
        tags: Arc::from([Tag::from("t")]),
        listed: true,
    }
}

/// Returns about the current time, with a fraction of a second that shows when a store rounds it.
fn now() -> SystemTime {
    let now = SystemTime::now();
    let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs());
    UNIX_EPOCH + Duration::from_secs(seconds) - Duration::from_nanos(456_543_211)
}

#[cfg(test)]
mod tests;
