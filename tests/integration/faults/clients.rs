//! Mistakes of clients: in production, a response says what was wrong and where, and repeats nothing
//! that was sent.

use actix_multipart::form::MultipartForm;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{ContentType, IfModifiedSince};
use actix_web::middleware::Next;
use actix_web::web::{self, Bytes, Either, Form, Header, Json, Path, Query};
use actix_web::{Error, FromRequest as _, HttpRequest};
use route_runtime::{RouteDescriptor, page, route};
use tests::{Response, Server};

use self::inputs::{ArticleInput, UploadInput};
use super::{check_html, check_json};

mod elsewhere;
mod explained;
mod inputs;
mod repeated;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=x";

#[route(POST, "/clients/json")]
async fn json(body: Json<ArticleInput>) -> String {
    format!("{body:?}")
}

#[route(POST, "/clients/form")]
async fn form(body: Form<ArticleInput>) -> String {
    format!("{body:?}")
}

#[route("/clients/query")]
async fn query(query: Query<ArticleInput>) -> String {
    format!("{query:?}")
}

#[page("/clients/page")]
async fn in_page(query: Query<ArticleInput>) -> String {
    format!("{query:?}")
}

#[route(POST, "/clients/text")]
async fn text(body: String) -> String {
    body
}

#[route(POST, "/clients/bytes")]
async fn bytes(body: Bytes) -> String {
    body.len().to_string()
}

#[route(POST, "/clients/either")]
async fn either(body: Either<Json<ArticleInput>, Form<ArticleInput>>) -> String {
    matches!(body, Either::Left(_)).to_string()
}

#[route("/clients/header")]
async fn header(since: Header<IfModifiedSince>, kind: Header<ContentType>) -> String {
    format!("{since:?} {kind:?}")
}

#[route("/clients/path/[id]", dynamic = "force-dynamic")]
async fn path(segments: Path<u32>) -> String {
    segments.to_string()
}

/// A handler that calls the extractors itself.
#[route(POST, "/clients/inside/[id]")]
async fn inside(id: String, request: HttpRequest, body: web::Payload) -> Result<String, Error> {
    let mut body = body.into_inner();
    match &*id {
        "query" => _ = Query::<ArticleInput>::from_query(request.query_string())?,
        "json" => _ = Json::<ArticleInput>::from_request(&request, &mut body).await?,
        _ => _ = Path::<u32>::extract(&request).await?,
    }
    Ok("fine".into())
}

#[route(POST, "/clients/upload")]
async fn upload(form: MultipartForm<UploadInput>) -> String {
    form.age.to_string()
}

/// A middleware that reads the query, and returns the error.
async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    Query::<ArticleInput>::from_query(request.query_string())?;
    next.call(request).await
}

#[route(POST, "/clients/guarded", wrap = guard)]
async fn guarded() -> &'static str {
    "fine"
}

fn all() -> [RouteDescriptor; 12] {
    [
        json::ROUTE,
        form::ROUTE,
        query::ROUTE,
        in_page::ROUTE,
        text::ROUTE,
        bytes::ROUTE,
        either::ROUTE,
        header::ROUTE,
        path::ROUTE,
        inside::ROUTE,
        upload::ROUTE,
        guarded::ROUTE,
    ]
}

fn send(
    server: &Server,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Response {
    let mut wire = server.connect();
    let headers = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"));
    let headers: String = headers.collect();
    let length = body.len();
    wire.begin(&format!(
        "{method} {path} HTTP/1.1\n{headers}Content-Length: {length}"
    ));
    wire.write(body);
    wire.response(false)
}

fn post(server: &Server, path: &str, kind: &str, body: impl AsRef<[u8]>) -> Response {
    send(
        server,
        "POST",
        path,
        &[("Content-Type", kind)],
        body.as_ref(),
    )
}

#[track_caller]
fn check_400(response: &Response, detail: &str) {
    check_json(response, 400, "Bad Request", Some(detail));
}

fn part(name: &str, kind: &str, value: &str) -> String {
    format!(
        "--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\nContent-Type: {kind}\r\n\r\n{value}\r\n"
    )
}
