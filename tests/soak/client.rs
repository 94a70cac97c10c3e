//! The clients. They know which responses would be wrong.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tests::{Connection, Response};

use super::ITEMS;

/// The state that all clients share.
pub(crate) struct Shared {
    address: SocketAddr,
    end: Instant,
    /// The newest version of each item whose invalidation has resolved, by path or by tag.
    written: [AtomicU64; ITEMS],
    /// The newest version of each item whose invalidation by tag has resolved. The data made from
    /// an item has only its tag, so no other invalidation reaches it.
    tagged: [AtomicU64; ITEMS],
}

impl Shared {
    pub(crate) fn new(address: SocketAddr, end: Instant) -> Self {
        Self {
            address,
            end,
            written: [const { AtomicU64::new(0) }; ITEMS],
            tagged: [const { AtomicU64::new(0) }; ITEMS],
        }
    }
}

/// The counts of what a client has done.
#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) requests: u64,
    pub(crate) reads: u64,
    pub(crate) writes: u64,
    pub(crate) failures: u64,
    pub(crate) hang_ups: u64,
    pub(crate) slowest: Duration,
}

/// The time that only a hung request exceeds. The longest time limit of a handler is a second.
const BOUND: Duration = Duration::from_secs(20);

pub(crate) struct Client<'a> {
    shared: &'a Shared,
    connection: Connection,
    figures: Figures,
    random: u64,
}

impl<'a> Client<'a> {
    pub(crate) fn new(shared: &'a Shared, number: u64) -> Self {
        Self {
            shared,
            connection: Connection::open(shared.address),
            figures: Figures::default(),
            random: number + 1,
        }
    }

    /// Sends requests until the time is over.
    ///
    /// # Panics
    ///
    /// On the first fault.
    pub(crate) fn run(mut self) -> Figures {
        while Instant::now() < self.shared.end {
            let id = self.below(ITEMS);
            match self.below(100) {
                0..45 => self.read("item", id, &self.shared.written),
                45..65 => self.read("data", id, &self.shared.tagged),
                65..75 => self.write(id),
                75..80 => {
                    // So many paths that some have no entry. Their failed renders reach the
                    // client.
                    let id = self.below(500);
                    let response = self.ask(&format!("GET /soak/failing/{id} HTTP/1.1"));
                    let is_expected = matches!(response.status, 200 | 500 | 504);
                    assert!(is_expected, "{}", response.status);
                    self.figures.failures += u64::from(response.status != 200);
                }
                80..92 => {
                    let id = self.below(2000);
                    let response = self.well(&format!("GET /soak/large/{id} HTTP/1.1"));
                    assert!(response.text().starts_with(&format!("{id} {id} ")));
                }
                92..96 => {
                    let response = self.well(&format!("GET /soak/own/{id} HTTP/1.1"));
                    assert!(response.header("set-cookie").is_some());
                    assert_eq!(response.header("age"), None);
                }
                96..98 => self.hang_up(&format!("GET /soak/failing/{} HTTP/1.1", id % 8)),
                98 => self.hang_up("GET /soak/endless HTTP/1.1"),
                _ => self.hang_up(&format!(
                    "POST /soak/item/{id}?by=tag HTTP/1.1\nContent-Length: 9"
                )),
            }
        }
        self.figures
    }

    /// Reads a version, which must be no older than the newest that was written before the request.
    fn read(&mut self, kind: &str, id: usize, newest: &[AtomicU64; ITEMS]) {
        let newest = newest[id].load(Ordering::SeqCst);
        let response = self.well(&format!("GET /soak/{kind}/{id} HTTP/1.1"));
        let found: u64 = response.text().parse().expect("a version");
        assert!(
            found >= newest,
            "{kind} {id} is {found} after {newest} was written: {}",
            response.cache_status()
        );
        self.figures.reads += 1;
    }

    fn write(&mut self, id: usize) {
        let by = ["tag", "path"][self.below(2)];
        let response = self.well(&format!("POST /soak/item/{id}?by={by} HTTP/1.1"));
        let written: u64 = response.text().parse().expect("a version");
        self.shared.written[id].fetch_max(written, Ordering::SeqCst);
        if by == "tag" {
            self.shared.tagged[id].fetch_max(written, Ordering::SeqCst);
        }
        self.figures.writes += 1;
        self.read("item", id, &self.shared.written);
    }

    /// Begins a request and hangs up. Of an endless response, reads a little first.
    fn hang_up(&mut self, head: &str) {
        let mut connection = Connection::open(self.shared.address);
        connection.begin(head);
        if head.contains("endless") {
            connection.head();
            connection.chunk();
        }
        connection.hang_up();
        self.figures.hang_ups += 1;
    }

    fn well(&mut self, head: &str) -> Response {
        let response = self.ask(head);
        assert_eq!(response.status, 200, "{head}: {}", response.cache_status());
        response
    }

    fn ask(&mut self, head: &str) -> Response {
        let start = Instant::now();
        let response = self.connection.ask(head);
        let took = start.elapsed();
        assert!(took < BOUND, "{head} took {took:?}");
        self.figures.slowest = self.figures.slowest.max(took);
        self.figures.requests += 1;
        // Opens a new connection now and then, too.
        let is_last = response.header("connection") == Some("close");
        if is_last || self.figures.requests.is_multiple_of(100) {
            self.connection = Connection::open(self.shared.address);
        }
        response
    }

    fn below(&mut self, end: usize) -> usize {
        // xorshift64
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % end as u64) as usize
    }
}
