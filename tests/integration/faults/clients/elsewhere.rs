//! Extractors that a handler or a middleware calls, and error handlers of the app.

use actix_multipart::form::MultipartFormConfig;
use actix_web::error::InternalError;
use actix_web::web::{PathConfig, PayloadConfig, QueryConfig};
use actix_web::{App, HttpResponse, mime};
use tests::{Server, production};

use super::{JSON, MULTIPART, all, check_400, check_json, post};

#[test]
fn a_handler_that_calls_an_extractor_tells_the_same() {
    let server = Server::routes(&production(all()));
    let found = post(&server, "/clients/inside/query?likes=1", JSON, "");
    check_400(&found, "in the query: missing field `title`");
    let found = post(&server, "/clients/inside/json", JSON, "{}");
    check_400(
        &found,
        "in the body: missing field `title` at line 1 column 2",
    );
    let found = post(&server, "/clients/inside/hunter2", JSON, "");
    check_json(&found, 404, "Not Found", None);
}

#[test]
fn a_middleware_that_calls_an_extractor_tells_the_same() {
    let server = Server::routes(&production(all()));
    let found = post(&server, "/clients/guarded?likes=1", JSON, "");
    check_400(&found, "in the query: missing field `title`");
}

#[test]
fn an_error_handler_of_the_app_may_return_the_error_or_a_response_of_its_own() {
    let routes = production(all());
    let server =
        Server::start(move || {
            let own = |text: &'static str| move || HttpResponse::Conflict().body(text);
            let query = own("our query");
            let upload = own("our form");
            App::new()
                .app_data(PathConfig::default().error_handler(|error, _| error.into()))
                .app_data(QueryConfig::default().error_handler(move |error, _| {
                    InternalError::from_response(error, query()).into()
                }))
                .app_data(
                    MultipartFormConfig::default().error_handler(move |error, _| {
                        InternalError::from_response(error, upload()).into()
                    }),
                )
                .app_data(PayloadConfig::new(5).mimetype(mime::TEXT_CSV))
                .service(routes.clone())
        });
    let found = server.get("/clients/path/hunter2");
    check_400(&found, "in the path: invalid value, expected u32");
    let found = server.get("/clients/query");
    assert_eq!((found.status, found.text()), (409, "our query"));
    let found = post(&server, "/clients/upload", MULTIPART, "--x--\r\n");
    assert_eq!((found.status, found.text()), (409, "our form"));
    let found = post(&server, "/clients/bytes", "text/plain", "a");
    check_400(
        &found,
        "the header `Content-Type` names a type that is not accepted",
    );
    let found = post(&server, "/clients/bytes", "text/csv", "hunter2");
    check_json(
        &found,
        413,
        "Payload Too Large",
        Some("the body is too large"),
    );
}
