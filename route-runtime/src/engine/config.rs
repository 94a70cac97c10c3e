//! What an engine is made of, and its bounds.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, thread};

use super::Clock;
use crate::store::{MemoryOptions, Store};

/// A unit of background work: one render with what belongs to it.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs tasks apart from the requests that caused them, so that a client that hangs up, or a
/// worker that stops, cancels nobody else's render.
///
/// A task may be dropped unfinished: whoever waited for it asks again.
pub(crate) trait Spawn: Send + Sync + 'static {
    fn spawn(&self, task: Task);
}

/// The runtime needs its timer enabled, and must outlive the workers.
impl Spawn for tokio::runtime::Handle {
    fn spawn(&self, task: Task) {
        drop(tokio::runtime::Handle::spawn(self, task));
    }
}

/// The parts of an [`Engine`](super::Engine).
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) clock: Clock,
    pub(crate) spawn: Arc<dyn Spawn>,
    pub(crate) memory: MemoryOptions,
    pub(crate) limits: Limits,
    /// What stands behind memory, if anything.
    pub(crate) store: Option<Arc<dyn Store>>,
    /// Names the build whose entries are read from and written to the store.
    pub(crate) build: Arc<str>,
    /// How long others may serve what was invalidated.
    pub(crate) staleness: Duration,
    /// What is done with content while the store cannot be asked whether it still holds.
    pub(crate) on_partition: OnPartition,
}

/// What an instance does with what it has in memory while it has been cut off from the store for
/// longer than [`Routes::staleness_bound`]: others may have invalidated it.
///
/// [`Routes::staleness_bound`]: crate::Routes::staleness_bound
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnPartition {
    /// Serves it, marked `detail=unverified` in `Cache-Status`. The default.
    #[default]
    Serve,
    /// Takes it for absent and renders, each time it is asked for, until the store is back.
    Render,
}

/// Where nothing else is said.
pub(crate) const STALENESS: Duration = Duration::from_secs(1);
/// Likewise.
pub(crate) const STORE_LIMIT: Duration = Duration::from_millis(50);

/// How many bytes of memory, likewise.
pub(crate) const CAPACITY: u64 = 50_000_000;

impl Config {
    /// Memory of 50 MB, the system's clock, no store behind.
    pub(crate) fn new(spawn: impl Spawn) -> Self {
        Self {
            clock: Clock::system(),
            spawn: Arc::new(spawn),
            memory: MemoryOptions::with_capacity(CAPACITY),
            limits: Limits::default(),
            store: None,
            build: Arc::from(""),
            staleness: STALENESS,
            on_partition: OnPartition::Serve,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("memory", &self.memory)
            .field("limits", &self.limits)
            .field("store", &self.store.is_some())
            .field("build", &self.build)
            .field("staleness", &self.staleness)
            .field("on_partition", &self.on_partition)
            .finish_non_exhaustive()
    }
}

/// How much an engine does at once, and how long it waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Refreshes at once. Beyond, entries simply stay stale.
    pub(crate) refreshes: usize,
    /// Renders at once that requests wait for. Beyond, renders queue.
    pub(crate) renders: usize,
    /// Renders that may queue. Beyond, requests are turned away.
    pub(crate) queue: usize,
    /// How long a render may queue before its requests are turned away.
    pub(crate) queue_wait: Duration,
    /// When those turned away are told to come back.
    pub(crate) retry_after: Duration,
    /// How long a request waits for the store behind memory.
    pub(crate) store_read: Duration,
    /// How long a write to it, or the record of an invalidation, may take.
    pub(crate) store_write: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self {
            refreshes: 4 * cores,
            renders: 64,
            queue: 1024,
            queue_wait: Duration::from_secs(10),
            retry_after: Duration::from_secs(1),
            store_read: STORE_LIMIT,
            store_write: Duration::from_secs(1),
        }
    }
}
