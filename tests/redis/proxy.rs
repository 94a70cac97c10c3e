//! A network that a test can cut.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::server::Redis;

/// A proxy between one instance and the server, which a test can cut.
pub(crate) struct Proxy {
    port: u16,
    cut: Arc<AtomicBool>,
}

impl Proxy {
    pub(crate) fn to(server: &Redis) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (cut, to) = (Arc::new(AtomicBool::new(false)), server.port);
        let proxy = Self {
            port,
            cut: Arc::clone(&cut),
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
                for (from, to) in [(near, far), back] {
                    let cut = Arc::clone(&cut);
                    thread::spawn(move || pump(from, to, &cut));
                }
            }
        });
        proxy
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::SeqCst);
    }
}

/// Passes bytes on. Bytes that arrive while the proxy is cut are lost, and so is the connection.
fn pump(mut from: TcpStream, mut to: TcpStream, cut: &AtomicBool) {
    let mut buffer = [0; 4096];
    let mut lost = false;
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        lost |= cut.load(Ordering::SeqCst);
        if !lost && to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
}
