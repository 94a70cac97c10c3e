//! Log lines about renders that fail or that are not kept.

use actix_web::HttpResponse;
use actix_web::error::ErrorBadGateway;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use futures_util::future::join_all;
use route_runtime::testing::{Outcome, TestApp};
use route_runtime::{Problem, route};
use tests::{Runs, SECOND, log, production};

#[route("/logging/[how]", revalidate = 60)]
async fn failing(how: String, runs: Data<Runs>) -> actix_web::Result<HttpResponse> {
    match &*how {
        "error" => Err(ErrorBadGateway("the shelf has fallen over")),
        "problem" => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR).into()),
        "plain" => Ok(HttpResponse::ServiceUnavailable().body("x")),
        "absent" => Ok(HttpResponse::NotFound().finish()),
        "panic" => panic!("expected by a test of the log"),
        "later" if runs.next() > 1 => Ok(HttpResponse::InternalServerError().finish()),
        _ => Ok(HttpResponse::Ok().body("x")),
    }
}

async fn app() -> TestApp {
    let routes = production([failing::ROUTE]).data(Runs::default());
    TestApp::new(routes).await.unwrap()
}

#[actix_web::test]
async fn a_failed_render_that_requests_share_is_one_warning() {
    log::listen();
    let app = app().await;
    let check = async |how: &str, expected: &[&str]| {
        let path = failing::path(how);
        join_all((0..10).map(|_| app.get(&path))).await;
        assert_eq!(log::lines_with(&format!("\"{path}\"")), expected);
    };
    let error = "WARN a render failed \"/logging/error\" 502 \"the shelf has fallen over\"";
    check("error", &[error]).await;
    let problem = "WARN a render failed \"/logging/problem\" 500 \"500 Internal Server Error\"";
    check("problem", &[problem]).await;
    check("plain", &["WARN a render failed \"/logging/plain\" 503"]).await;
    check("absent", &[]).await;
    check("fine", &[]).await;
}

#[route("/logging/large", revalidate = 60)]
async fn large() -> String {
    "x".repeat(10_000)
}

#[route("/logging/cookie", revalidate = 60)]
async fn cookie() -> HttpResponse {
    let cookie = ("set-cookie", "a=b");
    HttpResponse::Ok().insert_header(cookie).finish()
}

#[actix_web::test]
async fn the_log_says_why_a_path_was_not_rendered_ahead() {
    log::listen();
    let routes = production([large::ROUTE, cookie::ROUTE]).cache_capacity(10_000);
    TestApp::new(routes).await.unwrap();
    let check = |path: String, reason: &str| {
        let lines = log::lines_with(&format!("{path} was not rendered ahead"));
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains(reason), "{lines:?}");
    };
    check(large::path(), "ahead: its body is too large to be kept");
    check(
        cookie::path(),
        "ahead: its response is for one request only: it sets a cookie",
    );
}

#[actix_web::test]
async fn a_panic_is_logged_once() {
    log::listen();
    let app = app().await;
    let path = failing::path("panic");
    assert_eq!(app.get(&path).await.status(), 500);
    assert!(log::lines_with(&path).is_empty());
    let lines = log::lines_with("expected by a test of the log");
    assert!(
        matches!(lines.as_slice(), [line] if line.starts_with("ERROR ")),
        "{lines:?}"
    );
}

#[actix_web::test]
async fn a_failed_refresh_is_logged_as_one_warning() {
    log::listen();
    let app = app().await;
    let path = failing::path("later");
    assert_eq!(app.get(&path).await.outcome(), Some(Outcome::Miss));
    app.advance(60 * SECOND);
    for _ in 0..3 {
        assert_eq!(app.get(&path).await.outcome(), Some(Outcome::Stale));
        app.settled().await;
    }
    let expected = "WARN a render failed \"/logging/later\" 500";
    assert_eq!(log::lines_with(&path), [expected]);
}
