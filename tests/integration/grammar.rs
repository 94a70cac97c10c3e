//! The forms of a declaration: method, module, parameters, extractors.

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Json};
use actix_web::{App, HttpRequest, HttpResponse, Responder};
use route_runtime::{Routes, page, route};
use serde::Deserialize;
use serde_json::{Value, json};
use tests::{Response, Server, request};

/// Asserts that the response is a 200 with exactly this body.
#[track_caller]
fn check(response: &Response, body: &str) {
    assert_eq!((response.status, response.text()), (200, body));
}

mod methods {
    use super::*;

    #[route("/grammar/methods")]
    async fn neither() -> &'static str {
        "GET"
    }

    #[route(PUT, "/grammar/methods")]
    async fn written() -> &'static str {
        "PUT"
    }

    #[route("/grammar/methods")]
    async fn post() -> &'static str {
        "POST"
    }

    #[route("/grammar/methods")]
    #[allow(clippy::unused_async, reason = "a handler is async")]
    async fn DELETE() -> &'static str {
        "DELETE"
    }

    /// A route whose written method overrides the name of its function.
    #[route(PATCH, "/grammar/methods")]
    async fn options() -> &'static str {
        "PATCH"
    }

    /// A GET route in spite of its name, because `revalidate` is an option of GET.
    #[route("/grammar/methods/article", revalidate = 10)]
    async fn patch() -> &'static str {
        "an article"
    }

    #[test]
    fn a_method_is_written_before_the_pattern_or_is_the_name_of_the_function() {
        let server = Server::of([
            neither::ROUTE,
            written::ROUTE,
            post::ROUTE,
            DELETE::ROUTE,
            options::ROUTE,
            patch::ROUTE,
        ]);
        for method in ["GET", "PUT", "POST", "DELETE", "PATCH"] {
            check(&server.ask(method, "/grammar/methods"), method);
        }
        check(&server.get("/grammar/methods/article"), "an article");
        let article = "/grammar/methods/article";
        assert_eq!(server.ask("PATCH", article).status, 405);
    }
}

#[route("/grammar/comments/[...path]", revalidate = 60)]
mod comments {
    use super::*;

    pub async fn GET(path: Vec<String>) -> impl Responder {
        read(&path)
    }

    pub async fn POST(path: Vec<String>, body: Json<Value>) -> impl Responder {
        (format!("{} {body}", read(&path)), StatusCode::CREATED)
    }

    fn read(path: &[String]) -> String {
        path.join("+")
    }
}

#[test]
fn a_module_holds_the_methods_of_one_path() {
    let server = Server::of([comments::GET::ROUTE, comments::POST::ROUTE]);
    check(&server.get("/grammar/comments/a/b"), "a+b");
    let json = [("Content-Type", "application/json")];
    let post = request("POST", "/grammar/comments/a", &json, "[1]");
    let response = server.send(&post);
    assert_eq!((response.status, response.text()), (201, "a [1]"));
    assert_eq!(comments::path(["a", "b"]), "/grammar/comments/a/b");
}

#[route("/grammar/literal")]
async fn literal() -> &'static str {
    "literal"
}

#[route("/grammar/one/[first]/and/[second]")]
async fn two(second: i8, first: char) -> String {
    format!("{first} {second}")
}

#[route("/grammar/many/[...all]")]
async fn many(all: Vec<u8>) -> String {
    format!("{all:?}")
}

#[route("/grammar/some/[[...all]]")]
async fn some(all: Option<Vec<u8>>) -> String {
    format!("{all:?}")
}

#[route("/grammar/any/[[...all]]")]
async fn any(all: Vec<u8>) -> String {
    format!("{all:?}")
}

#[route("/(public)/grammar/(nested)/group")]
async fn group() -> &'static str {
    "group"
}

/// A route with a keyword as a parameter, and with a name that generated code may use too.
#[route("/grammar/names/[type]/[call]")]
async fn names(r#type: String, call: String) -> String {
    r#type + &call
}

#[page("/grammar/page/[slug]")]
async fn shown(slug: String) -> web::Html {
    web::Html::new(slug)
}

#[test]
fn patterns_bind_parameters_by_name_and_type() {
    let server = Server::of([
        literal::ROUTE,
        two::ROUTE,
        many::ROUTE,
        some::ROUTE,
        any::ROUTE,
        group::ROUTE,
        names::ROUTE,
        shown::ROUTE,
    ]);
    check(&server.get("/grammar/literal"), "literal");
    check(&server.get("/grammar/one/x/and/-7"), "x -7");
    check(&server.get("/grammar/many/1/2/3"), "[1, 2, 3]");
    check(&server.get("/grammar/some"), "None");
    check(&server.get("/grammar/some/1"), "Some([1])");
    check(&server.get("/grammar/any"), "[]");
    check(&server.get("/grammar/any/1/2"), "[1, 2]");
    check(&server.get("/grammar/group"), "group");
    check(&server.get("/grammar/names/a/b"), "ab");
    let page = server.get("/grammar/page/a");
    check(&page, "a");
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );

    for missing in [
        "/grammar/Literal",
        "/grammar/many",
        "/grammar/one/x/and",
        "/grammar/(nested)/group",
        // A value that does not parse, or is not canonical, is a 404.
        "/grammar/one/xx/and/-7",
        "/grammar/one/x/and/128",
        "/grammar/one/x/and/-07",
        "/grammar/one/x/and/+7",
        "/grammar/one/x/and/007",
        "/grammar/many/1/x",
        "/grammar/some/01",
        "/grammar/any/1/256",
    ] {
        assert_eq!(server.get(missing).status, 404, "{missing}");
    }
}

