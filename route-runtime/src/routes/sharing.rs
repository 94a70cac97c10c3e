//! The settings of the store behind the memory of this process, one method for each.

use std::sync::Arc;
use std::time::Duration;

use super::Routes;
use crate::engine::OnPartition;
use crate::store::Store;
use crate::target;

impl Routes {
    /// Puts a store behind memory. The store shares rendered responses and invalidations with other
    /// instances that have the same store, and with the next run of this program.
    ///
    /// Memory always comes first, and a response found there costs no round trip. A response that
    /// is not in memory is looked for in the store. If the store does not have it either, it is
    /// rendered, by one instance at a time if the store has leases. Once a `revalidate_*` has
    /// resolved, every request that begins later on the same instance gets a response that is
    /// rendered after it. On another instance this holds for every request that begins later than
    /// the [staleness bound](Self::staleness_bound).
    ///
    /// Responses are found by their path. So only instances of one app may share a store: instances
    /// with the same routes and the same data. Another app, or another table in this program, needs
    /// a store of its own, or its own database or prefix in a Redis.
    ///
    /// A store that fails delays no request by more than 50 ms
    /// ([`store_limit`](Self::store_limit)). While it is known to be away, it delays none at all:
    /// each instance renders for itself what is not in memory, and a `revalidate_*` that could not
    /// be recorded returns an error. [`OnPartition`] says what happens to the responses in memory
    /// meanwhile. Before the store is used again, the instance catches up with the invalidations
    /// that it missed.
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::Arc;
    /// use actix_web::{App, test};
    /// use route_runtime::store::MemoryStore;
    /// use route_runtime::{Mode, Routes, RoutesError, route};
    ///
    /// #[route("/forecast")]
    /// async fn forecast() -> &'static str {
    ///     "computed by one of many"
    /// }
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), RoutesError> {
    /// let store = Arc::new(MemoryStore::new(1_000_000));
    /// let instance = || {
    ///     let routes = Routes::from_iter([forecast::ROUTE])?.mode(Mode::Production);
    ///     Ok::<_, RoutesError>(routes.store(Arc::clone(&store)))
    /// };
    /// let (one, two) = (instance()?, instance()?);
    /// one.ready().await?; // Renders ahead.
    /// two.ready().await?; // Finds the response in the store.
    /// assert_eq!((two.stats().renders, two.stats().adopted), (0, 1));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    #[track_caller]
    pub fn store(mut self, store: impl Store) -> Self {
        self.served.setup.sharing.store = Some(Arc::new(store));
        Self::of(self.served.setup)
    }

    /// Names the build of the program. Instances share rendered responses only within one build.
    /// Invalidations and data are shared by all builds of the app.
    ///
    /// The default is `ROUTE_BUILD_ID`, or else a hash of the executable file.
    ///
    /// # Example
    ///
    /// ```
    /// # use route_runtime::{Routes, store::MemoryStore};
    /// # fn main() -> Result<(), route_runtime::RoutesError> {
    /// let routes = Routes::from_iter([])?.store(MemoryStore::new(1_000_000));
    /// let routes = routes.build_id("2024-05-17.3");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    #[track_caller]
    pub fn build_id(mut self, build_id: impl Into<String>) -> Self {
        self.served.setup.sharing.build_id = Some(build_id.into().into());
        Self::of(self.served.setup)
    }

    /// Waits until the store has everything that was rendered, for `limit` at most. Does nothing if
    /// there is no store.
    pub(crate) async fn written(&self, limit: Duration) {
        if self.served.setup.sharing.has_store() {
            let settled = self.cache().settled();
            if self
                .served
                .setup
                .clock
                .within(limit, settled)
                .await
                .is_none()
            {
                tracing::warn!(target: target::ROUTES, "not everything that was rendered could be written");
            }
        }
    }

    /// Returns the name of this build.
    pub(crate) fn build(&self) -> Arc<str> {
        self.served.setup.sharing.build(&self.served.setup.clock)
    }

    /// Sets how long other instances may still answer with invalidated content after a
    /// `revalidate_*` has resolved on one. The default is one second.
    ///
    /// Each instance asks the store at least twice within this time. An instance that has had no
    /// answer for longer, for example because its process was stopped, asks once more before it
    /// answers a request. If that fails, it is cut off: see [`on_partition`](Self::on_partition). Without a
    /// [`store`](Self::store), this setting has no effect.
    ///
    /// # Example
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use route_runtime::{Routes, store::MemoryStore};
    /// # fn main() -> Result<(), route_runtime::RoutesError> {
    /// let routes = Routes::from_iter([])?.store(MemoryStore::new(1_000_000));
    /// let routes = routes.staleness_bound(Duration::from_secs(5));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    #[track_caller]
    pub fn staleness_bound(mut self, bound: Duration) -> Self {
        self.served.setup.sharing.staleness = bound;
        Self::of(self.served.setup)
    }

    /// Sets what happens to content in memory while the store cannot be asked whether another
    /// instance has invalidated it. By default, the content is served and marked.
    ///
    /// # Example
    ///
    /// ```
    /// # use route_runtime::{Routes, cache::OnPartition, store::MemoryStore};
    /// # fn main() -> Result<(), route_runtime::RoutesError> {
    /// let routes = Routes::from_iter([])?.store(MemoryStore::new(1_000_000));
    /// let routes = routes.on_partition(OnPartition::Render);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    #[track_caller]
    pub fn on_partition(mut self, on_partition: OnPartition) -> Self {
        self.served.setup.sharing.on_partition = on_partition;
        Self::of(self.served.setup)
    }

    /// Sets how long a request waits for the store, in all, before its response is rendered without
    /// it. The default is 50 ms.
    ///
    /// Raise the limit for a store that is further away. If the store has a limit of its own, raise
    /// that too: `read_limit` of a `RedisStore`. Without a [`store`](Self::store), this setting has
    /// no effect.
    ///
    /// # Example
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use route_runtime::{Routes, store::MemoryStore};
    /// # fn main() -> Result<(), route_runtime::RoutesError> {
    /// let routes = Routes::from_iter([])?.store(MemoryStore::new(1_000_000));
    /// let routes = routes.store_limit(Duration::from_millis(200));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    #[track_caller]
    pub fn store_limit(mut self, limit: Duration) -> Self {
        self.served.setup.sharing.limit = limit;
        Self::of(self.served.setup)
    }
}
