//! Routes beside the other services of an app.

use std::sync::{Arc, Mutex};

use actix_web::body::MessageBody;
use actix_web::dev::{Service as _, ServiceResponse};
use actix_web::middleware::DefaultHeaders;
use actix_web::web::{self, Data};
use actix_web::{App, HttpMessage as _};
use route_runtime::{Matched, RouteProblem, Routes, route};
use tests::Server;

#[route("/mounting/one")]
async fn one() -> &'static str {
    "ours"
}

#[route("/mounting/many/[...rest]")]
async fn many(rest: Vec<String>) -> String {
    rest.join("|")
}

fn routes() -> Routes {
    Routes::from_iter([one::ROUTE, many::ROUTE]).unwrap()
}

#[test]
fn requests_that_no_route_matches_fall_through_to_the_app() {
    let routes = routes();
    let server = Server::start(move || {
        let theirs = |text: &'static str| web::to(move || async move { text });
        App::new()
            .route("/mounting/before", theirs("before"))
            // This stands before our routes, so the app answers, although a route matches it too.
            .route("/mounting/many/taken", theirs("taken"))
            .service(routes.clone())
            .service(web::scope("/mounting/many").route("/taken/too", theirs("never")))
            .service(web::scope("/mounting/scope").route("/after", theirs("after")))
            .default_service(theirs("default"))
    });
    for (path, answer) in [
        ("/mounting/one", "ours"),
        ("/mounting/many/a/b", "a|b"),
        ("/mounting/before", "before"),
        ("/mounting/many/taken", "taken"),
        // This stands after our routes, so a route answers.
        ("/mounting/many/taken/too", "taken|too"),
        ("/mounting/scope/after", "after"),
        ("/mounting/many", "default"),
        ("/mounting/many/..", "default"),
        ("/", "default"),
        ("/elsewhere//", "default"),
        ("/%zz", "default"),
    ] {
        assert_eq!(server.get(path).text(), answer, "{path}");
    }
    // An undeclared method at the path of a route does not fall through.
    assert_eq!(server.ask("POST", "/mounting/one").status, 405);
}

#[test]
fn several_tables_share_an_app() {
    let first = Routes::from_iter([one::ROUTE]).unwrap();
    let second = Routes::from_iter([many::ROUTE]).unwrap();
    let third = routes().at("/v1").unwrap();
    let server = Server::start(move || {
        let app = App::new().service(first.clone());
        app.service(second.clone()).service(third.clone())
    });
    assert_eq!(server.get("/mounting/one").text(), "ours");
    assert_eq!(server.get("/mounting/many/a").text(), "a");
    assert_eq!(server.get("/v1/mounting/many/a").text(), "a");
    assert_eq!(server.get("/v1").status, 404);
}

#[route("/mounting/data", dynamic = "force-dynamic")]
async fn data(ours: Data<u8>, theirs: Data<String>) -> String {
    format!("{} {}", **ours, **theirs)
}

#[test]
fn a_handler_sees_data_of_the_table_and_of_the_app() {
    let routes = Routes::from_iter([data::ROUTE]).unwrap().data(7u8);
    let server = Server::start(move || {
        App::new()
            .app_data(Data::new(String::from("theirs")))
            .app_data(Data::new(8u8))
            .service(routes.clone())
    });
    // Data of the table comes first, because it is nearer to the handler.
    assert_eq!(server.get("/mounting/data").text(), "7 theirs");
}

#[test]
fn a_prefix_goes_before_every_pattern() {
    let routes = routes().at("/api/v1").unwrap();
    let first = routes.iter().next().unwrap();
    assert_eq!(first.pattern(), "/api/v1/mounting/many/[...rest]");
    assert_eq!(routes.pattern_of("/mounting/one"), None);
    let server = Server::start(move || App::new().service(routes.clone()));
    assert_eq!(server.get("/api/v1/mounting/one").text(), "ours");
    assert_eq!(server.get("/api/v1/mounting/many/a").text(), "a");
    assert_eq!(server.get("/mounting/one").status, 404);

    assert!(self::routes().at("").is_ok());
    for wrong in ["v1", "/", "/v1/", "/a//b", "/[id]", "/..", "/a%20b", "/a?b"] {
        let error = self::routes().at(wrong).unwrap_err();
        assert_eq!(error.problems(), [RouteProblem::BadPrefix(wrong.into())]);
        let start = format!("1 problem with the routes\n\n`{wrong}` is no prefix for routes\n");
        assert!(error.to_string().starts_with(&start), "{error}");
    }
}

#[actix_web::test]
#[should_panic(
    expected = "mount them on the `App` itself, behind a prefix with `routes.at(\"/v1\")?`"
)]
async fn routes_mounted_in_a_scope_panic() {
    let app = App::new().service(web::scope("/v1").service(routes()));
    actix_web::test::init_service(app).await;
}

type Log = Arc<Mutex<Vec<String>>>;

/// Notes the status and the pattern of a response, as a logger does after routing.
fn note(log: &Log, response: &ServiceResponse<impl MessageBody>) {
    let extensions = response.request().extensions();
    let pattern = extensions.get::<Matched>().map_or("-", Matched::pattern);
    let line = format!("{} {pattern}", response.status().as_u16());
    log.lock().unwrap().push(line);
}

#[test]
fn middleware_sees_the_pattern_that_matched() {
    let log = Log::default();
    let routes = routes();
    let server = Server::start({
        let log = log.clone();
        move || {
            let log = log.clone();
            App::new()
                .wrap(DefaultHeaders::new().add(("x-app", "theirs")))
                .wrap_fn(move |request, service| {
                    let log = log.clone();
                    let response = service.call(request);
                    async move {
                        let response = response.await?;
                        note(&log, &response);
                        Ok(response)
                    }
                })
                .service(routes.clone())
        }
    });
    let response = server.get("/mounting/one");
    assert_eq!(response.header("x-app"), Some("theirs"));
    let _ = server.get("/mounting/many/a/b");
    let _ = server.get("/mounting/many//a");
    let _ = server.ask("DELETE", "/mounting/one");
    let _ = server.get("/mounting");
    assert_eq!(
        *log.lock().unwrap(),
        [
            "200 /mounting/one",
            "200 /mounting/many/[...rest]",
            "308 /mounting/many/[...rest]",
            "405 /mounting/one",
            "404 -",
        ]
    );
}
