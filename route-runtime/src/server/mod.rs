//! The server: configured by the environment alone, or by a builder.

use std::future::poll_fn;
use std::io;
use std::num::NonZeroUsize;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::web::ServiceConfig;
use actix_web::{App, dev};
use futures_util::future::{OptionFuture, join};

use self::admin::{Admin, AdminListener};
use self::banner::banner;
use self::launch::{Launch, Launched, launch};
use self::setting::{Settings, Sources};
use self::settings::{Behind, Listen, Program};
use crate::context::settled;
use crate::declaration::TagHeader;
use crate::mode::Mode;
use crate::routes::{self, AppFactory, Routes, Watch};
#[cfg(feature = "cli")]
use crate::store::FileStore;
use crate::store::Store;
use crate::table::RoutesError;
use crate::target;

mod admin;
mod banner;
mod error;
mod launch;
mod request_log;
#[cfg_attr(
    not(feature = "cli"),
    allow(dead_code, reason = "the rows are for the command line")
)]
pub(crate) mod setting;
pub(crate) mod settings;
mod table;

pub use error::ServeError;

/// Serves every route of this program, as the command line and the environment say.
///
/// `HOST` (default 127.0.0.1) and `PORT` (3000) set the address, `ROUTE_WORKERS` the number of
/// workers (one per core), and `ROUTE_MODE` (`development` or `production`) the mode. `--help`
/// lists the options that override these variables, and the other commands. The server prints the
/// table of routes, its mode and its address. In development it logs each request.
///
/// Ctrl-C stops the server at once. SIGTERM lets it finish the requests that it is serving, within
/// 30 seconds. After either, the process waits up to 30 seconds for the work that was registered
/// with [`after`](crate::after), and then up to 30 seconds for entries that are being written to a
/// [`store`](crate::store).
///
/// The arguments are those of the process. If they are not meant for the server, as in a test or in
/// a program that parses its own arguments, use `Server::new().args([]).run()`. Without the feature
/// `cli` no arguments are read.
///
/// # Errors
///
/// See [`ServeError`].
///
/// # Example
///
/// ```no_run
/// #[actix_web::main]
/// async fn main() -> Result<(), route_runtime::ServeError> {
///     route_runtime::serve().await
/// }
/// ```
pub async fn serve() -> Result<(), ServeError> {
    Server::new().run().await
}

/// A builder of a server. Its settings override the environment.
///
/// # Example
///
/// ```no_run
/// use actix_web::{App, middleware::Logger};
/// use route_runtime::Server;
///
/// #[actix_web::main]
/// async fn main() -> Result<(), route_runtime::ServeError> {
///     Server::new()
///         .app(|routes| App::new().wrap(Logger::default()).service(routes))
///         .data(String::from("shared by every handler"))
///         .bind("127.0.0.1:8080")
///         .run()
///         .await
/// }
/// ```
#[must_use = "a server does nothing until it is run"]
pub struct Server {
    launch: Launch,
    /// Set if the app is the user's, with services that are not routes.
    has_app: bool,
    changes: Vec<RoutesChange>,
    program: Program,
    typed: Settings,
    /// Watches the progress of rendering ahead.
    watch: Watch,
    #[cfg(feature = "cli")]
    args: Option<Vec<std::ffi::OsString>>,
}

/// A function that changes the routes before they are served.
type RoutesChange = Box<dyn FnOnce(Routes) -> Result<Routes, RoutesError>>;

/// The longest that a server which is shutting down waits for each of: requests, the work that was
/// registered with [`after`](crate::after), and writes to the store.
const SHUTDOWN: Duration = Duration::from_secs(30);

impl Server {
    /// Makes a server that serves the routes and nothing else, and is configured by the
    /// environment.
    pub fn new() -> Self {
        Self {
            launch: launch(routes::app),
            has_app: false,
            changes: Vec::new(),
            program: Program::default(),
            typed: Settings::default(),
            watch: Watch::default(),
            #[cfg(feature = "cli")]
            args: None,
        }
    }

