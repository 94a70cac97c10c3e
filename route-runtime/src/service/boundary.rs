//! The boundary of middleware, of a route or of a section: what goes in is restored to what was
//! matched, and what comes out is a response that no shared cache keeps by mistake.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use actix_web::HttpMessage as _;
use actix_web::dev::ServiceRequest;
use actix_web::error::ErrorInternalServerError;
use actix_web::http::{Method, StatusCode, Uri};
use futures_util::FutureExt as _;

use super::decided::Decided;
use super::finish;
use super::matched::Matched;
use super::visit::Later;
use crate::declaration::Kind;
use crate::handler::body_limit::BodyWatch;
use crate::handler::fault;
use crate::middleware::Endpoint;
use crate::panic;
use crate::responses::Served;
use crate::table::{HandlerId, SectionId, Table};
use crate::target;

/// The declaration that a middleware is of.
#[derive(Clone, Copy)]
pub(super) enum Of {
    Handler(HandlerId),
    /// A section, and the kind of what it covers.
    Section(SectionId, Kind),
}

impl Of {
    /// Returns the pattern of the declaration.
    pub(super) fn pattern(self, table: &Table) -> &str {
        match self {
            Self::Handler(id) => table.handler(id).descriptor.pattern,
            Self::Section(id, _) => &table.sections[id].pattern,
        }
    }

    fn kind(self, table: &Table) -> Kind {
        match self {
            Self::Handler(id) => table.handler(id).descriptor.kind,
            Self::Section(_, kind) => kind,
        }
    }

    /// Returns whether the middleware may decide who reads the response.
    fn decides(self, table: &Table) -> bool {
        match self {
            Self::Handler(_) => true,
            Self::Section(id, _) => !table.sections[id].declared.is_open,
        }
    }

    fn is_cookie_told(self, table: &Table) -> &AtomicBool {
        match self {
            Self::Handler(id) => &table.handler(id).is_cookie_told,
            Self::Section(id, _) => &table.sections[id].is_cookie_told,
        }
    }
}

/// The depth of a middleware among those of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    Outermost,
    Inside,
}

/// The path, the method and the match of a request, kept while it passes middleware.
#[derive(Clone)]
pub(super) struct AsMatched {
    uri: Uri,
    method: Method,
    matched: Option<Matched>,
}

impl AsMatched {
    pub(super) fn of(request: &ServiceRequest) -> Self {
        Self {
            uri: request.uri().clone(),
            method: request.method().clone(),
            matched: request.extensions().get().cloned(),
        }
    }

    /// Restores the path, the method and the match, if a middleware has changed them. The route, the
    /// parameters and the key of a shared response belong to what was matched.
    pub(super) fn restore(&self, request: &mut ServiceRequest) {
        // A middleware may have kept the match of another request.
        match &self.matched {
            Some(matched) => drop(request.extensions_mut().insert(matched.clone())),
            None => drop(request.extensions_mut().remove::<Matched>()),
        }
        if self.uri.path() != request.path() {
            request.head_mut().uri = self.uri.clone();
        }
        if self.method != *request.method() {
            request.head_mut().method = self.method.clone();
        }
    }
}

/// Calls middleware. A response that the middleware itself makes is for this one request, like a
/// handler's, even if it comes of an error or a panic.
///
/// Inside other middleware of ours, an error goes on as it is: that middleware may know its type.
/// At the outermost, the response that will be made of it is [decided](Decided). It is not yet made
/// into a `ServiceResponse` here, because that needs the request, and a middleware can change the
/// request only while nothing else keeps it.
pub(super) fn call(
    middleware: &Endpoint,
    of: Of,
    depth: Depth,
    served: &Rc<Served>,
    request: ServiceRequest,
) -> Later {
    let (middleware, served) = (Rc::clone(middleware), Rc::clone(served));
    let body = request.extensions().get::<BodyWatch>().cloned();
    let answered = AssertUnwindSafe(async move { middleware.call(request).await }).catch_unwind();
    Box::pin(async move {
        let (table, mode) = (&served.setup.table, served.setup.mode);
        let (pattern, kind) = (of.pattern(table), of.kind(table));
        let is_cookie_told = of.is_cookie_told(table);
        let panicked = |panic: Box<dyn Any + Send>| {
            let message = panic::message(&*panic).to_owned();
            tracing::error!(target: target::HANDLER, { http.route = pattern, message }, "a middleware panicked");
            let response = fault::of_panic("a middleware", &message, kind, mode);
            (ErrorInternalServerError(message), response)
        };
        let (error, mut response) = match answered.await {
            Ok(Ok(mut response)) => {
                finish::for_one_request(response.response_mut(), pattern, is_cookie_told);
                if of.decides(table) {
                    finish::behind_a_guard(response.response_mut());
                }
                return Ok(response);
            }
            Ok(Err(error)) if depth == Depth::Inside => return Err(error),
            Ok(Err(error)) => {
                // The code that makes the response of a user's error is the user's.
                let made = AssertUnwindSafe(|| fault::of_middleware(&error, pattern, kind, mode));
                match catch_unwind(made) {
                    Ok(response) => (error, response),
                    Err(panic) => panicked(panic),
                }
            }
            Err(panic) => panicked(panic),
        };
        if let Some(body) = body
            && is_too_large(&body, response.status())
        {
            response = body.too_large(kind);
        }
        finish::for_one_request(&mut response, pattern, is_cookie_told);
        Err(Decided::new(error, response).into())
    })
}

/// Returns whether a middleware has failed because it read a body that is too large, whatever status
/// it has for that.
fn is_too_large(body: &BodyWatch, status: StatusCode) -> bool {
    match status {
        // An extractor that trusts the length in the headers reads nothing.
        StatusCode::PAYLOAD_TOO_LARGE => body.is_too_long(),
        status => body.is_exceeded() && status.is_client_error(),
    }
}
