//! Responses rendered ahead into files, for servers that start later.
//!
//! [`Build`] renders each cached route, and each path that a `static_params` lists, into the
//! directory of a [`FileStore`]. A server of the same build that has this directory behind its
//! memory finds the responses there. They keep their age: a response that is fresh for a minute and
//! was built an hour ago is stale. A route with `store = false` is left out, and rendered when the
//! server starts. The command `build` writes such a directory, and `start` serves from it.
//!
//! ```
//! use route_runtime::build::Build;
//! use route_runtime::store::FileStore;
//! use route_runtime::{Mode, Routes, route};
//!
//! #[route("/prices", revalidate = 60)]
//! async fn prices() -> &'static str {
//!     "computed for a long time"
//! }
//!
//! # #[actix_web::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = std::env::temp_dir().join(format!("route-build-{}", std::process::id()));
//! let routes = Routes::from_iter([prices::ROUTE])?;
//! let built = Build::of(&routes).write(&directory).await?;
//! assert_eq!(built.responses, 1);
//!
//! // Later, in another process of the same program:
//! let routes = routes.mode(Mode::Production).store(FileStore::open(&directory));
//! routes.ready().await?;
//! assert_eq!((routes.stats().renders, routes.stats().adopted), (0, 1));
//! # drop(routes);
//! # std::fs::remove_dir_all(directory)?;
//! # Ok(())
//! # }
//! ```

use std::path::Path;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};

pub use self::error::{BuildError, NotBuilt};
pub(crate) use self::manifest::Manifest;
use crate::mode::Mode;
use crate::routes::{AT_ONCE, Ahead, Routes, Step, Watch, known_paths};
use crate::store::FileStore;
use crate::table::Handler;

mod error;
mod manifest;

/// The longest that one operation on the files may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A build of routes, to be written; see the [module](self).
#[must_use = "a build does nothing until it is written"]
pub struct Build<'a> {
    routes: &'a Routes,
    watch: Watch,
}

/// The result of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Built {
    /// The number of responses that were rendered into the directory.
    pub responses: usize,
    /// The paths whose responses are for one request only. A server renders them for each request.
    pub individual: Vec<String>,
    /// The patterns of routes that would be rendered ahead, but stay out of stores (`store = false`).
    /// A server renders them when it starts.
    pub in_memory: Vec<String>,
    /// The patterns of routes that answer no path: `static_params` gives none, and
    /// `dynamic_params = false` allows no others.
    pub without_paths: Vec<String>,
}

impl<'a> Build<'a> {
    /// Makes a build of these routes. They are rendered as in production.
    pub fn of(routes: &'a Routes) -> Self {
        Self {
            routes,
            watch: Watch::default(),
        }
    }

    /// Reports the progress of the build to `watch`.
    #[cfg(feature = "cli")]
    pub(crate) fn watched(mut self, watch: Watch) -> Self {
        self.watch = watch;
        self
    }

    /// Renders every response anew into a directory, beside the responses of earlier builds. Cached
    /// data that is in the directory already is used while it is fresh.
    ///
    /// # Errors
    ///
    /// See [`BuildError`]. Responses that were rendered before the error stay in the directory, but
    /// the manifest that names the build is not written.
    pub async fn write(self, directory: impl AsRef<Path>) -> Result<Built, BuildError> {
        let directory = directory.as_ref();
        let routes = self.routes.clone().mode(Mode::Production);
        // No client waits for a response during a build, so the store may take longer than in a
        // server: a disk that is slow once has not failed.
        let routes = routes
            .store(FileStore::open(directory))
            .store_limit(PATIENCE);
        routes.check().await?;
        let unusable = || BuildError::Directory(directory.into());
        if !routes.cache().catch_up().await {
            return Err(unusable());
        }
        let is_stored = |handler: &Handler| handler.descriptor.config.store;
        let (known, failures) = known_paths(&routes, is_stored).await;
        let mut failed: Vec<_> = failures.into_iter().map(NotBuilt::from).collect();
        self.watch.see(Step::Begun(known.len()));
        let renders = stream::iter(known).map(|known| async {
            // Otherwise a response that the same program built earlier would be found in the store,
            // and the path would not be rendered again.
            routes.cache().forget(&known.path).await;
            let rendered = known.render(&routes).await;
            self.watch.see(Step::Rendered);
            (known.path, rendered)
        });
        let renders: Vec<_> = renders.buffer_unordered(AT_ONCE).collect().await;
        self.watch.see(Step::Ended);
        routes.cache().settled().await;

        let mut built = Built {
            responses: 0,
            individual: Vec::new(),
            in_memory: in_memory(&routes),
            without_paths: routes.without_paths().await,
        };
        for (path, rendered) in renders {
            match rendered {
                Ok(Ahead::Kept) => built.responses += 1,
                Ok(Ahead::Individual(_)) => built.individual.push(path),
                Err(reason) => failed.push(NotBuilt { path, reason }),
            }
        }
        if !failed.is_empty() {
            failed.sort_by(|a, b| a.path.cmp(&b.path));
            return Err(BuildError::Failed(failed));
        }
        if routes.stats().store_failures > 0 {
            return Err(unusable());
        }
        let manifest = Manifest::new(&routes.build(), built.responses);
        manifest.write(directory).map_err(|_| unusable())?;
        built.individual.sort();
        Ok(built)
    }
}

/// Returns the patterns of routes that can be rendered ahead, but not into a store.
fn in_memory(routes: &Routes) -> Vec<String> {
    let table = &routes.served.setup.table;
    let handlers = table.handlers().map(|(_, handler)| handler);
    let handlers = handlers.filter(|handler| {
        let config = &handler.descriptor.config;
        let is_known = !handler.has_params() || config.static_params.is_some();
        handler.rendering.is_cached() && is_known && !config.store
    });
    handlers
        .map(|handler| table.node(handler.node).pattern.clone())
        .collect()
}
