//! A network that a test can cut, stop, slow down or freeze.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::server::Redis;

/// A proxy between one instance and the server, which a test can disturb.
pub(crate) struct Proxy {
    port: u16,
    network: Arc<Network>,
}

/// The state of the network between an instance and the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Way {
    #[default]
    Open,
    /// Bytes are lost. A connection on which bytes were lost stays open, but is of no use any more.
    Lost,
    /// Connections stay open, but nothing passes until the network is open again. Then everything
    /// arrives late.
    Held,
    /// Connections are closed, and so is each new one.
    Closed,
    /// Each answer is held back for this long, or for twice as long if another one was before it.
    Late(Duration),
}

#[derive(Default)]
struct Network {
    state: Mutex<State>,
    changed: Condvar,
    /// Bytes that mark the connections on which they are sent; none if it is empty.
    marked: &'static [u8],
    /// The time for which everything that is sent to the server is kept.
    delay: Duration,
    /// The bytes that each connection takes a second, or 0 for any number.
    speed: u64,
}

#[derive(Default)]
struct State {
    way: Way,
    /// Marked connections pass nothing on while this is set.
    is_frozen: bool,
    /// The streams of all connections so far, both ways.
    streams: Vec<TcpStream>,
}

/// The direction of the bytes that a thread passes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    ToServer,
    ToInstance,
}

impl Proxy {
    pub(crate) fn to(server: &Redis) -> Self {
        Self::over(Network::default(), server)
    }

    /// Makes a proxy that can freeze the connections on which these bytes were ever sent.
    pub(crate) fn marking(bytes: &'static [u8], server: &Redis) -> Self {
        let network = Network {
            marked: bytes,
            ..Network::default()
        };
        Self::over(network, server)
    }

    /// Makes a proxy that keeps everything that is sent to the server for so long.
    pub(crate) fn delaying(delay: Duration, server: &Redis) -> Self {
        let network = Network {
            delay,
            ..Network::default()
        };
        Self::over(network, server)
    }

    /// Makes a proxy each of whose connections takes so many bytes a second.
    pub(crate) fn slow(speed: u64, server: &Redis) -> Self {
        let network = Network {
            speed,
            ..Network::default()
        };
        Self::over(network, server)
    }

    fn over(network: Network, server: &Redis) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let network = Arc::new(network);
        let (shared, to) = (Arc::clone(&network), server.port);
        // The threads for a connection end with it. This thread ends with the process.
        thread::spawn(move || {
            for near in listener.incoming() {
                let near = near.unwrap();
                if shared.state().way == Way::Closed {
                    continue;
                }
                let Ok(far) = TcpStream::connect(("127.0.0.1", to)) else {
                    continue;
                };
                for stream in [&near, &far] {
                    stream.set_nodelay(true).unwrap();
                    shared.state().streams.push(stream.try_clone().unwrap());
                }
                let back = (far.try_clone().unwrap(), near.try_clone().unwrap());
                for (from, to, direction) in [
                    (near, far, Direction::ToServer),
                    (back.0, back.1, Direction::ToInstance),
                ] {
                    let network = Arc::clone(&shared);
                    thread::spawn(move || network.pass_on(from, to, direction));
                }
            }
        });
        Self { port, network }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn cut(&self, cut: bool) {
        self.set(if cut { Way::Lost } else { Way::Open });
    }

    pub(crate) fn freeze(&self, frozen: bool) {
        self.network.state().is_frozen = frozen;
        self.network.changed.notify_all();
    }

    pub(crate) fn set(&self, way: Way) {
        let mut state = self.network.state();
        state.way = way;
        if way == Way::Closed {
            for stream in state.streams.drain(..) {
                // The connection may have ended already.
                stream.shutdown(Shutdown::Both).ok();
            }
        }
        self.network.changed.notify_all();
    }
}

impl Network {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the state of the network, once it holds nothing back that is sent on a connection.
    fn way(&self, is_marked: bool) -> Way {
        let is_held = |state: &mut State| state.way == Way::Held || is_marked && state.is_frozen;
        let state = self.changed.wait_while(self.state(), is_held);
        state.unwrap_or_else(PoisonError::into_inner).way
    }

    /// Passes bytes on until the connection ends on either side. Then both sides are closed.
    fn pass_on(&self, mut from: TcpStream, mut to: TcpStream, direction: Direction) {
        let mut buffer = vec![0; 1 << 16];
        let (mut is_lost, mut is_marked) = (false, false);
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let bytes = &buffer[..read];
            let mark = self.marked;
            is_marked |= !mark.is_empty() && bytes.windows(mark.len()).any(|it| it == mark);
            match self.way(is_marked) {
                Way::Lost => is_lost = true,
                Way::Late(by) if direction == Direction::ToInstance => thread::sleep(by),
                _ => {}
            }
            if direction == Direction::ToServer {
                thread::sleep(self.delay);
                if let Some(time) = (1_000_000 * read as u64).checked_div(self.speed) {
                    thread::sleep(Duration::from_micros(time));
                }
            }
            if !is_lost && to.write_all(bytes).is_err() {
                break;
            }
        }
        for stream in [from, to] {
            stream.shutdown(Shutdown::Both).ok();
        }
    }
}
