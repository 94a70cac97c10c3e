//! What stands behind the memory of this process, one method for each setting.

use std::sync::Arc;
use std::time::Duration;

use super::Routes;
use crate::engine::OnPartition;
use crate::store::Store;
use crate::target;

impl Routes {
    /// Puts a store behind memory: what was rendered is shared with whoever has the same store,
    /// other instances or the next run of this program, and so is what was thrown away.
    ///
    /// Memory always comes first, and a response found there costs no round trip. What is not
    /// there is looked for in the store, and rendered by one instance at a time. Once a
    /// `revalidate_*` has resolved on one instance, every request that begins on another later than
    /// the [staleness bound](Self::staleness_bound) gets what is rendered after it; on the instance
    /// itself, at once.
    ///
    /// Responses are found by their path. Only instances of one app share a store, with the same
    /// routes and the same data; another app, or another table of this one, has a store of its own,
    /// or its own database or prefix in a Redis.
    ///
    /// A store that fails delays no request by more than 50 ms ([`store_limit`](Self::store_limit)),
    /// and while it is away not at all: what is not in memory is rendered here, and a `revalidate_*` that could not be recorded
    /// returns an error. See [`OnPartition`] for what is in memory then. What was missed is caught
    /// up with before the store is used again.
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
    /// two.ready().await?; // Finds it in the store.
    /// assert_eq!((two.stats().renders, two.stats().adopted), (0, 1));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn store(mut self, store: impl Store) -> Self {
        self.served.setup.sharing.store = Some(Arc::new(store));
        Self::of(self.served.setup)
    }

    /// Names the build of the program. Instances share what they rendered only within one build;
    /// what is thrown away, and data, is the application's.
    ///
    /// Where nothing is said it is `ROUTE_BUILD_ID`, else a hash of the executable file.
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
    pub fn build_id(mut self, build_id: impl Into<String>) -> Self {
        self.served.setup.sharing.build_id = Some(build_id.into().into());
        Self::of(self.served.setup)
    }

    /// Waits until what was rendered is in the store, if there is one, for so long at most.
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

    /// The build that this is.
    pub(crate) fn build(&self) -> Arc<str> {
        self.served.setup.sharing.build(&self.served.setup.clock)
    }

    /// How long after a `revalidate_*` has resolved on one instance others may still answer with
    /// what it threw away; one second where nothing is said.
    ///
    /// The store is asked twice within it, and an instance that has had no answer for longer is cut
    /// off: see [`on_partition`](Self::on_partition). Has no effect without a
    /// [`store`](Self::store).
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
    pub fn staleness_bound(mut self, bound: Duration) -> Self {
        self.served.setup.sharing.staleness = bound;
        Self::of(self.served.setup)
    }

    /// What is done with what is in memory while the store cannot be asked whether another instance
    /// has thrown it away; served and marked where nothing is said.
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
    pub fn on_partition(mut self, on_partition: OnPartition) -> Self {
        self.served.setup.sharing.on_partition = on_partition;
        Self::of(self.served.setup)
    }

    /// How long a request waits for the store, in all, before it is rendered for without; 50 ms
    /// where nothing is said.
    ///
    /// For a store that is further away. One with limits of its own has to be told, too: of a
    /// `RedisStore`, `read_limit`. Has no effect without a [`store`](Self::store).
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
    pub fn store_limit(mut self, limit: Duration) -> Self {
        self.served.setup.sharing.limit = limit;
        Self::of(self.served.setup)
    }
}