    /// Mounts the routes in an app of your own, which may add middleware, services and a
    /// `default_service`.
    ///
    /// The function is called once per worker. If the app has no `default_service`, actix-web
    /// answers a path that neither the routes nor the services know with an empty 404. The server's
    /// default app answers it with a problem that no cache keeps.
    ///
    /// The function mounts the routes as it gets them. A method such as `at` or `data` would make a
    /// table of each worker's own, with a cache of its own, and is an error of [`run`](Self::run):
    /// call it on the server instead.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use actix_web::{App, HttpResponse, middleware::Logger, web};
    /// use route_runtime::Server;
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), route_runtime::ServeError> {
    /// let server = Server::new().app(|routes| {
    ///     App::new()
    ///         .wrap(Logger::default())
    ///         .service(routes)
    ///         .route("/health", web::get().to(|| async { "ok" }))
    ///         .default_service(web::to(HttpResponse::NotFound))
    /// });
    /// server.run().await
    /// # }
    /// ```
    pub fn app<F, T, B>(mut self, app: F) -> Self
    where
        F: Fn(Routes) -> App<T> + Clone + Send + 'static,
        T: AppFactory<B>,
        B: MessageBody + 'static,
    {
        self.launch = launch(app);
        self.has_app = true;
        self
    }

    /// Registers app data; see [`Routes::data`].
    ///
    /// All of the app sees it: the routes, the services of your own [`app`](Self::app), and its
    /// middleware. A value of the same type that the app registers itself, with `App::app_data`, is
    /// replaced. The data of a scope stays its own.
    pub fn data<T: Send + Sync + 'static>(self, value: T) -> Self {
        self.changed(|routes| routes.data(value))
    }

    /// Configures the apps. The function is called once per worker and once per renderer.
    ///
    /// A [`Data::new`](actix_web::web::Data::new) inside the function makes a value for each of
    /// them. To share a value, make it outside the function or give it to [`data`](Self::data).
    ///
    /// # Example: A client for each thread
    ///
    /// ```no_run
    /// use std::rc::Rc;
    /// use actix_web::web::Data;
    /// use route_runtime::Server;
    ///
    /// struct Client(Rc<()>); // Not `Send`, as the client of awc.
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), route_runtime::ServeError> {
    /// let server = Server::new().configure(|config| {
    ///     config.app_data(Data::new(Client(Rc::default())));
    /// });
    /// server.run().await
    /// # }
    /// ```
    pub fn configure(self, configure: impl Fn(&mut ServiceConfig) + Send + Sync + 'static) -> Self {
        self.changed(|routes| routes.configure(configure))
    }

    /// Sets the size of the cache in memory, instead of `ROUTE_CACHE_BYTES`; see
    /// [`Routes::cache_capacity`].
    pub fn cache_capacity(mut self, bytes: u64) -> Self {
        self.program.settings.cache_bytes = Some(bytes);
        self
    }

    /// Sets the number of places for renders that requests wait for, instead of `ROUTE_RENDERS`; see
    /// [`Routes::renders`].
    pub fn renders(mut self, places: usize) -> Self {
        self.program.settings.renders = Some(at_least_one(places));
        self
    }

    /// Sets the number of places for renders that replace stale responses and data, instead of
    /// `ROUTE_REFRESHES`; see [`Routes::refreshes`].
    pub fn refreshes(mut self, places: usize) -> Self {
        self.program.settings.refreshes = Some(at_least_one(places));
        self
    }

    /// Lets shared caches outside keep cached responses or not, instead of `ROUTE_CDN`; see
    /// [`Routes::cdn`].
    pub fn cdn(mut self, cdn: bool) -> Self {
        self.program.settings.cdn = Some(cdn);
        self
    }

    /// Sets the header in which shared caches outside read the tags of responses, instead of
    /// `ROUTE_TAG_HEADER`; see [`Routes::tag_header`].
    pub fn tag_header(mut self, header: TagHeader) -> Self {
        self.program.settings.tag_header = Some(header);
        self
    }

    /// Listens on this address, such as `"0.0.0.0:8080"`, instead of on `HOST` and `PORT`.
    ///
    /// # Example: Every setting that replaces an environment variable
    ///
    /// ```no_run
    /// use route_runtime::{Mode, Server, TagHeader, store::FileStore};
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), route_runtime::ServeError> {
    /// let server = Server::new()
    ///     .bind("0.0.0.0:8080")
    ///     .admin("127.0.0.1:9000")
    ///     .workers(4)
    ///     .mode(Mode::Production)
    ///     .cache_capacity(200_000_000)
    ///     .cdn(true)
    ///     .tag_header(TagHeader::SurrogateKey)
    ///     .store(FileStore::open("/var/cache/shop"));
    /// server.run().await
    /// # }
    /// ```
    pub fn bind(mut self, address: impl Into<String>) -> Self {
        self.program.address = Some(address.into());
        self
    }

    /// Listens on a second address for operators, instead of on `ROUTE_ADMIN`. Without either there
    /// is no such listener.
    ///
    /// Operators are those who run the program: its deploy scripts, cron jobs and health checks.
    /// Nothing of this listener is on the address for clients, and its requests run through no
    /// middleware, no `wrap` and no cache. It answers:
    ///
    /// - `GET /health`: 200 `ok` while the server serves, 503 from the moment when it is told to
    ///   end. Anybody may ask.
    /// - `POST /revalidate`: invalidates the tags, paths and patterns that a JSON object names, all of
    ///   them or, if one is wrong, none; with `"stale": true` as
    ///   [`Revalidation::stale`](crate::Revalidation::stale) does. It answers 200 once that is
    ///   recorded, for every instance with the same store, and 503 if the store could not record it.
    ///   It asks for `Authorization: Bearer` with the secret in the environment variable
    ///   `ROUTE_ADMIN_SECRET`, of at least 16 bytes. If that variable is not set, it answers 404.
    ///
    /// The listener speaks plain HTTP. Choose an address that only operators reach, such as one of
    /// loopback or of a private network. Port 0 takes any free port; the address is printed when the
    /// server starts. The listener ends with the server, after the requests that it is answering.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use route_runtime::{ServeError, Server, route};
    ///
    /// #[route("/posts/[id]", revalidate = false, tags = ["posts"])]
    /// async fn post(id: u64) -> String {
    ///     format!("post {id}, rendered once")
    /// }
    ///
    /// #[actix_web::main]
    /// async fn main() -> Result<(), ServeError> {
    ///     Server::new().admin("127.0.0.1:9000").run().await
    /// }
    /// ```
    ///
    /// With `export ROUTE_ADMIN_SECRET=$(openssl rand -hex 32)` before the program starts:
    ///
    /// ```sh
    /// curl http://127.0.0.1:9000/health
    /// curl http://127.0.0.1:9000/revalidate --json '{"tags":["posts"],"paths":["/posts/7"]}' \
    ///     -H "Authorization: Bearer $ROUTE_ADMIN_SECRET"
    /// ```
    pub fn admin(mut self, address: impl Into<String>) -> Self {
        self.program.settings.admin = Some(address.into());
        self
    }

    /// Serves with this number of workers, instead of `ROUTE_WORKERS` or one per core. 0 is taken
    /// for 1.
    pub fn workers(mut self, workers: usize) -> Self {
        self.program.settings.workers = Some(at_least_one(workers));
        self
    }

    /// Sets the mode, instead of `ROUTE_MODE`.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.program.settings.mode = Some(mode);
        self
    }

    /// Puts this store behind memory, instead of the one that `ROUTE_CACHE_DIR` or
    /// `ROUTE_CACHE_URL` names; see [`Routes::store`].
    pub fn store(mut self, store: impl Store) -> Self {
        self.program.has_store = true;
        self.changed(|routes| routes.store(store))
    }

    /// Reads these arguments instead of those of the process. The program's name is not one of
    /// them.
    ///
    /// Use this in programs that parse their own arguments, and in tests, where the arguments of
    /// the process are the test runner's: with `args([])` the server reads no arguments and serves.
    ///
    /// ```no_run
    /// use std::env;
    /// use route_runtime::Server;
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), route_runtime::ServeError> {
    /// // `program api …` serves; any other first argument belongs to the program.
    /// if env::args().nth(1).as_deref() == Some("api") {
    ///     Server::new().args(env::args_os().skip(2)).run().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "cli")]
    pub fn args(mut self, args: impl IntoIterator<Item = std::ffi::OsString>) -> Self {
        self.args = Some(args.into_iter().collect());
        self
    }

    /// Collects the routes and serves them until the process is asked to end.
    ///
    /// # Errors
    ///
    /// See [`ServeError`].
    #[cfg(not(feature = "cli"))]
    pub async fn run(mut self) -> Result<(), ServeError> {
        let routes = self.routes()?;
        self.serve(routes).await
    }

    /// Takes the arguments that [`args`](Self::args) was given, if it was called.
    #[cfg(feature = "cli")]
    pub(crate) fn take_args(&mut self) -> Option<Vec<std::ffi::OsString>> {
        self.args.take()
    }

    #[cfg(feature = "cli")]
    pub(crate) fn typed(mut self, typed: Settings) -> Self {
        self.typed = typed;
        self
    }

    /// Reports the progress of rendering ahead to `watch`.
    #[cfg(feature = "cli")]
    pub(crate) fn watched(mut self, watch: Watch) -> Self {
        self.watch = watch;
        self
    }

    /// Collects the table of routes and applies every setting to it.
    pub(crate) fn routes(&mut self) -> Result<Routes, ServeError> {
        let sources = Sources {
            typed: &self.typed,
            program: &self.program.settings,
        };
        let mode = sources.mode()?.unwrap_or(Mode::of_profile());
        let mut routes = Routes::collect()?.mode(mode);
        if let Some(bytes) = sources.cache_bytes()? {
            routes = routes.cache_capacity(bytes);
        }
        if let Some(places) = sources.renders()? {
            routes = routes.renders(places.get());
        }
        if let Some(places) = sources.refreshes()? {
            routes = routes.refreshes(places.get());
        }
        if let Some(cdn) = sources.cdn()? {
            routes = routes.cdn(cdn);
        }
        if let Some(header) = sources.tag_header()? {
            routes = routes.tag_header(header);
        }
        for change in self.changes.drain(..) {
            routes = change(routes)?;
        }
        Ok(routes)
    }

    /// Returns the directory whose build the server starts from, and puts it behind memory: the
    /// directory that is configured, or otherwise `built`, which `build` writes by default. Returns
    /// `None` if another store is behind memory, or if there is no build and nobody can write one.
    #[cfg(feature = "cli")]
    pub(crate) fn starts_from(
        &mut self,
        built: &std::path::Path,
    ) -> Result<Option<std::path::PathBuf>, ServeError> {
        match Behind::settle(&self.typed, &self.program)? {
            Some(Behind::Files(directory)) => Ok(Some(directory)),
            Some(Behind::Redis { .. }) => Ok(None),
            None if self.program.has_store => Ok(None),
            None if FileStore::is_out_of_reach(built) => {
                let directory = built.display();
                tracing::info!(target: target::STORE, %directory, "there is no build, and nobody can write this directory: what is rendered stays in memory");
                Ok(None)
            }
            None => {
                self.typed.cache_dir = Some(built.into());
                Ok(Some(built.into()))
            }
        }
    }

    /// Puts the store behind the routes that the server would have: the configured one, or otherwise
    /// `built`, where `start` keeps its files, if it is there.
    ///
    /// # Errors
    ///
    /// If there is no store, or if it cannot be used.
    #[cfg(feature = "cli")]
    pub(crate) async fn with_store(
        &self,
        routes: Routes,
        built: &std::path::Path,
    ) -> Result<Routes, ServeError> {
        let behind = match Behind::settle(&self.typed, &self.program)? {
            None if self.program.has_store => return Ok(routes),
            None if built.is_dir() => Behind::Files(built.into()),
            None => return Err(Behind::missing()),
            Some(behind) => behind,
        };
        Ok(routes.store(behind.open().await?))
    }

    /// Checks the addresses, the number of workers and the store behind memory, as far as that is
    /// possible without listening, connecting or leaving files.
    #[cfg(feature = "cli")]
    pub(crate) fn check(&self) -> Result<(), ServeError> {
        Listen::settle(&self.typed, &self.program)?;
        Admin::settle(&self.typed, &self.program)?;
        match Behind::settle(&self.typed, &self.program)? {
            Some(behind) => behind.check(),
            None => Ok(()),
        }
    }

    /// Serves the routes until the process is asked to end.
    pub(crate) async fn serve(self, mut routes: Routes) -> Result<(), ServeError> {
        let listen = Listen::settle(&self.typed, &self.program)?;
        let admin = Admin::settle(&self.typed, &self.program)?;
        if let Some(behind) = Behind::settle(&self.typed, &self.program)? {
            routes = routes.store(behind.open().await?);
        }
        for failure in routes.prepare(&self.watch).await? {
            if cfg!(feature = "cli") {
                // The command line has installed a log.
                tracing::warn!(target: target::ROUTES, path = failure.path, "{failure}");
            } else {
                eprintln!("{failure}");
            }
        }
        if self.has_app {
            table::tell_what_sections_leave_out(&routes);
        }
        let table = routes.to_string();
        let Launched {
            addresses,
            server,
            given,
        } = (self.launch)(routes.clone(), &listen)?;
        let mut admin = match admin {
            Some(admin) => Some(admin.listen(routes.clone()).await?),
            None => None,
        };
        let handle = server.handle();
        let mut server = pin!(server);
        let begun = first_poll(server.as_mut()).await;
        if let Err(error) = given.check() {
            if begun.is_pending() {
                join(handle.stop(false), server).await.1.ok();
            }
            return Err(error.into());
        }
        if let Poll::Ready(ended) = begun {
            return ended.map_err(ServeError::Io);
        }
        let operators = admin.as_ref().map_or(&[][..], |admin| &admin.addresses);
        let mode = routes.served.setup.mode;
        print!("{table}\n{}", banner(mode, operators, &addresses));
        let ended = match &mut admin {
            Some(admin) => admin.beside(server).await,
            None => server.await,
        };
        // The routes are kept alive until here: the work may still invalidate cached responses.
        let stopped = OptionFuture::from(admin.map(AdminListener::stop));
        join(stopped, settled(SHUTDOWN)).await;
        routes.written(SHUTDOWN).await;
        ended.map_err(ServeError::Io)
    }
}

