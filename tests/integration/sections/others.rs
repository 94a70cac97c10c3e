//! Middleware that other people wrote, in a section and as a route's own `wrap`.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use actix_cors::Cors;
use actix_extensible_rate_limit::RateLimiter;
use actix_extensible_rate_limit::backend::SimpleInputFunctionBuilder;
use actix_extensible_rate_limit::backend::memory::InMemoryBackend;
use actix_session::storage::CookieSessionStore;
use actix_session::{Session, SessionMiddleware};
use actix_web::Error;
use actix_web::cookie::Key;
use actix_web::dev::ServiceRequest;
use actix_web::error::ErrorUnauthorized;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::{
    Compress, Condition, DefaultHeaders, ErrorHandlerResponse, ErrorHandlers, Logger, NormalizePath,
};
use actix_web_httpauth::extractors::bearer::BearerAuth;
use actix_web_httpauth::middleware::HttpAuthentication;
use route_runtime::{Routes, route};
use tests::{Response, Server, production};
use tracing_actix_web::TracingLogger;

#[route("/sections/others/cached", revalidate = 60)]
async fn cached() -> String {
    "cached ".repeat(200)
}

#[route(POST, "/sections/others/log-in")]
async fn log_in(session: Session) -> Result<&'static str, Error> {
    session.insert("user", "ann")?;
    Ok("welcome")
}

#[route("/sections/others/me")]
async fn me(session: Session) -> Result<String, Error> {
    let user: Option<String> = session.get("user")?;
    user.ok_or_else(|| ErrorUnauthorized("nobody"))
}

const ALL: &str = "/sections/others/[[...rest]]";

fn serve(section: impl FnOnce(Routes) -> Routes) -> Server {
    let routes = production([cached::ROUTE, log_in::ROUTE, me::ROUTE]);
    Server::routes(&section(routes))
}

fn ask(server: &Server, head: &str) -> Response {
    server.connect().ask(head)
}

async fn validator(
    request: ServiceRequest,
    token: BearerAuth,
) -> Result<ServiceRequest, (Error, ServiceRequest)> {
    match token.token() {
        "right" => Ok(request),
        _ => Err((ErrorUnauthorized("wrong token"), request)),
    }
}

#[test]
fn actix_web_httpauth_guards_a_section() {
    let server = serve(|it| it.wrap(ALL, || HttpAuthentication::bearer(validator)));
    let path = "/sections/others/cached HTTP/1.1";
    let right = ask(&server, &format!("GET {path}\nAuthorization: Bearer right"));
    assert_eq!(
        (right.status, right.cache_status()),
        (200, "route; fwd=miss; stored")
    );
    for head in ["", "\nAuthorization: Bearer wrong"] {
        let refused = ask(&server, &format!("GET {path}{head}"));
        assert_eq!(
            (refused.status, refused.header("etag")),
            (401, None),
            "{head}"
        );
    }
    let hit = ask(
        &server,
        &format!("HEAD {path}\nAuthorization: Bearer right"),
    );
    assert_eq!(hit.status, 200);
}

#[test]
fn actix_session_keeps_a_user_logged_in_over_a_section() {
    let key = Key::generate();
    let server = serve(|it| {
        it.wrap_open(ALL, move || {
            SessionMiddleware::new(CookieSessionStore::default(), key.clone())
        })
    });
    let nobody = ask(&server, "GET /sections/others/me HTTP/1.1");
    assert_eq!(nobody.status, 401);
    let mut wire = server.connect();
    let welcome = wire.ask("POST /sections/others/log-in HTTP/1.1");
    assert_eq!(welcome.text(), "welcome");
    let told = welcome.header("cache-control").unwrap();
    assert!(told.contains("private"), "{told}");
    let cookie = welcome
        .header("set-cookie")
        .unwrap()
        .split(';')
        .next()
        .unwrap();
    let ann = ask(
        &server,
        &format!("GET /sections/others/me HTTP/1.1\nCookie: {cookie}"),
    );
    assert_eq!((ann.status, ann.text()), (200, "ann"));
}

