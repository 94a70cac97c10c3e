//! An HTTP/1 client over a bare socket: no library changes the bytes that a test sends.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use crate::Response;

/// Returns the text of a request. A body that is not empty gets a `Content-Length`.
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

/// A connection that sends exactly the given bytes, and reads a response as it arrives.
///
/// It stays open until it is dropped.
#[derive(Debug)]
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    /// Opens a connection to this address.
    ///
    /// # Panics
    ///
    /// If nothing listens there.
    #[must_use]
    pub fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("it is a TCP stream");
        // A read that hangs fails the test.
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
        self.try_write(bytes).expect("it is open");
    }

    /// Sends these bytes, although the server may close the connection before it has read them.
    ///
    /// # Errors
    ///
    /// If the server has closed the connection.
    pub fn try_write(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.0.get_mut().write_all(bytes.as_ref())
    }

    /// Sends a [request] and reads the whole response.
    pub fn send(&mut self, request: &str) -> Response {
        self.write(request);
        self.response(request.starts_with("HEAD "))
    }

    /// Sends the head of a request. `\n` separates its lines, and `Host` is added if it is missing.
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

    /// Sends the head of a request as [`begin`](Self::begin) does, and reads the whole response.
    pub fn ask(&mut self, head: &str) -> Response {
        self.begin(head);
        self.response(head.trim_start().starts_with("HEAD "))
    }

    /// Reads a whole response.
    pub fn response(&mut self, is_to_head: bool) -> Response {
        let mut response = self.head();
        if !is_to_head {
            self.body(&mut response);
        }
        response
    }

    /// Reads the head of a response.
    ///
    /// # Panics
    ///
    /// If the bytes that arrive are not HTTP.
    pub fn head(&mut self) -> Response {
        let line = self.line();
        let (_, status) = line.split_once(' ').expect("a status line");
        let mut response = Response {
            status: status[..3].parse().expect("a status"),
            headers: Vec::new(),
            body: Vec::new(),
        };
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(": ") else {
                return response;
            };
            response.headers.push((name.to_lowercase(), value.into()));
        }
    }

    /// Reads the rest of a response.
    ///
    /// # Panics
    ///
    /// If the connection ends before the body.
    pub fn body(&mut self, response: &mut Response) {
        if matches!(response.status, 100..=199 | 204 | 304) {
            return;
        }
        if response.header("transfer-encoding") == Some("chunked") {
            while let Some(chunk) = self.chunk() {
                response.body.extend_from_slice(&chunk);
            }
        } else if let Some(length) = response.header("content-length") {
            response.body = vec![0; length.parse().expect("a length")];
            let whole = self.0.read_exact(&mut response.body);
            whole.expect("the whole body");
        } else {
            self.0.read_to_end(&mut response.body).expect("an end");
        }
    }

    /// Reads one chunk, or returns `None` at the end of the body.
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

    /// Tells the server that nothing more will be sent.
    pub fn finish(&mut self) {
        // The server may have closed the connection already.
        self.0.get_ref().shutdown(Shutdown::Write).ok();
    }

    /// Reads everything that still comes, until the server closes the connection or resets it.
    ///
    /// # Panics
    ///
    /// If the server does neither before the read times out.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        if let Err(error) = self.0.read_to_end(&mut rest) {
            let is_late = matches!(
                error.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
            );
            assert!(
                !is_late,
                "it hangs after {:?}",
                String::from_utf8_lossy(&rest)
            );
        }
        rest
    }

    /// Returns whether the server closes the connection without sending anything more.
    pub fn is_closed(&mut self) -> bool {
        self.rest().is_empty()
    }

    /// Returns whether the connection ends before the last chunk of a response has arrived.
    pub fn is_cut(&mut self) -> bool {
        !self.rest().ends_with(b"0\r\n\r\n")
    }

    /// Closes the connection in both directions.
    pub fn hang_up(self) {
        // The server may have closed the connection already.
        self.0.get_ref().shutdown(Shutdown::Both).ok();
    }
}
