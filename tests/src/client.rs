//! HTTP/1 over a socket, without a library that would tidy up what is sent.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Writes out a request; `body` with its length.
#[must_use]
pub fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> String {
    let mut text = format!("{method} {target} HTTP/1.1\r\nHost: test.example\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    text + "\r\n" + body
}

/// A connection, kept open until it is dropped.
#[derive(Debug)]
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    /// Connects.
    ///
    /// # Panics
    ///
    /// If nobody listens there.
    #[must_use]
    pub fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        // What hangs is to fail.
        let limit = Some(Duration::from_secs(60));
        stream.set_read_timeout(limit).expect("it is not zero");
        Self(BufReader::new(stream))
    }

    /// Sends these bytes and reads one response.
    ///
    /// # Panics
    ///
    /// If the response is not HTTP, or is in chunks, or the connection ends before it does.
    pub fn send(&mut self, request: &str) -> Response {
        let stream = self.0.get_mut();
        stream.write_all(request.as_bytes()).expect("it is open");
        let status = self.line();
        let (_, status) = status.split_once(' ').expect("a status line");
        let mut response = Response {
            status: status[..3].parse().expect("a status"),
            headers: Vec::new(),
            body: String::new(),
        };
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(": ") else {
                break;
            };
            response.headers.push((name.to_lowercase(), value.into()));
        }
        let is_head = request.starts_with("HEAD ");
        if !is_head && !matches!(response.status, 100..=199 | 204 | 304) {
            let length = response.header("content-length").expect("no chunks");
            let mut body = vec![0; length.parse().expect("a length")];
            self.0.read_exact(&mut body).expect("the whole body");
            response.body = String::from_utf8(body).expect("a text");
        }
        response
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line");
        let line = line.strip_suffix("\r\n").expect("a whole line");
        line.into()
    }

    /// Whether the server has closed the connection, with nothing more to read.
    pub fn is_closed(&mut self) -> bool {
        matches!(self.0.read(&mut [0]), Ok(0))
    }
}

/// A response, read to its end.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// In the order in which they came, the names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body; empty where there can be none.
    pub body: String,
}

impl Response {
    /// The first header of this name, which is given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find_map(|(found, value)| (found == name).then_some(value.as_str()))
    }
}