#[test]
fn actix_cors_answers_preflights_and_marks_hits_and_refusals() {
    let cors = || {
        Cors::default()
            .allowed_origin("https://a.example")
            .allowed_methods(["GET", "POST"])
    };
    let server = serve(|it| it.wrap_open(ALL, cors));
    let preflight = ask(
        &server,
        "OPTIONS /sections/others/log-in HTTP/1.1\nOrigin: https://a.example\n\
         Access-Control-Request-Method: POST",
    );
    assert_eq!(preflight.status, 200);
    let allowed = Some("https://a.example");
    assert_eq!(preflight.header("access-control-allow-origin"), allowed);
    for (method, status) in [("GET", 200), ("GET", 200), ("DELETE", 405)] {
        let path = "/sections/others/cached HTTP/1.1\nOrigin: https://a.example";
        let reply = ask(&server, &format!("{method} {path}"));
        assert_eq!(reply.status, status);
        assert_eq!(
            reply.header("access-control-allow-origin"),
            allowed,
            "{method}"
        );
    }
}

#[test]
fn a_rate_limiter_whose_counts_are_captured_counts_for_all_workers() {
    let counts = InMemoryBackend::builder().with_gc_interval(None).build();
    let limited = move || {
        let input = SimpleInputFunctionBuilder::new(Duration::from_secs(3600), 3)
            .custom_key("everybody")
            .build();
        RateLimiter::builder(counts.clone(), input).build()
    };
    let routes = production([cached::ROUTE]).wrap(ALL, limited);
    // Each server stands for a worker: it makes middleware of its own.
    let workers = [Server::routes(&routes), Server::routes(&routes)];
    let statuses: Vec<_> = (0..6)
        .map(|number| ask(&workers[number % 2], "GET /sections/others/cached HTTP/1.1").status)
        .collect();
    assert_eq!(statuses, [200, 200, 200, 429, 429, 429]);
}

#[test]
fn middleware_of_actix_web_itself_runs_in_a_section() {
    let server = serve(|it| {
        it.wrap_open(ALL, Logger::default)
            .wrap_open(ALL, TracingLogger::default)
            .wrap_open(ALL, || DefaultHeaders::new().add(("x-default", "1")))
            .wrap_open(ALL, || Condition::new(true, Compress::default()))
            .wrap_open(ALL, || {
                ErrorHandlers::new().handler(StatusCode::METHOD_NOT_ALLOWED, |mut response| {
                    let headers = response.response_mut().headers_mut();
                    headers.insert(
                        HeaderName::from_static("x-handled"),
                        HeaderValue::from_static("1"),
                    );
                    Ok(ErrorHandlerResponse::Response(
                        response.map_into_left_body(),
                    ))
                })
            })
            // Its change of the path is undone: we redirect to the canonical path ourselves.
            .wrap_open(ALL, NormalizePath::trim)
    });
    for _ in 0..2 {
        let reply = ask(
            &server,
            "GET /sections/others/cached HTTP/1.1\nAccept-Encoding: gzip",
        );
        assert_eq!(reply.header("content-encoding"), Some("gzip"));
        assert_eq!(reply.header("x-default"), Some("1"));
    }
    let refused = ask(&server, "DELETE /sections/others/cached HTTP/1.1");
    assert_eq!(
        (refused.status, refused.header("x-handled")),
        (405, Some("1"))
    );
    let slash = ask(&server, "GET /sections/others/cached/ HTTP/1.1");
    let clean = Some("/sections/others/cached");
    assert_eq!((slash.status, slash.header("location")), (308, clean));
}

static MADE: AtomicU32 = AtomicU32::new(0);

fn counted() -> DefaultHeaders {
    MADE.fetch_add(1, Ordering::Relaxed);
    DefaultHeaders::new().add(("x-counted", "1"))
}

#[route("/sections/wrapped/[id]", revalidate = 60, wrap = counted(), wrap = Logger::default())]
async fn wrapped(id: String) -> String {
    id
}

#[route(
    "/sections/authenticated",
    wrap = Condition::new(true, HttpAuthentication::bearer(validator)),
    wrap = async |request: ServiceRequest, next: actix_web::middleware::Next<_>| {
        next.call(request).await
    }
)]
async fn authenticated() -> &'static str {
    "in"
}

#[test]
fn the_expression_of_a_wrap_is_evaluated_once_on_each_worker() {
    let server = Server::routes(&production([wrapped::ROUTE, authenticated::ROUTE]));
    for path in [
        "/sections/wrapped/a",
        "/sections/wrapped/a",
        "/sections/wrapped/b",
    ] {
        assert_eq!(server.get(path).header("x-counted"), Some("1"));
    }
    assert_eq!(MADE.load(Ordering::Relaxed), 1);
    assert_eq!(server.get("/sections/authenticated").status, 401);
    let right = "GET /sections/authenticated HTTP/1.1\nAuthorization: Bearer right";
    assert_eq!(ask(&server, right).text(), "in");
}