/// Polls a server once, which starts its workers and lets it listen for signals. If it is pending
/// then, it is ready for requests.
async fn first_poll(mut server: Pin<&mut dev::Server>) -> Poll<io::Result<()>> {
    poll_fn(|context| Poll::Ready(server.as_mut().poll(context))).await
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns a number of threads or places, of which there is always one.
fn at_least_one(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nobody, not even root, can make a directory there.
    #[cfg(all(feature = "cli", target_os = "linux"))]
    #[test]
    fn without_a_build_in_a_directory_that_nobody_can_write_start_is_serve() {
        let mut server = Server::new();
        let built = std::path::Path::new("/sys/route/cache");
        assert_eq!(server.starts_from(built).unwrap(), None);
        assert_eq!(server.typed.cache_dir, None);
        let built = std::env::temp_dir().join("route-none/cache");
        assert_eq!(server.starts_from(&built).unwrap(), Some(built));
    }

    #[test]
    fn zero_workers_are_taken_for_one() {
        for (asked, expected) in [(0, 1), (1, 1), (7, 7)] {
            let server = Server::new().workers(asked);
            let listen = Listen::settle(&server.typed, &server.program).unwrap();
            assert_eq!(listen.workers.map(NonZeroUsize::get), Some(expected));
        }
    }
}
