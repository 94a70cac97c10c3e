//! Exports through the API, without a program: each reason why a route has no file.

use actix_web::HttpResponse;
use actix_web::cookie::Cookie;
use actix_web::http::header;
use route_runtime::export::{Export, ExportError};
use route_runtime::{Redirect, RouteDescriptor, Routes, redirect, route};
use tests::Directory;

/// Exports these routes, which must fail, and returns each refused path with the reason.
async fn refused(name: &str, routes: impl IntoIterator<Item = RouteDescriptor>) -> Vec<String> {
    let routes = Routes::from_iter(routes).unwrap();
    let directory = Directory::new(&format!("exports-{name}"));
    let site = directory.join("site");
    let error = Export::of(&routes).write(&site).await.unwrap_err();
    assert!(!site.exists());
    match error {
        ExportError::Refused(refusals) => refusals
            .into_iter()
            .map(|refusal| format!("{}: {}", refusal.path.unwrap_or_default(), refusal.why))
            .collect(),
        other => panic!("{other}"),
    }
}

#[route("/exports/cookie")]
async fn cookie() -> HttpResponse {
    HttpResponse::Ok().cookie(Cookie::new("a", "b")).finish()
}

#[route("/exports/created")]
async fn created() -> HttpResponse {
    HttpResponse::Created().finish()
}

#[route("/exports/encoded")]
async fn encoded() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_ENCODING, "gzip"))
        .body("")
}

#[route("/exports/latin")]
async fn latin() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("x-name", &b"\xe9"[..]))
        .body("")
}

#[route("/exports/elsewhere")]
async fn elsewhere() -> Redirect {
    redirect("//other.example")
}

#[actix_web::test]
async fn responses_that_a_file_cannot_represent_are_refused() {
    let routes = [
        cookie::ROUTE,
        created::ROUTE,
        encoded::ROUTE,
        latin::ROUTE,
        elsewhere::ROUTE,
    ];
    assert_eq!(
        refused("responses", routes).await,
        [
            "/exports/cookie: its response is for one request only: it sets a cookie",
            "/exports/created: it answers 201 Created, and a file is answered with 200",
            "/exports/elsewhere: it redirects to `//other.example`, which is neither a path from \
             `/` nor a URL",
            "/exports/encoded: its body is encoded, which not every client can read",
            "/exports/latin: its header `x-name` is not ASCII",
        ]
    );
}

#[route("/exports/open/[id]", static_params = ids)]
async fn open(id: u8) -> String {
    id.to_string()
}

#[route("/exports/failing/[id]", static_params = failing_ids, dynamic_params = false)]
async fn failing(id: u8) -> String {
    id.to_string()
}

#[route("/exports/taken/[id]", static_params = ids, dynamic_params = false)]
async fn general(id: u8) -> String {
    id.to_string()
}

#[route("/exports/taken/2")]
async fn precise() -> &'static str {
    "two"
}

async fn ids() -> [u8; 2] {
    [1, 2]
}

async fn failing_ids() -> Result<[u8; 1], std::io::Error> {
    Err(std::io::Error::other("no database"))
}

#[actix_web::test]
async fn routes_whose_parameters_are_not_exactly_listed_are_refused() {
    let routes = [open::ROUTE, failing::ROUTE, general::ROUTE, precise::ROUTE];
    assert_eq!(
        refused("parameters", routes).await,
        [
            ": answers for parameters that `static_params` does not list",
            "/exports/failing/[id]: no database",
            "/exports/taken/2: `static_params` of `/exports/taken/[id]` gives it, but another \
             route has it",
        ]
    );
}

#[route("/exports/files/[...path]", static_params = paths, dynamic_params = false)]
async fn files(path: Vec<String>) -> String {
    path.join("/")
}

async fn paths() -> Vec<Vec<&'static str>> {
    vec![vec!["a"], vec!["a", "index.txt"], vec!["con"], vec!["b*"]]
}

#[actix_web::test]
async fn paths_that_no_file_can_have_are_refused() {
    assert_eq!(
        refused("paths", [files::ROUTE]).await,
        [
            "/exports/files/a/index.txt: its folder would be the file of `/exports/files/a`",
            "/exports/files/b*: `b*` has a character that file names or `_redirects` cannot have",
            "/exports/files/con: `con` is the name of a device on some systems",
        ]
    );
}

#[actix_web::test]
async fn a_partial_export_reports_what_it_leaves_out() {
    let routes = Routes::from_iter([files::ROUTE, cookie::ROUTE]).unwrap();
    let directory = Directory::new("exports-partial");
    let site = directory.join("site");
    let exported = Export::of(&routes).partial(true).write(&site).await;
    let exported = exported.unwrap();
    assert_eq!((exported.files, exported.left_out.len()), (1, 4));
    assert_eq!(directory.read("site/exports/files/a/index.txt"), "a");
}
