//! One cache for all workers: each wrong way to make the routes is an error that says so, and each
//! right way has one cache.

use actix_web::App;
use actix_web::body::MessageBody;
use actix_web::test::init_service;
use route_runtime::testing::TestApp;
use route_runtime::{AppFactory, Mode, RouteProblem, Routes, route};
use tests::{Connection, Program};

#[route("/one-cache/a")]
async fn a() -> &'static str {
    "a"
}

#[route("/one-cache/b")]
async fn b() -> &'static str {
    "b"
}

fn routes() -> Routes {
    Routes::from_iter([a::ROUTE])
        .unwrap()
        .mode(Mode::Production)
}

/// Returns the problem of a test's app.
async fn problem<T, B>(app: impl FnOnce(Routes) -> App<T>) -> Option<RouteProblem>
where
    T: AppFactory<B>,
    B: MessageBody + 'static,
{
    let error = TestApp::with(routes(), app).await.err()?;
    Some(error.problems()[0].clone())
}

#[actix_web::test]
async fn a_test_app_that_mounts_other_routes_than_it_was_given_is_an_error_with_the_place() {
    let other = |problem: Option<RouteProblem>| {
        let is_other = matches!(&problem, Some(RouteProblem::OtherTable { made }) if made.file().ends_with("one_cache.rs"));
        assert!(is_other, "{problem:?}");
    };
    other(problem(|routes| App::new().service(routes.at("/v1").unwrap())).await);
    other(problem(|routes| App::new().service(routes.data(7_u8))).await);
    other(problem(|routes| App::new().service(routes.mode(Mode::Production))).await);
    other(problem(|routes| App::new().service(routes.cdn(true))).await);
    other(
        problem(|routes| {
            let again = routes.clone().at("/v1").unwrap();
            App::new().service(routes).service(again)
        })
        .await,
    );
    assert_eq!(
        problem(|routes| App::new().service(routes.clone())).await,
        None
    );
    // Routes that are never mounted, and others that are no change of these, are legal.
    assert_eq!(problem(|_| App::new()).await, None);
    let others = Routes::from_iter([b::ROUTE]).unwrap().at("/v2").unwrap();
    assert_eq!(
        problem(|routes| App::new().service(routes).service(others)).await,
        None
    );
}

#[actix_web::test]
async fn two_instances_in_one_test_are_legal() {
    let one = init_service(App::new().service(routes())).await;
    let two = init_service(App::new().service(routes())).await;
    drop((one, two));
}

const ONE_CACHE: &str = env!("CARGO_BIN_EXE_one-cache");

#[test]
fn routes_made_in_each_right_place_have_one_cache() {
    for way in [
        "server at",
        "server app",
        "outside",
        "another app",
        "lazily",
    ] {
        let production = [("ROUTE_MODE", "production")];
        let mut program = Program::start(ONE_CACHE, &[way], &production);
        let address = program.address();
        let ask = |head: &str| Connection::open(address).ask(&format!("{head} HTTP/1.1"));
        let mut last = String::new();
        for _ in 0..5 {
            // Connections go to the workers in turn.
            let renders: Vec<_> = (0..4)
                .map(|_| ask("GET /v1/cached").text().to_owned())
                .collect();
            assert!(
                renders.iter().all(|it| *it == renders[0]),
                "{way}: {renders:?}"
            );
            assert_ne!(renders[0], last, "{way}");
            last = renders[0].clone();
            assert_eq!(ask("POST /v1/again").text(), "again", "{way}");
        }
        if way == "server app" {
            assert_eq!(ask("GET /theirs").text(), "word");
        }
    }
}

#[test]
fn routes_made_in_each_wrong_place_are_an_error_with_its_cure() {
    for (way, what, cure) in [
        (
            "at in app",
            "the app mounts other routes than it was given",
            "call `at`, `data` and the like on `Server`",
        ),
        (
            "data in app",
            "the app mounts other routes than it was given",
            "call `at`, `data` and the like on `Server`",
        ),
        (
            "collect in app",
            "routes that each worker makes for itself",
            "make the routes before `HttpServer::new`",
        ),
        (
            "collect in closure",
            "routes that each worker makes for itself",
            "make the routes before `HttpServer::new`",
        ),
        (
            "host name of a test",
            "routes that each worker makes for itself",
            "make the routes before `HttpServer::new`",
        ),
        (
            "at in closure",
            "routes that each worker makes for itself",
            "make the routes before `HttpServer::new`",
        ),
    ] {
        let ended = Program::start(ONE_CACHE, &[way], &[]).end();
        assert_ne!(ended.code, Some(0), "{way}");
        let errors = ended.stderr;
        assert!(
            errors.contains(what) && errors.contains(cure),
            "{way}: {errors}"
        );
        assert!(
            errors.contains("made at tests/fixtures/one_cache.rs:"),
            "{way}: {errors}"
        );
        // `Server` says it itself, instead of a worker that panics.
        assert_eq!(
            errors.contains("panicked"),
            !way.ends_with("app"),
            "{way}: {errors}"
        );
    }
}

#[test]
fn one_worker_may_make_its_own_routes() {
    let mut program = Program::start(ONE_CACHE, &["one worker"], &[]);
    assert_eq!(program.connect().ask("GET /cached HTTP/1.1").status, 200);
}

#[test]
fn a_middleware_that_cannot_be_made_is_an_error_that_names_it() {
    let ended = Program::start(ONE_CACHE, &["broken middleware"], &[]).end();
    let errors = ended.stderr;
    let place = "wrap(\"/[[...rest]]\", …) of Broken at tests/fixtures/one_cache.rs:";
    assert!(errors.contains(place), "{errors}");
    assert_ne!(ended.code, Some(0));
}
