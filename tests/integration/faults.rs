//! Responses of the framework when something goes wrong.

use std::fmt;
use std::str::FromStr;

use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Json};
use actix_web::{App, FromRequest, HttpRequest, HttpResponse, Responder, ResponseError};
use route_runtime::{
    Mode, Problem, RevalidateError, RouteDescriptor, Routes, not_found, page, revalidate_path,
    route,
};
use serde_json::Value;
use tests::{Response, Server, request};

mod clients;
mod foreign;

fn server(mode: Mode, routes: impl IntoIterator<Item = RouteDescriptor>) -> Server {
    let routes = Routes::from_iter(routes).unwrap().mode(mode);
    Server::start(move || App::new().service(routes.clone()))
}

/// Asserts that the response is a JSON problem with this status, title and detail, if any.
#[track_caller]
fn check_json(response: &Response, status: u16, title: &str, detail: Option<&str>) {
    assert_eq!(response.status, status);
    let kind = response.header("content-type");
    assert_eq!(kind, Some("application/problem+json"));
    let mut expected = serde_json::json!({
        "type": "about:blank", "title": title, "status": status,
    });
    if let Some(detail) = detail {
        expected["detail"] = detail.into();
    }
    let found: Value = serde_json::from_str(response.text()).unwrap();
    assert_eq!(found, expected);
}

/// Asserts that the response is an HTML problem with this status, title and detail, if any.
#[track_caller]
fn check_html(response: &Response, status: u16, title: &str, detail: Option<&str>) {
    assert_eq!(response.status, status);
    let kind = response.header("content-type");
    assert_eq!(kind, Some("text/html; charset=utf-8"));
    let detail = detail.map_or_else(String::new, |detail| format!("<p>{detail}</p>"));
    let expected = format!("<h1>{status} {title}</h1>{detail}</html>\n");
    assert!(response.text().ends_with(&expected), "{}", response.text());
}

#[route("/faults/forgetting", dynamic = "force-dynamic")]
async fn forgetting() -> Result<(), RevalidateError> {
    revalidate_path("/faults/<nowhere>").await
}

#[page("/faults/page/forgetting", dynamic = "force-dynamic")]
async fn forgetting_page() -> Result<&'static str, RevalidateError> {
    revalidate_path("/faults/<nowhere>").await.map(|()| "")
}

/// The detail is for developers, so production mode leaves it out.
#[test]
fn a_failed_invalidation_is_a_500_problem() {
    for (mode, detail, escaped) in [
        (
            Mode::Development,
            Some("no route has the path `/faults/<nowhere>`"),
            Some("no route has the path `/faults/&lt;nowhere&gt;`"),
        ),
        (Mode::Production, None, None),
    ] {
        let server = server(mode, [forgetting::ROUTE, forgetting_page::ROUTE]);
        let found = server.get("/faults/forgetting");
        check_json(&found, 500, "Internal Server Error", detail);
        let found = server.get("/faults/page/forgetting");
        check_html(&found, 500, "Internal Server Error", escaped);
    }
}

#[route(POST, "/faults/json")]
async fn json(body: Json<Vec<u8>>) -> String {
    format!("{body:?}")
}

#[route("/faults/query")]
async fn query(query: web::Query<(u8,)>) -> String {
    query.0.0.to_string()
}

#[page("/faults/page/query")]
async fn page_query(query: web::Query<(u8,)>) -> String {
    query.0.0.to_string()
}

#[route("/faults/data")]
async fn data(data: Data<Vec<u8>>) -> String {
    format!("{data:?}")
}

#[test]
fn an_argument_that_cannot_be_read_is_a_problem() {
    let json = [("Content-Type", "application/json")];
    let post = |body| request("POST", "/faults/json", &json, body);
    let routes = [
        self::json::ROUTE,
        query::ROUTE,
        page_query::ROUTE,
        data::ROUTE,
    ];

    let server = self::server(Mode::Production, routes);
    assert_eq!(server.send(&post("[1]")).text(), "Json([1])");
    for (body, detail) in [
        ("[1", "EOF while parsing a list at line 1 column 2"),
        (
            "{}",
            "invalid type: map, expected a sequence at line 1 column 0",
        ),
        ("", "EOF while parsing a value at line 1 column 0"),
    ] {
        let detail = format!("in the body: {detail}");
        check_json(&server.send(&post(body)), 400, "Bad Request", Some(&detail));
    }
    let untyped = request("POST", "/faults/json", &[], "[1]");
    let detail = Some("the header `Content-Type` must be `application/json`");
    check_json(&server.send(&untyped), 400, "Bad Request", detail);
    let detail = Some("in the query: invalid type: map, expected a tuple of size 1");
    check_json(&server.get("/faults/query?a"), 400, "Bad Request", detail);
    let found = server.get("/faults/page/query");
    check_html(&found, 400, "Bad Request", detail);
    check_json(
        &server.get("/faults/data"),
        500,
        "Internal Server Error",
        None,
    );

    let server = self::server(Mode::Development, routes);
    let cause = "Json deserialize error: EOF while parsing a list at line 1 column 2";
    check_json(&server.send(&post("[1")), 400, "Bad Request", Some(cause));
    let response = server.get("/faults/data");
    assert!(response.text().contains("data"), "{}", response.text());
    let response = server.get("/faults/page/query");
    assert!(
        response.text().contains("<p>Query deserialize error"),
        "{}",
        response.text()
    );
}

/// An extractor whose error has a response of its own.
struct Secret;

#[derive(Debug)]
struct NoSecret;

impl fmt::Display for NoSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the password is hunter2")
    }
}

