//! The API that the tutorial fetches its data from.
//!
//! A small server on a port of its own stands in for a public API, so that the tutorial works
//! without a network. `UPSTREAM_URL` names another API with the same paths, to be used instead.
//!
//! | request | answer |
//! |---|---|
//! | GET `/posts` | every post |
//! | POST `/posts` | 201 and the article with an `id`; it is stored as long as the server runs |
//! | GET `/posts/{id}` | one post, or 404 |
//! | GET `/images/random` | the data of an image, a different one for each request |
//! | GET `/calls` | how often the paths above were requested |

use std::env;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::dev::ServerHandle;
use actix_web::web::{self, Data, Json};
use actix_web::{App, HttpResponse, HttpServer, Responder, rt};
use serde_json::{Map, Value, json};

/// The API that the data comes from.
pub(crate) struct Upstream {
    url: String,
    /// The handle of the server, if it was started here.
    server: Option<ServerHandle>,
}

impl Upstream {
    /// Returns the API at `UPSTREAM_URL`, or starts one if the variable is not set.
    pub(crate) fn from_env() -> io::Result<Self> {
        match env::var("UPSTREAM_URL").ok().filter(|url| !url.is_empty()) {
            Some(url) => Ok(Self::at(url.trim_end_matches('/').into())),
            None => Self::start(),
        }
    }

    /// Returns the API at this URL.
    pub(crate) fn at(url: String) -> Self {
        Self { url, server: None }
    }

    /// Starts an API on a free port, for this machine only. It runs until the value is dropped.
    pub(crate) fn start() -> io::Result<Self> {
        let state = Data::new(State::default());
        let server = HttpServer::new(move || {
            let posts = web::resource("/posts").get(posts).post(add_post);
            App::new()
                .app_data(Data::clone(&state))
                .service(posts)
                .route("/posts/{id}", web::get().to(post))
                .route("/images/random", web::get().to(random_image))
                .route("/calls", web::get().to(calls))
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))?;
        let url = match server.addrs().first() {
            Some(address) => format!("http://{address}"),
            None => return Err(io::ErrorKind::AddrNotAvailable.into()),
        };
        let server = server.run();
        let handle = server.handle();
        rt::spawn(server);
        Ok(Self {
            url,
            server: Some(handle),
        })
    }

    /// Returns the URL of a path of the API.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            // The server gets the signal at once. Nothing waits until it has ended.
            drop(server.stop(false));
        }
    }
}

/// The state of an API that was started here.
struct State {
    posts: Mutex<Vec<Value>>,
    images: AtomicU64,
    calls: AtomicU64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            posts: Mutex::new((1..=100).map(lorem).collect()),
            images: AtomicU64::new(0),
            calls: AtomicU64::new(0),
        }
    }
}

impl State {
    fn posts(&self) -> std::sync::MutexGuard<'_, Vec<Value>> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        // No code that holds the lock can panic halfway through a change.
        self.posts
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

async fn posts(state: Data<State>) -> impl Responder {
    Json(state.posts().clone())
}

async fn post(state: Data<State>, id: web::Path<usize>) -> HttpResponse {
    let index = id.into_inner().wrapping_sub(1);
    match state.posts().get(index) {
        Some(post) => HttpResponse::Ok().json(post),
        None => HttpResponse::NotFound().finish(),
    }
}

async fn add_post(state: Data<State>, article: Json<Map<String, Value>>) -> HttpResponse {
    let mut post = article.into_inner();
    let mut posts = state.posts();
    post.insert("id".into(), (posts.len() + 1).into());
    posts.push(Value::Object(post.clone()));
    HttpResponse::Created().json(post)
}

async fn random_image(state: Data<State>) -> impl Responder {
    state.calls.fetch_add(1, Ordering::Relaxed);
    let number = state.images.fetch_add(1, Ordering::Relaxed);
    // Looks random and never repeats: multiplying by an odd number maps no two numbers to one.
    let id = format!("{:016x}", (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    Json(json!({
        "id": id,
        "url": format!("https://images.example/{id}.jpg"),
        "width": 640 + 16 * (number % 40),
        "height": 480 + 16 * (number % 30),
    }))
}

async fn calls(state: Data<State>) -> impl Responder {
    Json(json!({ "calls": state.calls.load(Ordering::Relaxed) }))
}

/// Makes the post with this number, always the same one.
fn lorem(id: usize) -> Value {
    const WORDS: [&str; 31] = [
        "lorem",
        "ipsum",
        "dolor",
        "sit",
        "amet",
        "consectetur",
        "adipiscing",
        "elit",
        "sed",
        "do",
        "eiusmod",
        "tempor",
        "incididunt",
        "ut",
        "labore",
        "et",
        "dolore",
        "magna",
        "aliqua",
        "enim",
        "minim",
        "veniam",
        "quis",
        "nostrud",
        "exercitation",
        "ullamco",
        "laboris",
        "nisi",
        "aliquip",
        "ex",
        "commodo",
    ];
    let words = |from: usize, count: usize| {
        let words = (from..from + count).map(|at| WORDS[(7 * at + id) % WORDS.len()]);
        words.collect::<Vec<_>>().join(" ")
    };
    json!({
        "id": id,
        "userId": (id - 1) / 10 + 1,
        "title": words(id, 3 + id % 4),
        "body": words(id + 5, 20 + id % 10),
    })
}
