//! A server behind a real socket, and a client that sends exactly what it is told and reads a
//! body as it comes.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServerHandle, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::{App, Error, HttpServer};
use route_runtime::Routes;

/// An app behind a free port of 127.0.0.1, on one worker; ends when it is dropped.
#[derive(Debug)]
pub struct Wired {
    address: SocketAddr,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Wired {
    /// Serves these routes and nothing else, without rendering ahead.
    #[must_use]
    pub fn routes(routes: &Routes) -> Self {
        let routes = routes.clone();
        Self::app(move || App::new().service(routes.clone()))
    }

    /// Serves an app.
    ///
    /// # Panics
    ///
    /// If there is no free port.
    #[must_use]
    pub fn app<F, T, B>(app: F) -> Self
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
                // A connection that is done with is closed at once.
                let server = server.client_disconnect_timeout(Duration::ZERO);
                // So that a client that has left is noticed before anything is sent to it.
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

    /// Opens a connection.
    #[must_use]
    pub fn connect(&self) -> Wire {
        Wire::open(self.address)
    }

    /// Sends these lines of a request's head on a connection of their own, and reads the whole
    /// answer.
    #[must_use]
    pub fn ask(&self, head: &str) -> Reply {
        self.connect().ask(head)
    }

    /// Asks with GET.
    #[must_use]
    pub fn get(&self, target: &str) -> Reply {
        self.ask(&format!("GET {target} HTTP/1.1"))
    }
}

impl Drop for Wired {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking(), "the server panicked");
        }
    }
}

/// A connection.
#[derive(Debug)]
pub struct Wire(BufReader<TcpStream>);

impl Wire {
    fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("it is a TCP stream");
        // What hangs is to fail.
        let limit = Some(Duration::from_secs(60));
        stream.set_read_timeout(limit).expect("it is not zero");
        Self(BufReader::new(stream))
    }

    /// Sends these bytes and nothing else.
    ///
    /// # Panics
    ///
    /// If the server has closed the connection.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let stream = self.0.get_mut();
        stream.write_all(bytes.as_ref()).expect("it is open");
    }

    /// Sends the head of a request, its lines separated by `\n`; `Host` is added.
    pub fn begin(&mut self, head: &str) {
        let lines: Vec<_> = head.trim().lines().map(str::trim).collect();
        let has_host = lines.iter().any(|line| line.starts_with("Host:"));
        let host = if has_host {
            ""
        } else {
            "\r\nHost: test.example"
        };
        self.write(format!("{}{host}\r\n\r\n", lines.join("\r\n")));
    }

    /// The same, and reads the whole answer.
    pub fn ask(&mut self, head: &str) -> Reply {
        self.begin(head);
        let mut reply = self.head();
        if !head.trim_start().starts_with("HEAD ") {
            self.body(&mut reply);
        }
        reply
    }

    /// Reads the head of an answer.
    ///
    /// # Panics
    ///
    /// If it is not HTTP.
    pub fn head(&mut self) -> Reply {
        let line = self.line();
        let (_, status) = line.split_once(' ').expect("a status line");
        let mut reply = Reply {
            status: status[..3].parse().expect("a status"),
            headers: Vec::new(),
            body: Vec::new(),
        };
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(": ") else {
                return reply;
            };
            reply.headers.push((name.to_lowercase(), value.into()));
        }
    }

    /// Reads the rest of an answer.
    ///
    /// # Panics
    ///
    /// If it ends too soon.
    pub fn body(&mut self, reply: &mut Reply) {
        if matches!(reply.status, 100..=199 | 204 | 304) {
            return;
        }
        if reply.header("transfer-encoding") == Some("chunked") {
            while let Some(chunk) = self.chunk() {
                reply.body.extend_from_slice(&chunk);
            }
        } else if let Some(length) = reply.header("content-length") {
            reply.body = vec![0; length.parse().expect("a length")];
            self.0.read_exact(&mut reply.body).expect("the whole body");
        } else {
            self.0.read_to_end(&mut reply.body).expect("an end");
        }
    }

    /// Reads one chunk; none at the end of the body.
    ///
    /// # Panics
    ///
    /// If the connection ends before the body.
    pub fn chunk(&mut self) -> Option<Vec<u8>> {
        let length = usize::from_str_radix(&self.line(), 16).expect("the length of a chunk");
        let mut chunk = vec![0; length];
        self.0.read_exact(&mut chunk).expect("the whole chunk");
        assert_eq!(self.line(), "");
        (length > 0).then_some(chunk)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line");
        line.strip_suffix("\r\n").expect("a whole line").into()
    }

    /// Whether the server has closed the connection, with nothing more to read.
    pub fn is_closed(&mut self) -> bool {
        !matches!(self.0.read(&mut [0]), Ok(1..))
    }

    /// Whether the connection ends without a whole answer in chunks having come.
    pub fn is_cut(&mut self) -> bool {
        let mut answer = Vec::new();
        // It may be reset.
        self.0.read_to_end(&mut answer).ok();
        !answer.ends_with(b"0\r\n\r\n")
    }

    /// Hangs up.
    pub fn hang_up(self) {
        // It may be closed already.
        self.0.get_ref().shutdown(Shutdown::Both).ok();
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// In the order in which they came, the names in lower case.
    pub headers: Vec<(String, String)>,
    /// As it came, without the chunks' frames.
    pub body: Vec<u8>,
}

impl Reply {
    /// The first header of this name, which is given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find_map(|(found, value)| (found == name).then_some(value.as_str()))
    }

    /// The body as text.
    ///
    /// # Panics
    ///
    /// If it is none.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a text")
    }

    /// The header by which a cache says what it did.
    #[must_use]
    pub fn cache_status(&self) -> &str {
        self.header("cache-status").unwrap_or("none")
    }
}