impl ResponseError for NoSecret {
    fn error_response(&self) -> HttpResponse {
        HttpResponse::Unauthorized()
            .insert_header(("www-authenticate", "Basic"))
            .insert_header(("content-type", "text/plain"))
            .body(self.to_string())
    }
}

impl FromRequest for Secret {
    type Error = NoSecret;
    type Future = std::future::Ready<Result<Self, NoSecret>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(Err(NoSecret))
    }
}

#[route("/faults/secret")]
async fn secret(_secret: Secret) -> &'static str {
    "unreachable"
}

#[test]
fn the_error_of_an_extractor_keeps_its_status_and_headers() {
    let server = self::server(Mode::Production, [secret::ROUTE]);
    let response = server.get("/faults/secret");
    check_json(&response, 401, "Unauthorized", None);
    assert_eq!(response.header("www-authenticate"), Some("Basic"));
}

#[route("/faults/problem/[id]")]
async fn problem(id: u8) -> Result<String, Problem> {
    match id {
        0 => Err(not_found().detail("there is <no> zero")),
        _ => Ok(id.to_string()),
    }
}

#[page("/faults/page/problem")]
async fn page_problem() -> Result<String, Problem> {
    Err(Problem::new(StatusCode::GONE).detail("it was <here>"))
}

#[page("/faults/page/own")]
async fn page_own() -> Result<String, NoSecret> {
    Err(NoSecret)
}

#[page("/faults/page/number/[number]")]
async fn page_number(number: u8) -> String {
    number.to_string()
}

#[test]
fn a_problem_is_json_for_a_route_and_html_for_a_page() {
    let server = self::server(
        Mode::Production,
        [
            problem::ROUTE,
            page_problem::ROUTE,
            page_own::ROUTE,
            page_number::ROUTE,
        ],
    );
    let detail = Some("there is <no> zero");
    check_json(&server.get(&problem::path(0)), 404, "Not Found", detail);
    check_json(&server.get("/faults/problem/x"), 404, "Not Found", None);
    let detail = Some("it was &lt;here&gt;");
    check_html(&server.get("/faults/page/problem"), 410, "Gone", detail);
    check_html(&server.get("/faults/page/number/x"), 404, "Not Found", None);
    // The header `Accept` changes nothing.
    let accept = [("Accept", "text/html")];
    let response = server.send(&request("GET", "/faults/problem/x", &accept, ""));
    check_json(&response, 404, "Not Found", None);
    // An error of the handler's own type keeps its own response.
    let own = server.get("/faults/page/own");
    assert_eq!((own.status, own.text()), (401, "the password is hunter2"));
}

#[route("/faults/panic/handler")]
async fn in_handler() -> &'static str {
    panic!("in the <handler>")
}

struct PanickingExtractor;

impl FromRequest for PanickingExtractor {
    type Error = NoSecret;
    type Future = std::future::Ready<Result<Self, NoSecret>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        panic!("in {}", "an extractor")
    }
}

#[route("/faults/panic/extractor")]
async fn in_extractor(_extractor: PanickingExtractor) -> &'static str {
    "unreachable"
}

struct PanickingParam;

impl FromStr for PanickingParam {
    type Err = ();

    fn from_str(_: &str) -> Result<Self, ()> {
        panic!("in a parameter")
    }
}

#[route("/faults/panic/parameter/[value]")]
async fn in_parameter(value: PanickingParam) -> &'static str {
    let PanickingParam = value;
    "unreachable"
}

struct PanickingResponder;

impl Responder for PanickingResponder {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        panic!("in a responder")
    }
}

#[route("/faults/panic/responder")]
async fn in_responder() -> PanickingResponder {
    PanickingResponder
}

#[route("/faults/panic/value")]
async fn with_value() -> &'static str {
    std::panic::panic_any(7)
}

#[page("/faults/panic/page")]
async fn in_page() -> &'static str {
    panic!("in the <page>")
}

#[route("/faults/calm")]
async fn calm() -> &'static str {
    "calm"
}

#[test]
fn a_panic_is_a_500_and_the_connection_stays_usable() {
    let routes = [
        in_handler::ROUTE,
        in_extractor::ROUTE,
        in_parameter::ROUTE,
        in_responder::ROUTE,
        with_value::ROUTE,
        in_page::ROUTE,
        calm::ROUTE,
    ];
    let cases = [
        ("handler", "in the <handler>"),
        ("extractor", "in an extractor"),
        ("parameter/7", "in a parameter"),
        ("responder", "in a responder"),
        ("value", "no message"),
    ];
    for mode in [Mode::Development, Mode::Production] {
        let server = self::server(mode, routes);
        let mut connection = server.connect();
        let mut get = |path: &str| connection.send(&request("GET", path, &[], ""));
        for (path, message) in cases {
            let response = get(&format!("/faults/panic/{path}"));
            let detail = format!("the handler panicked: {message}");
            let detail = (mode == Mode::Development).then_some(&*detail);
            check_json(&response, 500, "Internal Server Error", detail);
            assert_eq!(get("/faults/calm").text(), "calm");
        }
        let detail = "the handler panicked: in the &lt;page&gt;";
        let detail = (mode == Mode::Development).then_some(detail);
        let page = get("/faults/panic/page");
        check_html(&page, 500, "Internal Server Error", detail);
        let head = connection.send(&request("HEAD", "/faults/panic/handler", &[], ""));
        assert_eq!(head.status, 500);
        let calm = connection.send(&request("GET", "/faults/calm", &[], ""));
        assert_eq!(calm.text(), "calm");
    }
}
