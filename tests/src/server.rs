//! A real server that runs for as long as one test.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServerHandle, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::{App, Error, HttpServer};
use route_runtime::{Mode, RouteDescriptor, Routes};

use crate::{Connection, Response, request};

/// Returns a table of only these routes, in production mode: no response tells what only
/// developers may know.
///
/// # Panics
///
/// If the routes do not fit together.
#[must_use]
pub fn production(routes: impl IntoIterator<Item = RouteDescriptor>) -> Routes {
    let routes = Routes::from_iter(routes).expect("the routes fit together");
    routes.mode(Mode::Production)
}

/// A server with one worker on a free port of 127.0.0.1. It stops when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves these routes and nothing else.
    ///
    /// # Panics
    ///
    /// If the routes do not fit together.
    #[must_use]
    pub fn of(routes: impl IntoIterator<Item = RouteDescriptor>) -> Self {
        Self::routes(&Routes::from_iter(routes).expect("the routes fit together"))
    }

    /// Serves this table of routes and nothing else, and renders nothing ahead.
    #[must_use]
    pub fn routes(routes: &Routes) -> Self {
        let routes = routes.clone();
        Self::start(move || App::new().service(routes.clone()))
    }

    /// Serves an app.
    ///
    /// # Panics
    ///
    /// If there is no free port.
    #[must_use]
    pub fn start<F, T, B>(app: F) -> Self
    where
        F: Fn() -> App<T> + Clone + Send + 'static,
        T: ServiceFactory<
                ServiceRequest,
                Config = (),
                Response = ServiceResponse<B>,
                Error = Error,
                InitError = (),
            > + 'static,
        B: MessageBody + 'static,
    {
        let (started, start) = mpsc::channel();
        let thread = thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = HttpServer::new(app).workers(1).disable_signals();
                // The server closes a finished connection at once.
                let server = server.client_disconnect_timeout(Duration::ZERO);
                // The server notices that a client has left before it sends anything to it.
                let server = server.h1_allow_half_closed(false);
                let server = server.bind("127.0.0.1:0").expect("there is a free port");
                let address = server.addrs()[0];
                let server = server.run();
                started.send((address, server.handle())).expect("a test");
                server.await.expect("it ends when it is told to");
            });
        });
        let (address, handle) = start.recv().expect("the server starts");
        Self {
            address,
            handle,
            thread: Some(thread),
        }
    }

    /// Returns the address that the server listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens a connection to the server.
    #[must_use]
    pub fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    /// Sends a request on a new connection, and reads the whole response.
    #[must_use]
    pub fn send(&self, request: &str) -> Response {
        self.connect().send(request)
    }

    /// Sends a request with this method, without further headers or a body.
    #[must_use]
    pub fn ask(&self, method: &str, target: &str) -> Response {
        self.send(&request(method, target, &[], ""))
    }

    /// Sends a GET request.
    #[must_use]
    pub fn get(&self, target: &str) -> Response {
        self.ask("GET", target)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // `stop` sends the command when it is called, so its future need not be awaited.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking(), "the server panicked");
        }
    }
}
