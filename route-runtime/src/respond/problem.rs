//! Errors, as a client sees them.

use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

/// An error as a client sees it: a status, and what went wrong in a sentence.
///
/// Answered by a route it is `application/problem+json` ([RFC 9457]), by a page a small HTML
/// document. It is what the framework itself answers with, and an error that a handler can return
/// with `?`.
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
    /// A problem that its status says all about.
    #[must_use]
    pub fn new(status: StatusCode) -> Self {
        Self {
            status,
            detail: None,
        }
    }

    /// Says what went wrong with this request. Clients see it, in production too.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The members of RFC 9457: `type`, `title`, `status`, and `detail` where there is one.
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

    /// A document with the same words, escaped.
    #[must_use]
    pub fn to_html(&self) -> String {
        let title = format!("{} {}", self.status.as_u16(), escape(self.title()));
        let detail = match &self.detail {
            Some(detail) => format!("<p>{}</p>", escape(detail)),
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
        HttpResponse::build(self.status)
            .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
            .body(self.to_html())
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

/// 404: there is nothing at this path.
#[must_use]
pub fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND)
}

fn escape(text: &str) -> String {
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
