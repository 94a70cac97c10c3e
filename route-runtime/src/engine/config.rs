//! The parts of an engine, and its limits.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, thread};

use super::Clock;
use crate::store::{MemoryOptions, Store};

/// A unit of background work, such as one render with all that belongs to it.
pub(crate) type BackgroundTask = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A spawner, which runs tasks apart from the requests that caused them. So a client that hangs up,
/// or a worker that stops, cancels no render that other requests wait for.
///
/// A task may be dropped unfinished. The requests that waited for it ask again.
pub(crate) trait Spawn: Send + Sync + 'static {
    fn spawn(&self, task: BackgroundTask);
}

/// The runtime needs its timer enabled, and must outlive the workers.
impl Spawn for tokio::runtime::Handle {
    fn spawn(&self, task: BackgroundTask) {
        drop(tokio::runtime::Handle::spawn(self, task));
    }
}

/// The parts of an [`Engine`](super::Engine).
#[derive(Clone)]
pub(crate) struct EngineConfig {
    pub(crate) clock: Clock,
    pub(crate) spawn: Arc<dyn Spawn>,
    pub(crate) memory: MemoryOptions,
    pub(crate) limits: Limits,
    /// The store behind memory, if any.
    pub(crate) store: Option<Arc<dyn Store>>,
    /// The name of the build whose entries are read from and written to the store.
    pub(crate) build: Arc<str>,
    /// The bound on staleness: the longest time for which other instances may serve invalidated
    /// content.
    pub(crate) staleness: Duration,
    /// The treatment of content while the store cannot be asked whether it was invalidated.
    pub(crate) on_partition: OnPartition,
}

/// The treatment of content in memory while an instance has been cut off from the store for longer
/// than [`Routes::staleness_bound`]. Other instances may have invalidated the content.
///
/// [`Routes::staleness_bound`]: crate::Routes::staleness_bound
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnPartition {
    /// Serves the content, marked `detail=unverified` in `Cache-Status`. This is the default.
    #[default]
    Serve,
    /// Treats the content as absent, and renders it each time it is requested, until the store is
    /// back.
    Render,
}

/// The default of [`EngineConfig::staleness`].
pub(crate) const STALENESS: Duration = Duration::from_secs(1);
/// The default of [`Limits::store_read`].
pub(crate) const STORE_LIMIT: Duration = Duration::from_millis(50);

/// The default capacity of memory, in bytes.
pub(crate) const CAPACITY: u64 = 50_000_000;

impl EngineConfig {
    /// Makes a configuration with 50 MB of memory, the system's clock and no store.
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

impl fmt::Debug for EngineConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineConfig")
            .field("memory", &self.memory)
            .field("limits", &self.limits)
            .field("store", &self.store.is_some())
            .field("build", &self.build)
            .field("staleness", &self.staleness)
            .field("on_partition", &self.on_partition)
            .finish_non_exhaustive()
    }
}

/// The numbers of places for renders.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RenderPlaces {
    /// The places for renders that requests wait for. A render that gets none queues.
    pub(crate) renders: usize,
    /// The places for refreshes. An entry whose refresh gets none simply stays stale.
    pub(crate) refreshes: usize,
}

impl Default for RenderPlaces {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self {
            renders: 128,
            refreshes: 4 * cores,
        }
    }
}

/// The limits on what an engine does at once, and on how long it waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) places: RenderPlaces,
    /// The number of places for reads of the store behind memory. A read that gets none queues.
    pub(crate) reads: usize,
    /// The number of renders of one owner that may queue. Beyond it, requests are turned away.
    pub(crate) queue: usize,
    /// The longest time that a render may queue before its requests are turned away.
    pub(crate) queue_wait: Duration,
    /// The time after which a request that was turned away may be repeated.
    pub(crate) retry_after: Duration,
    /// The longest time that a request waits for the store behind memory.
    pub(crate) store_read: Duration,
    /// The longest time that a write to the store, or the record of an invalidation, may take.
    pub(crate) store_write: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            places: RenderPlaces::default(),
            reads: 64,
            queue: 1024,
            queue_wait: Duration::from_secs(10),
            retry_after: Duration::from_secs(1),
            store_read: STORE_LIMIT,
            store_write: Duration::from_secs(1),
        }
    }
}
