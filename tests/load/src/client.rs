//! A client over sockets: one thread, any number of connections, one request at a time on each.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// A request that is sent again and again, and the response that is expected.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    bytes: Vec<u8>,
    status: &'static str,
    has_body: bool,
}

impl Request {
    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path, "")
    }

    /// Makes a request. `headers` are lines, each with its line ending.
    pub(crate) fn new(method: &str, path: &str, headers: &str) -> Self {
        let bytes = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        Self {
            bytes: bytes.into_bytes(),
            status: "200",
            has_body: method != "HEAD",
        }
    }

    #[must_use]
    pub(crate) fn answered(mut self, status: &'static str) -> Self {
        self.status = status;
        self.has_body &= status != "304";
        self
    }
}

/// A connection, for one request at a time.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// The number of bytes in the buffer that belong to the current response.
    filled: usize,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: vec![0; 8 * 1024],
            filled: 0,
        })
    }

    /// Sends a request and reads its response to the end. Returns the body.
    pub(crate) async fn ask(&mut self, request: &Request) -> io::Result<&[u8]> {
        self.stream.write_all(&request.bytes).await?;
        self.answer(request).await
    }

    async fn answer(&mut self, request: &Request) -> io::Result<&[u8]> {
        self.filled = 0;
        loop {
            if self.filled == self.buffer.len() {
                self.buffer.resize(self.filled * 2, 0);
            }
            let count = self.stream.read(&mut self.buffer[self.filled..]).await?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.filled += count;
            if let Some(start) = end_of_answer(&self.buffer[..self.filled], request)? {
                return Ok(&self.buffer[start..self.filled]);
            }
        }
    }
}

/// Returns where the body of a response begins, if the response is complete.
fn end_of_answer(bytes: &[u8], request: &Request) -> io::Result<Option<usize>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let (head, body) = (&bytes[..end], &bytes[end + 4..]);
    if head.get(9..12) != Some(request.status.as_bytes()) {
        let head = String::from_utf8_lossy(head);
        return Err(io::Error::other(format!("unexpected answer: {head}")));
    }
    let is_whole = if !request.has_body {
        true
    } else if let Some(length) = header(head, b"content-length: ") {
        let length: usize = length.parse().map_err(io::Error::other)?;
        body.len() >= length
    } else {
        // Chunked: no response that is measured contains these bytes before its end.
        body.ends_with(b"0\r\n\r\n")
    };
    Ok(is_whole.then_some(end + 4))
}

/// Returns the value of the header with this name, in upper or lower case.
fn header<'a>(head: &'a [u8], name: &[u8]) -> Option<&'a str> {
    let is_line = |line: &&[u8]| {
        let start = line.get(1..=name.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    let line = head.split(|byte| *byte == b'\r').find(is_line)?;
    std::str::from_utf8(&line[name.len() + 1..]).ok()
}

/// The limit at which a load stops.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// A number of requests on each connection.
    Each(u64),
    /// A length of time.
    Passed(Duration),
}

/// Sends requests on so many connections at once, and takes turns with the requests. Returns how
/// many were answered. Any wrong response is an error.
pub(crate) fn load(
    address: SocketAddr,
    requests: &[Request],
    connections: usize,
    until: Until,
) -> io::Result<u64> {
    on_one_thread(async {
        let mut tasks = JoinSet::new();
        let start = Instant::now();
        for number in 0..connections {
            let requests = requests.to_vec();
            tasks.spawn(async move {
                let mut connection = Connection::open(address).await?;
                let mut done = 0;
                for request in requests.iter().cycle().skip(number % requests.len()) {
                    let goes_on = match until {
                        Until::Each(count) => done < count,
                        Until::Passed(length) => start.elapsed() < length,
                    };
                    if !goes_on {
                        break;
                    }
                    connection.ask(request).await?;
                    done += 1;
                }
                io::Result::Ok(done)
            });
        }
        let mut answered = 0;
        while let Some(done) = tasks.join_next().await {
            answered += done.map_err(io::Error::other)??;
        }
        Ok(answered)
    })
}

/// Opens so many connections, and only then sends a request on all of them at once.
pub(crate) fn at_once(
    address: SocketAddr,
    request: &Request,
    connections: usize,
) -> io::Result<()> {
    on_one_thread(async {
        let mut open = Vec::new();
        for _ in 0..connections {
            open.push(Connection::open(address).await?);
        }
        let mut tasks = JoinSet::new();
        for mut connection in open {
            let request = request.clone();
            tasks.spawn(async move { connection.ask(&request).await.map(drop) });
        }
        while let Some(done) = tasks.join_next().await {
            done.map_err(io::Error::other)??;
        }
        Ok(())
    })
}

/// Sends one request. Returns the body of the response as text.
pub(crate) fn once(address: SocketAddr, request: &Request) -> io::Result<String> {
    on_one_thread(async {
        let mut connection = Connection::open(address).await?;
        let body = connection.ask(request).await?;
        Ok(String::from_utf8_lossy(body).into_owned())
    })
}

/// Runs a client on this thread.
pub(crate) fn on_one_thread<T>(future: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(future)
}
