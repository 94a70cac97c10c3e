//! A real HTTP server that data is fetched from, and that counts its requests.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::http::header;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse};
use futures_util::{StreamExt as _, stream};

use crate::{Gate, Server};

/// A server that answers as follows, until its last clone is dropped:
///
/// | path | answer |
/// |---|---|
/// | `/count/…` | the number of requests for that path so far |
/// | `/truth/…` | that number, a space, and [the truth](Self::set_truth) |
/// | `/slow/…` | as `/count`, once [`let_go`](Self::let_go) is called for it |
/// | `/flaky/…` | as `/count`, or 500 while it is [`broken`](Self::set_broken) |
/// | `/status/{code}` | that status and `x` |
/// | `/echo/…` | method, body and the header `x-who` |
/// | `/bytes/{n}` | n bytes, 0 to 255 over and over |
/// | `/gzip/…` | `compressed`, as gzip |
/// | `/cookie/…` | `Set-Cookie` and a count |
/// | `/cut/…` | a part of a body, then nothing |
/// | `/loop/…` | a redirect to itself |
#[derive(Clone, Debug)]
pub struct Upstream {
    state: Data<State>,
    server: Arc<Server>,
}

#[derive(Debug, Default)]
struct State {
    asked: Mutex<HashMap<String, u32>>,
    is_broken: AtomicBool,
    truth: AtomicU32,
    slow: Gate,
}

impl State {
    fn asked(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Upstream {
    /// Starts an upstream on a free port of 127.0.0.1.
    #[must_use]
    pub fn start() -> Self {
        let state = Data::new(State::default());
        let shared = Data::clone(&state);
        let server = Server::start(move || {
            App::new()
                .app_data(Data::clone(&shared))
                .app_data(web::PayloadConfig::new(1 << 20))
                .default_service(web::to(answer))
        });
        Self {
            state,
            server: Arc::new(server),
        }
    }

    /// Returns the URL of a path on this server.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// Returns the address that the server listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Returns the number of requests for a path so far.
    #[must_use]
    pub fn asked(&self, path: &str) -> u32 {
        self.state.asked().get(path).copied().unwrap_or_default()
    }

    /// Lets the server answer one request for `/slow`.
    pub fn let_go(&self) {
        self.state.slow.open();
    }

    /// Sets the number that `/truth` answers with from now on. It is 0 at first.
    pub fn set_truth(&self, truth: u32) {
        self.state.truth.store(truth, Ordering::SeqCst);
    }

    /// Sets whether `/flaky` fails from now on.
    pub fn set_broken(&self, is_broken: bool) {
        self.state.is_broken.store(is_broken, Ordering::SeqCst);
    }
}

async fn answer(request: HttpRequest, body: Bytes, state: Data<State>) -> HttpResponse {
    let path = request.path();
    let count = {
        let mut asked = state.asked();
        let count = asked.entry(path.into()).or_default();
        *count += 1;
        *count
    };
    let mut parts = path.split('/').skip(1);
    let kind = parts.next().unwrap_or_default();
    let number = parts.next().and_then(|number| number.parse::<u32>().ok());
    match kind {
        "count" => HttpResponse::Ok().body(count.to_string()),
        "truth" => {
            let truth = state.truth.load(Ordering::SeqCst);
            HttpResponse::Ok().body(format!("{count} {truth}"))
        }
        "slow" => {
            state.slow.pass().await;
            HttpResponse::Ok().body(count.to_string())
        }
        "flaky" if state.is_broken.load(Ordering::SeqCst) => {
            HttpResponse::InternalServerError().body("broken")
        }
        "flaky" => HttpResponse::Ok().body(count.to_string()),
        "status" => {
            let status = number
                .and_then(|number| u16::try_from(number).ok())
                .unwrap_or(200);
            let status = actix_web::http::StatusCode::from_u16(status).expect("a status");
            HttpResponse::build(status).body("x")
        }
        "echo" => {
            let body = String::from_utf8_lossy(&body);
            let who = request
                .headers()
                .get("x-who")
                .and_then(|who| who.to_str().ok());
            let who = who.unwrap_or("nobody");
            HttpResponse::Ok().body(format!("{} {body} {who} {count}", request.method()))
        }
        "bytes" => {
            let bytes: Vec<u8> = (0..number.unwrap_or_default())
                .map(|it| (it % 256) as u8)
                .collect();
            HttpResponse::Ok().body(bytes)
        }
        "gzip" => HttpResponse::Ok()
            .insert_header((header::CONTENT_ENCODING, "gzip"))
            .body(&COMPRESSED[..]),
        "cookie" => HttpResponse::Ok()
            .insert_header((header::SET_COOKIE, "session=secret"))
            .insert_header(("x-kept", "yes"))
            .body(count.to_string()),
        "cut" => {
            let half = stream::once(async { Ok(Bytes::from_static(b"half")) });
            let cut = stream::once(async {
                // Let the server send the first half before the error.
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
                Err(io::Error::other("cut"))
            });
            HttpResponse::Ok().streaming(half.chain(cut).boxed_local())
        }
        "loop" => HttpResponse::Found()
            .insert_header((header::LOCATION, path))
            .finish(),
        _ => HttpResponse::NotFound().finish(),
    }
}

/// The output of `printf compressed | gzip -n`.
const COMPRESSED: [u8; 30] = [
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x4b, 0xce, 0xcf, 0x2d, 0x28, 0x4a,
    0x2d, 0x2e, 0x4e, 0x4d, 0x01, 0x00, 0x1e, 0x4b, 0x56, 0x97, 0x0a, 0x00, 0x00, 0x00,
];