#[derive(Deserialize)]
struct Place {
    country: String,
    city: u32,
}

#[route("/grammar/tuple/[country]/[city]")]
async fn tuple(place: web::Path<(String, u32)>) -> String {
    format!("{} {}", place.0, place.1)
}

#[route("/grammar/struct/[country]/[city]")]
async fn fields(place: web::Path<Place>) -> String {
    format!("{} {}", place.country, place.city)
}

#[route("/grammar/both/[country]/[city]")]
async fn both(city: u32, all: web::Path<Place>) -> String {
    format!("{city} {}", all.country)
}

#[route("/grammar/tail/[country]/[...rest]")]
async fn tail(path: web::Path<(String, String)>) -> String {
    format!("{} {}", path.0, path.1)
}

#[route("/grammar/maybe/[[...rest]]")]
async fn maybe(request: HttpRequest) -> String {
    format!("{:?}", request.match_info().get("rest"))
}

/// A route with more parameters than are kept without an allocation.
#[route("/grammar/five/[a]/[b]/[c]/[d]/[...e]")]
async fn five(a: u8, b: u8, c: u8, d: u8, e: Vec<u8>, req: HttpRequest) -> String {
    let raw = req.match_info().query("d");
    format!("{a}{b}{c}{d}{e:?}{raw}")
}

#[test]
fn actix_webs_path_extractor_reads_the_same_parameters() {
    let server = Server::of([
        tuple::ROUTE,
        fields::ROUTE,
        both::ROUTE,
        tail::ROUTE,
        maybe::ROUTE,
        five::ROUTE,
    ]);
    check(&server.get("/grammar/tuple/n%20z/7"), "n z 7");
    check(&server.get("/grammar/struct/n%2Fz/7"), "n/z 7");
    check(&server.get("/grammar/both/nz/7"), "7 nz");
    check(&server.get("/grammar/tail/nz/a/b%20c"), "nz a/b c");
    check(&server.get("/grammar/maybe/a/b"), "Some(\"a/b\")");
    check(&server.get("/grammar/maybe"), "None");
    check(&server.get("/grammar/five/1/2/3/4/5/6"), "1234[5, 6]4");
    // `web::Path` is actix-web's, which itself answers 404 for a value that it cannot read.
    assert_eq!(server.get("/grammar/tuple/nz/x").status, 404);
}

#[derive(Deserialize)]
struct Search {
    q: String,
}

#[route(POST, "/grammar/extractors/[id]")]
async fn extractors(
    req: HttpRequest,
    id: u64,
    query: web::Query<Search>,
    state: Data<String>,
    body: Json<Vec<u8>>,
) -> Json<Value> {
    let agent = req.headers().get("user-agent");
    Json(json!({
        "id": id,
        "agent": agent.and_then(|it| it.to_str().ok()),
        "query": query.q,
        "state": **state,
        "body": body.0,
    }))
}

/// A route with names that generated code uses too, a destructured argument, and an unused one.
#[route(PUT, "/grammar/extractors/[id]")]
async fn call(
    _request: HttpRequest,
    web::Query(Search { q }): web::Query<Search>,
    id: u64,
) -> String {
    format!("{q} {id}")
}

#[test]
fn any_extractor_can_be_an_argument() {
    let routes = Routes::from_iter([extractors::ROUTE, call::ROUTE]).unwrap();
    let routes = routes.data(String::from("replaced"));
    let routes = routes.data(String::from("shared"));
    let server = Server::start(move || App::new().service(routes.clone()));
    let headers = [("Content-Type", "application/json"), ("User-Agent", "us")];
    let target = extractors::path(7) + "?q=a+b";
    let response = server.send(&request("POST", &target, &headers, "[1,2]"));
    let found: Value = serde_json::from_str(response.text()).unwrap();
    let expected =
        json!({ "id": 7, "agent": "us", "query": "a b", "state": "shared", "body": [1, 2] });
    assert_eq!(found, expected);
    check(&server.ask("PUT", &target), "a b 7");
}

type Answer = Result<HttpResponse, actix_web::Error>;

#[route("/grammar/answers/[kind]")]
async fn answers(kind: String) -> Answer {
    match &*kind {
        "created" => Ok(HttpResponse::Created()
            .insert_header(("x-id", "7"))
            .finish()),
        _ => Err(actix_web::error::ErrorConflict("taken")),
    }
}

#[test]
fn any_responder_can_be_returned() {
    let server = Server::of([answers::ROUTE]);
    let created = server.get("/grammar/answers/created");
    assert_eq!((created.status, created.header("x-id")), (201, Some("7")));
    // An error of the handler keeps its own response.
    let conflict = server.get("/grammar/answers/conflict");
    assert_eq!((conflict.status, conflict.text()), (409, "taken"));
}

#[actix_web::test]
async fn a_handler_can_still_be_called_as_a_function() {
    assert_eq!(two(-7, 'x').await, "x -7");
    assert_eq!(names("a".into(), "b".into()).await, "ab");
}
