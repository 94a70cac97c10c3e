//! A network that a test can cut, slow down or freeze.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::server::Redis;

/// A proxy between one instance and the server.
pub(crate) struct Proxy {
    port: u16,
    network: Arc<Network>,
}

#[derive(Default)]
struct Network {
    cut: AtomicBool,
    /// Connections on which these bytes were sent pass nothing on while this is set.
    frozen: AtomicBool,
    marked: &'static [u8],
    delay: Duration,
    /// The bytes that each connection takes a second, or 0 for any number.
    speed: u32,
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
    pub(crate) fn slow(speed: u32, server: &Redis) -> Self {
        let network = Network {
            speed,
            ..Network::default()
        };
        Self::over(network, server)
    }

    fn over(network: Network, server: &Redis) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (network, to) = (Arc::new(network), server.port);
        let proxy = Self {
            port,
            network: Arc::clone(&network),
        };
        // The threads for a connection end with it. This thread ends with the process.
        thread::spawn(move || {
            for near in listener.incoming() {
                let near = near.unwrap();
                let Ok(far) = TcpStream::connect(("127.0.0.1", to)) else {
                    continue;
                };
                for stream in [&near, &far] {
                    stream.set_nodelay(true).unwrap();
                }
                let back = (far.try_clone().unwrap(), near.try_clone().unwrap());
                let there = Arc::clone(&network);
                thread::spawn(move || pump(near, far, &there, true));
                let here = Arc::clone(&network);
                thread::spawn(move || pump(back.0, back.1, &here, false));
            }
        });
        proxy
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn cut(&self, cut: bool) {
        self.network.cut.store(cut, Ordering::SeqCst);
    }

    pub(crate) fn freeze(&self, frozen: bool) {
        self.network.frozen.store(frozen, Ordering::SeqCst);
    }
}

/// Passes bytes on, there or back. Bytes that arrive while the proxy is cut are lost, and so is the
/// connection.
fn pump(mut from: TcpStream, mut to: TcpStream, network: &Network, there: bool) {
    let mut buffer = [0; 4096];
    let (mut lost, mut marked) = (false, false);
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let bytes = &buffer[..read];
        lost |= network.cut.load(Ordering::SeqCst);
        let mark = network.marked;
        marked |= !mark.is_empty() && bytes.windows(mark.len()).any(|it| it == mark);
        while marked && network.frozen.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(5));
        }
        if there {
            thread::sleep(network.delay);
            if let Some(time) =
                (1_000_000 * u32::try_from(read).unwrap()).checked_div(network.speed)
            {
                thread::sleep(Duration::from_micros(time.into()));
            }
        }
        if !lost && to.write_all(bytes).is_err() {
            break;
        }
    }
}
