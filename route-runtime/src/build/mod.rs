//! Everything rendered ahead, left in files for those who start later.
//!
//! [`Build`] renders each cached route, and each path that a `static_params` gives, into the
//! directory of a [`FileStore`]. A server of the same build that has this directory behind its memory
//! finds them there, as old as they are: what was built an hour ago and is fresh for a minute is
//! stale. The commands `build` and `start` do both.
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

mod error;
mod manifest;

/// How long the files are waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A build of routes, to be written; see the [module](self).
#[must_use = "a build does nothing until it is written"]
pub struct Build<'a> {
    routes: &'a Routes,
    watch: Watch,
}

/// What was built.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Built {
    /// How many responses are in the directory.
    pub responses: usize,
    /// The paths whose responses are for one request only, and are rendered for each.
    pub individual: Vec<String>,
}

impl<'a> Build<'a> {
    /// A build of these routes, which are rendered as in production.
    pub fn of(routes: &'a Routes) -> Self {
        Self {
            routes,
            watch: Watch::default(),
        }
    }

    /// Lets somebody watch how far it is.
    #[cfg(feature = "cli")]
    pub(crate) fn watched(mut self, watch: Watch) -> Self {
        self.watch = watch;
        self
    }

    /// Renders all of it anew, and keeps it in a directory beside what earlier builds have left
    /// there. Data that is cached there already is used as far as it is fresh.
    ///
    /// # Errors
    ///
    /// See [`BuildError`]. What was rendered until then is kept, and not said to be a build.
    pub async fn write(self, directory: impl AsRef<Path>) -> Result<Built, BuildError> {
        let directory = directory.as_ref();
        let routes = self.routes.clone().mode(Mode::Production);
        // Nobody waits for a page meanwhile, and a disk that is slow once has not failed.
        let routes = routes
            .store(FileStore::open(directory))
            .store_limit(PATIENCE);
        routes.check().await?;
        let unusable = || BuildError::Directory(directory.into());
        if !routes.cache().catch_up().await {
            return Err(unusable());
        }
        let (known, failures) = known_paths(&routes, |_| true).await;
        let mut failed: Vec<_> = failures.into_iter().map(NotBuilt::from).collect();
        self.watch.see(Step::Begun(known.len()));
        let renders = stream::iter(known).map(|known| async {
            // What the same program has built before is no answer.
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
