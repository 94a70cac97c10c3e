//! The server: everything from the environment, or built by hand.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::web::ServiceConfig;
use actix_web::{App, HttpServer, dev};

use self::settings::{Behind, Built, Listen, Typed};
use crate::context::settled;
use crate::mode::Mode;
use crate::routes::{self, AppFactory, Routes, Watch};
use crate::store::Store;
use crate::target;

mod error;
pub(crate) mod settings;

pub use error::ServeError;

/// Serves every route of this program, with everything from the command line and the environment.
///
/// `HOST` (127.0.0.1) and `PORT` (3000) say where, `ROUTE_WORKERS` with how many workers (one per
/// core), `ROUTE_MODE` (`development` or `production`) how; `--help` lists the options for the same
/// and the other commands. Prints the address and the table of routes. Ctrl-C ends it at once,
/// SIGTERM after the requests that it is serving, for which it waits 30 seconds at most. Both wait as
/// long again for the work that is left to [`after`](crate::after), and then for what is being
/// written to a [`store`](crate::store).
///
/// It reads the arguments of the process. Where those are not meant for it, as in a test or in a
/// program with arguments of its own, use `Server::new().args([]).run()`. Without the feature `cli`
/// it reads none.
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

/// A server of routes, built by hand.
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
    shape: Vec<Box<dyn FnOnce(Routes) -> Routes>>,
    built: Built,
    typed: Typed,
    /// Watches what is rendered ahead.
    watch: Watch,
    #[cfg(feature = "cli")]
    args: Option<Vec<std::ffi::OsString>>,
}

/// Starts an actix-web server whose apps have the type that `app` was given.
type Launch =
    Box<dyn FnOnce(Routes, &Listen) -> Result<(Vec<SocketAddr>, dev::Server), ServeError>>;

/// How long requests and their renders may take to finish once the server is told to end.
const SHUTDOWN: Duration = Duration::from_secs(30);

impl Server {
    /// A server that serves the routes and nothing else, with everything from the environment.
    pub fn new() -> Self {
        Self {
            launch: launch(routes::app),
            shape: Vec::new(),
            built: Built::default(),
            typed: Typed::default(),
            watch: Watch::default(),
            #[cfg(feature = "cli")]
            args: None,
        }
    }

