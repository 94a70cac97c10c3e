//! An error of middleware, with the response that will be made of it.

use std::cell::RefCell;
use std::fmt;

use actix_web::body::{BoxBody, MessageBody as _};
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::web::Bytes;
use actix_web::{Error, HttpResponse, HttpResponseBuilder, ResponseError};

/// An error whose response is decided. Middleware of the app may look at the response: it can be made
/// again and again.
pub(super) struct Decided {
    error: Error,
    status: StatusCode,
    headers: HeaderMap,
    body: RefCell<DecidedBody>,
}

enum DecidedBody {
    Whole(Bytes),
    /// A stream, and whatever else has to be kept until it is sent.
    Once(Option<HttpResponse>),
}

impl Decided {
    pub(super) fn new(error: Error, response: HttpResponse) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let ends_connection =
            response.head().connection_type() == actix_http::ConnectionType::Close;
        let body = if ends_connection {
            DecidedBody::Once(Some(response))
        } else {
            let (head, body) = response.into_parts();
            match body.try_into_bytes() {
                Ok(bytes) => DecidedBody::Whole(bytes),
                Err(body) => DecidedBody::Once(Some(head.set_body(body))),
            }
        };
        Self {
            error,
            status,
            headers,
            body: RefCell::new(body),
        }
    }
}

impl ResponseError for Decided {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let bytes = match &mut *self.body.borrow_mut() {
            DecidedBody::Whole(bytes) => bytes.clone(),
            DecidedBody::Once(response) => match response.take() {
                Some(response) => return response,
                None => Bytes::new(),
            },
        };
        let mut response = HttpResponseBuilder::new(self.status).body(bytes);
        *response.headers_mut() = self.headers.clone();
        response
    }
}

impl fmt::Display for Decided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl fmt::Debug for Decided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}
