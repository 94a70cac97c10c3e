//! The server: everything from the environment, or built by hand.

use std::env;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::web::ServiceConfig;
use actix_web::{App, Error, HttpServer, dev};

use crate::mode::Mode;
use crate::respond::settled;
use crate::routes::{Routes, RoutesError};

/// Serves every route of this program, with everything from the environment.
///
/// `HOST` (127.0.0.1) and `PORT` (3000) say where, `ROUTE_WORKERS` with how many workers (one per
/// core), `ROUTE_MODE` (`development` or `production`) how. Prints the address and the table of
/// routes; ends when it is told to by Ctrl-C or SIGTERM, after the requests it is serving.
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
    address: Option<String>,
    workers: Option<usize>,
    mode: Option<Mode>,
    cache_capacity: Option<u64>,
    cdn: Option<bool>,
}

/// Starts an actix-web server whose apps have the type that `app` was given.
type Launch =
    Box<dyn FnOnce(Routes, &Settings) -> Result<(Vec<SocketAddr>, dev::Server), ServeError>>;

/// How long requests and their renders may take to finish once the server is told to end.
const SHUTDOWN_SECONDS: u64 = 30;

/// What the environment and the builder settled.
struct Settings {
    address: String,
    workers: Option<usize>,
}

impl Server {
    /// A server that serves the routes and nothing else, with everything from the environment.
    pub fn new() -> Self {
        Self {
            launch: launch(|routes| App::new().service(routes)),
            shape: Vec::new(),
            address: None,
            workers: None,
            mode: None,
            cache_capacity: None,
            cdn: None,
        }
    }

    /// Mounts the routes in an app of the user's own, with middleware, services and a
    /// `default_service` beside them. Called once per worker.
    pub fn app<F, T, B>(mut self, app: F) -> Self
    where
        F: Fn(Routes) -> App<T> + Clone + Send + 'static,
        T: ServiceFactory<
                ServiceRequest,
                Config = (),
                Response = ServiceResponse<B>,
                Error = Error,
                InitError = (),
            > + 'static,
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
        self.cache_capacity = Some(bytes);
        self
    }

    /// See [`Routes::cdn`]; instead of `ROUTE_CDN`.
    pub fn cdn(mut self, cdn: bool) -> Self {
        self.cdn = Some(cdn);
        self
    }

    /// Listens here, as in `"0.0.0.0:8080"`, instead of at `HOST` and `PORT`.
    pub fn bind(mut self, address: impl Into<String>) -> Self {
        self.address = Some(address.into());
        self
    }

    /// Serves with this many workers, instead of `ROUTE_WORKERS` or one per core.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers);
        self
    }

    /// Serves as in development or as in production, whatever the environment says.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = Some(mode);
        self
    }

    /// Collects the routes and serves them until it is told to end.
    ///
    /// # Errors
    ///
    /// See [`ServeError`].
    pub async fn run(self) -> Result<(), ServeError> {
        let settings = Settings {
            address: match self.address {
                Some(address) => address,
                None => address_from_env()?,
            },
            workers: match self.workers {
                Some(workers) => Some(workers),
                None => {
                    variable::<NonZeroUsize>("ROUTE_WORKERS", "a number of threads, at least 1")?
                        .map(NonZeroUsize::get)
                }
            },
        };
        let mut routes = Routes::collect()?;
        if let Some(mode) = self.mode {
            routes = routes.mode(mode);
        }
        let capacity = match self.cache_capacity {
            Some(bytes) => Some(bytes),
            None => variable("ROUTE_CACHE_BYTES", "a number of bytes")?,
        };
        if let Some(bytes) = capacity {
            routes = routes.cache_capacity(bytes);
        }
        let cdn = match self.cdn {
            Some(cdn) => Some(cdn),
            None => variable("ROUTE_CDN", "`true` or `false`")?,
        };
        if let Some(cdn) = cdn {
            routes = routes.cdn(cdn);
        }
        for shape in self.shape {
            routes = shape(routes);
        }
        for failure in routes.prepare().await? {
            eprintln!("{failure}");
        }
        let table = routes.to_string();
        let (addresses, server) = (self.launch)(routes.clone(), &settings)?;
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
        settled(Duration::from_secs(SHUTDOWN_SECONDS)).await;
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
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    Box::new(move |routes, settings| {
        let configure = routes.setup.configure.clone();
        let mut server = HttpServer::new(move || {
            let app = app(routes.clone());
            app.configure(|config| configure.iter().for_each(|configure| configure(config)))
        })
        .shutdown_timeout(SHUTDOWN_SECONDS);
        if let Some(workers) = settings.workers {
            server = server.workers(workers);
        }
        let server = server
            .bind(&settings.address)
            .map_err(|source| ServeError::Bind {
                address: settings.address.clone(),
                source,
            })?;
        Ok((server.addrs(), server.run()))
    })
}

fn address_from_env() -> Result<String, ServeError> {
    let host = env::var("HOST").ok().filter(|host| !host.is_empty());
    let host = host.unwrap_or_else(|| "127.0.0.1".into());
    let port: u16 = variable("PORT", "a port, from 0 to 65535")?.unwrap_or(3000);
    // A bare IPv6 address needs brackets before a port.
    Ok(if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    })
}

/// A variable of the environment, if it is set.
fn variable<T: std::str::FromStr>(
    name: &'static str,
    expected: &'static str,
) -> Result<Option<T>, ServeError> {
    let Some(value) = env::var_os(name).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let value = value.to_string_lossy();
    match value.trim().parse() {
        Ok(value) => Ok(Some(value)),
        Err(_) => Err(ServeError::Environment {
            name,
            value: value.into_owned(),
            expected,
        }),
    }
}

/// Why a server did not start, or ended otherwise than it was told to.
#[non_exhaustive]
pub enum ServeError {
    /// The table of routes has problems.
    Routes(RoutesError),
    /// A variable of the environment has a value that means nothing.
    Environment {
        /// The variable.
        name: &'static str,
        /// What it is set to.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The address cannot be listened on.
    Bind {
        /// As it was asked for.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// The server itself failed.
    Io(io::Error),
}

impl From<RoutesError> for ServeError {
    fn from(error: RoutesError) -> Self {
        Self::Routes(error)
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Routes(error) => error.fmt(f),
            Self::Environment {
                name,
                value,
                expected,
            } => write!(f, "{name} is `{value}`\n  help: expected {expected}"),
            Self::Bind { address, source } => {
                write!(f, "cannot listen on {address}: {source}")?;
                match source.kind() {
                    io::ErrorKind::AddrInUse => f.write_str(
                        "\n  help: end the program that does, or choose another port with PORT",
                    ),
                    io::ErrorKind::PermissionDenied => f.write_str(
                        "\n  help: ports below 1024 need privileges; choose another with PORT",
                    ),
                    _ => Ok(()),
                }
            }
            Self::Io(error) => error.fmt(f),
        }
    }
}

/// What `main` prints when it returns the error: the same words as [`Display`](fmt::Display), so
/// that a developer reads sentences and not a struct.
impl fmt::Debug for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ServeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Routes(error) => Some(error),
            Self::Bind { source, .. } | Self::Io(source) => Some(source),
            Self::Environment { .. } => None,
        }
    }
}