    /// Mounts the routes in an app of the user's own, with middleware, services and a
    /// `default_service` beside them. Called once per worker.
    ///
    /// An app without a `default_service` answers what nothing knows as actix-web does: with an empty
    /// 404. Without an app of your own it is a problem that no cache keeps.
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
        self
    }

    /// Registers app data; see [`Routes::data`].
    pub fn data<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.shape.push(Box::new(move |routes| routes.data(value)));
        self
    }

    /// Configures apps: once per worker and once per renderer.
    ///
    /// A [`Data::new`](actix_web::web::Data::new) inside makes an instance for each of them; what
    /// they should share is made outside, or given to [`data`](Self::data).
    ///
    /// # Example: A client for each thread
    ///
    /// ```no_run
    /// use std::rc::Rc;
    /// use actix_web::web::Data;
    /// use route_runtime::Server;
    ///
    /// struct Client(Rc<()>); // Not `Send`, as awc's is not.
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), route_runtime::ServeError> {
    /// let server = Server::new().configure(|config| {
    ///     config.app_data(Data::new(Client(Rc::default())));
    /// });
    /// server.run().await
    /// # }
    /// ```
    pub fn configure(
        mut self,
        configure: impl Fn(&mut ServiceConfig) + Send + Sync + 'static,
    ) -> Self {
        self.shape
            .push(Box::new(|routes| routes.configure(configure)));
        self
    }

    /// See [`Routes::cache_capacity`]; instead of `ROUTE_CACHE_BYTES`.
    pub fn cache_capacity(mut self, bytes: u64) -> Self {
        self.built.cache_bytes = Some(bytes);
        self
    }

    /// See [`Routes::cdn`]; instead of `ROUTE_CDN`.
    pub fn cdn(mut self, cdn: bool) -> Self {
        self.built.cdn = Some(cdn);
        self
    }

    /// Listens here, as in `"0.0.0.0:8080"`, instead of at `HOST` and `PORT`.
    ///
    /// # Example: All that a program can say instead of the environment
    ///
    /// ```no_run
    /// use route_runtime::{Mode, Server, store::FileStore};
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), route_runtime::ServeError> {
    /// let server = Server::new()
    ///     .bind("0.0.0.0:8080")
    ///     .workers(4)
    ///     .mode(Mode::Production)
    ///     .cache_capacity(200_000_000)
    ///     .cdn(true)
    ///     .store(FileStore::open("/var/cache/shop"));
    /// server.run().await
    /// # }
    /// ```
    pub fn bind(mut self, address: impl Into<String>) -> Self {
        self.built.address = Some(address.into());
        self
    }

    /// Serves with this many workers, instead of `ROUTE_WORKERS` or one per core. At least one: 0 is
    /// taken for 1.
    pub fn workers(mut self, workers: usize) -> Self {
        self.built.workers = Some(NonZeroUsize::new(workers).unwrap_or(NonZeroUsize::MIN));
        self
    }

    /// Serves as in development or as in production, whatever the environment says.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.built.mode = Some(mode);
        self
    }

    /// Puts a store behind memory; see [`Routes::store`]. Instead of what `ROUTE_CACHE_DIR` or
    /// `ROUTE_CACHE_URL` name.
    pub fn store(mut self, store: impl Store) -> Self {
        self.built.has_store = true;
        self.shape.push(Box::new(|routes| routes.store(store)));
        self
    }

    /// Takes these as its arguments, without the program's name, instead of those of the process.
    ///
    /// For programs with arguments of their own, and for tests, whose arguments are the test
    /// runner's: `args([])` reads none and serves.
    ///
    /// ```no_run
    /// use std::env;
    /// use route_runtime::Server;
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), route_runtime::ServeError> {
    /// // `program api …` serves; other first arguments are the program's own.
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

    /// Collects the routes and serves them until it is told to end.
    ///
    /// # Errors
    ///
    /// See [`ServeError`].
    #[cfg(not(feature = "cli"))]
    pub async fn run(mut self) -> Result<(), ServeError> {
        let routes = self.routes()?;
        self.serve(routes).await
    }

    /// The arguments that are meant for it, and what they settle.
    #[cfg(feature = "cli")]
    pub(crate) fn take_args(&mut self) -> Option<Vec<std::ffi::OsString>> {
        self.args.take()
    }

    #[cfg(feature = "cli")]
    pub(crate) fn typed(mut self, typed: Typed) -> Self {
        self.typed = typed;
        self
    }

    /// Lets somebody watch what is rendered ahead.
    #[cfg(feature = "cli")]
    pub(crate) fn watched(mut self, watch: Watch) -> Self {
        self.watch = watch;
        self
    }

    /// The table, with all that was said of it.
    pub(crate) fn routes(&mut self) -> Result<Routes, ServeError> {
        let mode = settings::mode(&self.typed, &self.built)?;
        let mut routes = Routes::collect()?.mode(mode);
        if let Some(bytes) = settings::cache_bytes(&self.typed, &self.built)? {
            routes = routes.cache_capacity(bytes);
        }
        if let Some(cdn) = settings::cdn(&self.built)? {
            routes = routes.cdn(cdn);
        }
        for shape in self.shape.drain(..) {
            routes = shape(routes);
        }
        Ok(routes)
    }

    /// The directory from which it starts what was built: the one it is told to use, else the one
    /// that `build` writes. `None` if another store is behind memory.
    #[cfg(feature = "cli")]
    pub(crate) fn starts_from(
        &mut self,
        built: &std::path::Path,
    ) -> Result<Option<std::path::PathBuf>, ServeError> {
        match Behind::settle(&self.typed, &self.built)? {
            Some(Behind::Files(directory)) => Ok(Some(directory)),
            Some(Behind::Redis { .. }) => Ok(None),
            None if self.built.has_store => Ok(None),
            None => {
                self.typed.behind = Some(Behind::Files(built.into()));
                Ok(Some(built.into()))
            }
        }
    }

    /// Whether it is known where to listen and what is behind memory, as far as that can be told
    /// without listening, connecting and leaving files.
    #[cfg(feature = "cli")]
    pub(crate) fn check(&self) -> Result<(), ServeError> {
        Listen::settle(&self.typed, &self.built)?;
        match Behind::settle(&self.typed, &self.built)? {
            Some(behind) => behind.check(),
            None => Ok(()),
        }
    }

    /// Serves until it is told to end.
    pub(crate) async fn serve(self, mut routes: Routes) -> Result<(), ServeError> {
        let listen = Listen::settle(&self.typed, &self.built)?;
        if let Some(behind) = Behind::settle(&self.typed, &self.built)? {
            routes = routes.store(behind.open().await?);
        }
        for failure in routes.prepare(&self.watch).await? {
            if cfg!(feature = "cli") {
                // There is a log.
                tracing::warn!(target: target::ROUTES, path = failure.path, "{failure}");
            } else {
                eprintln!("{failure}");
            }
        }
        let table = routes.to_string();
        let (addresses, server) = (self.launch)(routes.clone(), &listen)?;
        let mut server = pin!(server);
        // The first poll starts the workers and listens for signals: what is printed then is true.
        let first = poll_fn(|context| Poll::Ready(server.as_mut().poll(context))).await;
        if let Poll::Ready(ended) = first {
            return ended.map_err(ServeError::Io);
        }
        println!("{table}");
        for address in addresses {
            println!("serving http://{address}");
        }
        let ended = server.await.map_err(ServeError::Io);
        // The routes live as long: the work may throw away what they have cached.
        settled(SHUTDOWN).await;
        routes.written(SHUTDOWN).await;
        ended
    }
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

fn launch<F, T, B>(app: F) -> Launch
where
    F: Fn(Routes) -> App<T> + Clone + Send + 'static,
    T: AppFactory<B>,
    B: MessageBody + 'static,
{
    Box::new(move |routes, listen| {
        let configure = routes.served.setup.configure.clone();
        let mut server = HttpServer::new(move || {
            let app = app(routes.clone());
            app.configure(|config| configure.iter().for_each(|configure| configure(config)))
        })
        .shutdown_timeout(SHUTDOWN.as_secs());
        if let Some(workers) = listen.workers {
            server = server.workers(workers.get());
        }
        let server = server
            .bind(&listen.address)
            .map_err(|source| ServeError::Bind {
                address: listen.address.clone(),
                source,
            })?;
        Ok((server.addrs(), server.run()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_serves_without_a_worker() {
        for (asked, expected) in [(0, 1), (1, 1), (7, 7)] {
            let server = Server::new().workers(asked);
            let listen = Listen::settle(&server.typed, &server.built).unwrap();
            assert_eq!(listen.workers.map(NonZeroUsize::get), Some(expected));
        }
    }
}
