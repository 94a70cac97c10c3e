//! Tests of `RequestExt`, `SearchParams` and `Pathname`.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{self, TestRequest};
use actix_web::web::Json;
use actix_web::{App, HttpRequest, Responder};
use route_runtime::{Pathname, RequestExt as _, Routes, SearchParams, route};
use serde_json::json;

use super::app;

/// The example of the design: the `SearchParams` that a value is read from need not be kept.
#[route("/requests/home")]
async fn home(req: HttpRequest) -> impl Responder {
    let name = req.search_params().get("name");
    Json(json!({ "pathname": req.pathname(), "name": name }))
}

#[route("/requests/search")]
async fn search(params: SearchParams) -> impl Responder {
    let pairs: Vec<_> = params.iter().collect();
    Json(json!({ "tags": params.get_all("tag"), "pairs": pairs, "all": params.to_string() }))
}

#[route("/requests/kept/[...slug]", revalidate = false)]
async fn kept(slug: Vec<String>, pathname: Pathname) -> impl Responder {
    Json(json!({ "pathname": pathname, "slug": slug, "length": pathname.len() }))
}

#[route("/requests/blank", dynamic = "force-static")]
async fn blank(params: SearchParams, req: HttpRequest) -> String {
    format!(
        "{} {:?} {}",
        params.len(),
        req.search_params(),
        req.pathname()
    )
}

#[track_caller]
fn check(path: &str, body: &[u8], expected: serde_json::Value) {
    let body: serde_json::Value = serde_json::from_slice(body).unwrap();
    assert_eq!(body, expected, "{path}");
}

#[actix_web::test]
async fn a_handler_reads_path_and_query() {
    let app = app([home::ROUTE]).await;
    for (uri, name) in [
        ("/requests/home?name=lee", json!("lee")),
        ("/requests/%68ome?name=a+b%26c&name=second", json!("a b&c")),
        ("/requests/home?name=%FF", json!("\u{FFFD}")),
        ("/requests/home?Name=lee", json!(null)),
        ("/requests/home", json!(null)),
    ] {
        let request = TestRequest::with_uri(uri).to_request();
        let body = test::call_and_read_body(&app, request).await;
        check(
            uri,
            &body,
            json!({ "pathname": "/requests/home", "name": name }),
        );
    }
}

#[actix_web::test]
async fn search_params_can_be_an_argument() {
    let app = app([search::ROUTE]).await;
    let uri = "/requests/search?tag=a&x&tag=b+c";
    let body = test::call_and_read_body(&app, TestRequest::with_uri(uri).to_request()).await;
    let pairs = json!([["tag", "a"], ["x", ""], ["tag", "b c"]]);
    let expected = json!({ "tags": ["a", "b c"], "pairs": pairs, "all": "tag=a&x=&tag=b+c" });
    check(uri, &body, expected);
}

#[actix_web::test]
async fn a_cached_handler_reads_its_path_and_no_query() {
    let app = app([kept::ROUTE, blank::ROUTE]).await;
    let uri = "/requests/kept/%61/caf%c3%a9%2f?x=1";
    let body = test::call_and_read_body(&app, TestRequest::with_uri(uri).to_request()).await;
    let pathname = "/requests/kept/a/caf%C3%A9%2F";
    let slug = json!(["a", "café/"]);
    check(
        uri,
        &body,
        json!({ "pathname": pathname, "slug": slug, "length": pathname.len() }),
    );

    let request = TestRequest::with_uri("/requests/%62lank?x=1").to_request();
    let body = test::call_and_read_body(&app, request).await;
    assert_eq!(body, "0 SearchParams { pairs: [] } /requests/blank");
}

#[test]
fn a_pathname_leaves_a_route_cached_and_search_params_make_it_dynamic() {
    #[route("/requests/static")]
    async fn pathname(_pathname: Pathname) -> String {
        String::new()
    }
    #[route("/requests/dynamic")]
    async fn params(_params: SearchParams) -> String {
        String::new()
    }
    let routes = Routes::from_iter([pathname::ROUTE, params::ROUTE]).unwrap();
    let cached: Vec<_> = routes
        .iter()
        .map(|route| (route.handler(), route.rendering().is_cached()))
        .collect();
    assert_eq!(cached, [("params", false), ("pathname", true)]);
}

/// Writes the path and the query that it reads into a header of the response.
async fn tell(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let told = format!("{} {}", request.pathname(), request.search_params());
    let mut response = next.call(request).await?;
    let value = HeaderValue::from_str(&told).unwrap();
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("told"), value);
    Ok(response)
}

#[actix_web::test]
async fn middleware_reads_path_and_query_of_any_request() {
    let routes = Routes::from_iter([home::ROUTE]).unwrap();
    let app = test::init_service(App::new().wrap(from_fn(tell)).service(routes)).await;
    for (uri, status, told) in [
        (
            "/requests/%68ome?a=b+c",
            StatusCode::OK,
            "/requests/home a=b+c",
        ),
        (
            "/requests/home/",
            StatusCode::PERMANENT_REDIRECT,
            "/requests/home ",
        ),
        ("/%zz/..?a", StatusCode::NOT_FOUND, "/%zz/.. a="),
    ] {
        let response = test::call_service(&app, TestRequest::with_uri(uri).to_request()).await;
        assert_eq!(response.status(), status, "{uri}");
        assert_eq!(response.headers().get("told").unwrap(), told, "{uri}");
    }
}
