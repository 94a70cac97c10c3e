//! Errors of other people's types, which `?` makes a response of: they are not for clients.

use std::error::Error;
use std::fmt;
use std::io;

use actix_web::http::header::HeaderValue;
use actix_web::web::{Form, Json};
use actix_web::{FromRequest, HttpRequest, ResponseError, dev::Payload, error};
use route_runtime::{Mode, page, route};
use serde::ser::{Error as _, Serialize, Serializer};
use tests::{Server, log, production};

use super::{check_html, check_json};

/// A text that no client may read.
const SECRET: &str = "postgres://admin:hunter2@db";

fn secret() -> io::Error {
    io::Error::other(SECRET)
}

fn fail(how: &str) -> Result<String, actix_web::Error> {
    Err(match how {
        "boxed" => Box::<dyn Error>::from(SECRET).into(),
        "io" => secret().into(),
        "missing-file" => io::Error::new(io::ErrorKind::NotFound, SECRET).into(),
        "forbidden-file" => io::Error::new(io::ErrorKind::PermissionDenied, SECRET).into(),
        "json" => serde_json::from_str::<u8>(SECRET).unwrap_err().into(),
        "header" => HeaderValue::from_str("\n").unwrap_err().into(),
        _ => return Ok("fine".into()),
    })
}

#[route("/foreign/dynamic/[how]")]
async fn dynamic(how: String) -> Result<String, actix_web::Error> {
    fail(&how)
}

#[route("/foreign/cached/[how]", revalidate = 10)]
async fn cached(how: String) -> Result<String, actix_web::Error> {
    fail(&how)
}

#[page("/foreign/page/[how]")]
async fn in_page(how: String) -> Result<String, actix_web::Error> {
    fail(&how)
}

/// Returns an error in the way in which it is mostly written.
#[route("/foreign/question-mark")]
async fn question_mark(_request: HttpRequest) -> Result<String, Box<dyn Error>> {
    let text = std::fs::read_to_string("/nowhere/at/all")?;
    Ok(text)
}

#[test]
fn an_error_of_a_foreign_type_is_a_500_that_says_nothing_and_is_logged() {
    log::listen();
    let all = [
        dynamic::ROUTE,
        cached::ROUTE,
        in_page::ROUTE,
        question_mark::ROUTE,
    ];
    let server = Server::routes(&production(all));
    for how in [
        "boxed",
        "io",
        "missing-file",
        "forbidden-file",
        "json",
        "header",
    ] {
        for route in ["dynamic", "cached"] {
            let found = server.get(&format!("/foreign/{route}/{how}"));
            check_json(&found, 500, "Internal Server Error", None);
        }
        let found = server.get(&format!("/foreign/page/{how}"));
        check_html(&found, 500, "Internal Server Error", None);
    }
    let found = server.get("/foreign/question-mark");
    check_json(&found, 500, "Internal Server Error", None);
    for (pattern, count) in [
        ("/foreign/dynamic/[how]", 4),
        ("/foreign/cached/[how]", 4),
        ("/foreign/page/[how]", 4),
    ] {
        let lines = log::lines_with(&format!("\"{pattern}\""));
        let secrets = lines.iter().filter(|line| line.contains(SECRET));
        assert_eq!(secrets.count(), count, "{lines:?}");
        assert_eq!(lines.len(), 6, "each is told once: {lines:?}");
    }
    let lines = log::lines_with("\"/foreign/question-mark\"");
    assert!(lines[0].contains("No such file"), "{lines:?}");

    // Developers are told.
    let server = Server::routes(&production([dynamic::ROUTE]).mode(Mode::Development));
    let found = server.get("/foreign/dynamic/missing-file");
    check_json(&found, 500, "Internal Server Error", Some(SECRET));
}

/// A value that cannot be written.
#[derive(Debug)]
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom(SECRET))
    }
}

#[route("/foreign/unwritable/json")]
async fn unwritable_json(_request: HttpRequest) -> Json<Unwritable> {
    Json(Unwritable)
}

#[route("/foreign/unwritable/form", revalidate = 10)]
async fn unwritable_form() -> Form<Unwritable> {
    Form(Unwritable)
}

#[test]
fn a_body_that_cannot_be_written_is_a_500_that_says_nothing_and_is_logged() {
    log::listen();
    let all = [unwritable_json::ROUTE, unwritable_form::ROUTE];
    let server = Server::routes(&production(all));
    for path in ["/foreign/unwritable/json", "/foreign/unwritable/form"] {
        let found = server.get(path);
        check_json(&found, 500, "Internal Server Error", None);
        let lines = log::lines_with(&format!("\"{path}\""));
        assert!(lines.len() == 1 && lines[0].contains(SECRET), "{lines:?}");
    }
}

#[route("/foreign/text/[how]")]
async fn of_the_client(how: String) -> Result<String, actix_web::Error> {
    match &*how {
        "text" => Ok(std::str::from_utf8(&[0xff; 2][..])?.into()),
        _ => Err(serde::de::Error::custom::<&str>("no `page`"))
            .map_err(|error: serde::de::value::Error| error.into()),
    }
}

/// An error that actix-web takes for the client's fault stays one.
#[test]
fn text_and_queries_that_cannot_be_read_are_the_clients() {
    let server = Server::routes(&production([of_the_client::ROUTE]));
    for how in ["text", "query"] {
        let found = server.get(&format!("/foreign/text/{how}"));
        check_json(&found, 400, "Bad Request", None);
    }
}

/// An error of the program's own, which says itself what it is answered with.
#[derive(Debug)]
struct Own;

impl fmt::Display for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("own words")
    }
}

impl ResponseError for Own {}

#[route("/foreign/own/[how]")]
async fn own(how: String) -> Result<String, actix_web::Error> {
    Err(match &*how {
        "type" => Own.into(),
        _ => error::ErrorServiceUnavailable("back at noon"),
    })
}

#[test]
fn an_error_of_the_programs_own_says_what_it_says_and_is_logged() {
    log::listen();
    let server = Server::routes(&production([own::ROUTE]));
    let found = server.get("/foreign/own/type");
    assert_eq!((found.status, found.text()), (500, "own words"));
    let found = server.get("/foreign/own/wrapped");
    assert_eq!((found.status, found.text()), (503, "back at noon"));
    let lines = log::lines_with("\"/foreign/own/[how]\"");
    assert_eq!(lines.len(), 2, "{lines:?}");
}

struct Reading;

impl FromRequest for Reading {
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<Self>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(Err(io::Error::new(io::ErrorKind::NotFound, SECRET)))
    }
}

#[route("/foreign/extractor")]
async fn extracts(_reading: Reading) -> &'static str {
    "never"
}

#[test]
fn an_argument_that_fails_for_a_foreign_reason_is_a_500() {
    log::listen();
    let server = Server::routes(&production([extracts::ROUTE]));
    check_json(
        &server.get("/foreign/extractor"),
        500,
        "Internal Server Error",
        None,
    );
    let lines = log::lines_with("\"/foreign/extractor\"");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains(SECRET), "{lines:?}");
}
