//! Problems: errors as a client sees them.

use std::fmt;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder, ResponseError};
use serde::Serialize;

/// An error as a client sees it: a status, and a sentence that says what went wrong.
///
/// A route sends it as `application/problem+json` ([RFC 9457]), and a page as a small HTML
/// document. The framework's own errors are problems. In a handler, a problem is an error for `?`
/// and also a response to return; both send the same. Add headers with `customize()`, as to any
/// responder.
///
/// # Example
///
/// ```
/// use actix_web::{ResponseError, http::StatusCode};
/// use route_runtime::Problem;
///
/// let problem = Problem::new(StatusCode::CONFLICT).detail("the article was changed meanwhile");
/// assert_eq!(problem.status_code(), 409);
/// assert_eq!(problem.to_string(), "409 Conflict: the article was changed meanwhile");
/// assert_eq!(
///     problem.to_json(),
///     r#"{"type":"about:blank","title":"Conflict","status":409,"detail":"the article was changed meanwhile"}"#,
/// );
/// ```
///
/// [RFC 9457]: https://www.rfc-editor.org/rfc/rfc9457
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    detail: Option<String>,
}

impl Problem {
    /// Makes a problem that has only a status.
    #[must_use]
    pub fn new(status: StatusCode) -> Self {
        Self {
            status,
            detail: None,
        }
    }

    /// Adds a sentence that says what went wrong with this request. Clients see it, in production
    /// too.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Returns the problem as a JSON object with the members of RFC 9457: `type`, `title`, `status`
    /// and, if there is one, `detail`.
    #[must_use]
    pub fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct Json<'a> {
            r#type: &'a str,
            title: &'a str,
            status: u16,
            #[serde(skip_serializing_if = "Option::is_none")]
            detail: Option<&'a str>,
        }
        let json = Json {
            r#type: "about:blank",
            title: self.title(),
            status: self.status.as_u16(),
            detail: self.detail.as_deref(),
        };
        serde_json::to_string(&json).unwrap_or_default()
    }

    /// Returns the problem as an HTML document. The text is escaped.
    #[must_use]
    pub fn to_html(&self) -> String {
        let title = format!("{} {}", self.status.as_u16(), escape_html(self.title()));
        let detail = match &self.detail {
            Some(detail) => format!("<p>{}</p>", escape_html(detail)),
            None => String::new(),
        };
        format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\
             <h1>{title}</h1>{detail}</html>\n"
        )
    }

    fn title(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or("Error")
    }

    pub(crate) fn html_response(&self) -> HttpResponse {
        self.in_html(HttpResponse::new(self.status))
    }

    /// Replaces the body of a response by the problem in HTML. The response keeps its status and
    /// its other headers.
    pub(crate) fn in_html(&self, mut response: HttpResponse) -> HttpResponse {
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, html);
        response.set_body(BoxBody::new(self.to_html()))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status.as_u16(), self.title())?;
        match &self.detail {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.status)
            .insert_header((header::CONTENT_TYPE, "application/problem+json"))
            .body(self.to_json())
    }
}

impl Responder for Problem {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::from_error(self)
    }
}

/// Makes a problem with status 404: there is nothing at this path, for now.
///
/// # Example
///
/// ```
/// use actix_web::{App, Responder, http::StatusCode, test, web::Json};
/// use route_runtime::{Problem, Routes, not_found, route};
///
/// #[route(GET, "/squares/[root]")]
/// async fn square(root: u32) -> Result<Json<u32>, Problem> {
///     Ok(Json(root.checked_mul(root).ok_or_else(not_found)?))
/// }
///
/// // A success with another status is a response beside that status.
/// #[route(POST, "/squares")]
/// async fn create(root: Json<u32>) -> impl Responder {
///     (Json(root.pow(2)), StatusCode::CREATED)
/// }
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), route_runtime::RoutesError> {
/// let routes = Routes::from_iter([square::ROUTE, create::ROUTE])?;
/// let app = test::init_service(App::new().service(routes)).await;
/// for (path, status, body) in [
///     ("/squares/12", 200, "144"),
///     ("/squares/70000", 404, r#"{"type":"about:blank","title":"Not Found","status":404}"#),
/// ] {
///     let request = test::TestRequest::with_uri(path).to_request();
///     let response = test::call_service(&app, request).await;
///     assert_eq!(response.status(), status);
///     assert_eq!(test::read_body(response).await, body);
/// }
/// let request = test::TestRequest::post().uri("/squares").set_json(12).to_request();
/// assert_eq!(test::call_service(&app, request).await.status(), 201);
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND)
}

/// Makes a problem with status 403: the client may not do this, and repeating the request with the
/// same credentials does not help.
///
/// # Example
///
/// ```
/// use actix_web::ResponseError;
/// use route_runtime::{Problem, forbidden, route};
///
/// #[route(DELETE, "/articles/[id]")]
/// async fn delete(id: u64) -> Result<String, Problem> {
///     if id == 1 {
///         return Err(forbidden().detail("the first article stays"));
///     }
///     Ok(format!("deleted {id}"))
/// }
///
/// assert_eq!(forbidden().status_code(), 403);
/// ```
#[must_use]
pub fn forbidden() -> Problem {
    Problem::new(StatusCode::FORBIDDEN)
}

/// Makes a problem with status 401: the client must authenticate first.
///
/// HTTP requires that such a response names a way to authenticate in the header `WWW-Authenticate`.
/// Only the application knows which, so the header is not added here.
///
/// # Example
///
/// ```
/// use actix_web::http::header::WWW_AUTHENTICATE;
/// use actix_web::{Responder, test::TestRequest};
/// use route_runtime::unauthorized;
///
/// let request = TestRequest::default().to_http_request();
/// let asking = unauthorized().customize().insert_header((WWW_AUTHENTICATE, "Bearer"));
/// let response = asking.respond_to(&request);
/// assert_eq!(response.status(), 401);
/// assert_eq!(response.headers().get(WWW_AUTHENTICATE).unwrap(), "Bearer");
/// ```
#[must_use]
pub fn unauthorized() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED)
}

fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_escaped() {
        let html = Problem::new(StatusCode::BAD_REQUEST)
            .detail("<script>&\"")
            .to_html();
        assert!(html.contains("<p>&lt;script&gt;&amp;&quot;</p>"), "{html}");
        assert!(html.contains("<h1>400 Bad Request</h1>"), "{html}");
    }
}
