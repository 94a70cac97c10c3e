//! From a matched request to a response: path, method, middleware, handler.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;

use actix_service::{Service, always_ready};
use actix_web::body::{BodySize, BoxBody, MessageBody as _};
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::{Error, HttpResponse};
use futures_core::future::LocalBoxFuture;
use futures_util::FutureExt as _;

use super::call::Call;
use super::fault;
use super::head::HeadBody;
use super::matched::{Matched, MatchedPath, matched};
use super::wrap::Endpoint;
use crate::descriptor::Method;
use crate::mode::Mode;
use crate::respond::Problem;
use crate::routes::{Node, Table};
use crate::trie::Params;

/// One worker's service for every route.
pub(super) struct Dispatcher {
    pub(super) table: Arc<Table>,
    /// By handler; `None` where no middleware is asked for.
    pub(super) wrapped: Rc<[Option<Endpoint>]>,
    pub(super) data: Option<Rc<Extensions>>,
    pub(super) mode: Mode,
}

impl Service<ServiceRequest> for Dispatcher {
    type Response = ServiceResponse;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<ServiceResponse, Error>>;

    always_ready!();

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        if let Some(data) = &self.data {
            request.add_data_container(Rc::clone(data));
        }
        let Matched { node, path, .. } = matched(&request);
        let node = &self.table.nodes[node];
        let params = match path {
            MatchedPath::Clean(params) => params,
            MatchedPath::Unclean(clean) => {
                let response = redirect_to_clean(&clean, &request);
                return respond(request, response);
            }
            MatchedPath::Malformed => {
                let problem = Problem::new(StatusCode::BAD_REQUEST)
                    .detail("the path is not percent-encoded UTF-8");
                let response = fault::response(&problem, node.kind);
                return respond(request, response);
            }
        };
        let Some(index) = handler_of(node, &request) else {
            let response = match *request.method() {
                actix_web::http::Method::OPTIONS => HttpResponse::NoContent().finish(),
                _ => fault::response(&Problem::new(StatusCode::METHOD_NOT_ALLOWED), node.kind),
            };
            return respond(request, with_allow(response, node));
        };

        let handler = &self.table.handlers[index];
        if handler.reads_match_info
            && let Some(resource) = &node.resource
        {
            resource.capture_match_info(request.match_info_mut());
        }
        match &self.wrapped[index] {
            Some(endpoint) => endpoint.call(request),
            None => run(Arc::clone(&self.table), index, params, self.mode, request),
        }
    }
}

/// What a route's middleware goes round.
pub(super) struct HandlerService {
    pub(super) table: Arc<Table>,
    pub(super) index: usize,
    pub(super) mode: Mode,
}

impl Service<ServiceRequest> for HandlerService {
    type Response = ServiceResponse;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<ServiceResponse, Error>>;

    always_ready!();

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let MatchedPath::Clean(params) = matched(&request).path else {
            unreachable!("other paths are answered before any middleware")
        };
        run(
            Arc::clone(&self.table),
            self.index,
            params,
            self.mode,
            request,
        )
    }
}

/// The handler that answers the request's method: GET's answers HEAD where none is declared.
fn handler_of(node: &Node, request: &ServiceRequest) -> Option<usize> {
    let method = Method::of(request.method())?;
    node.handler(method).or_else(|| {
        let is_head = method == Method::Head;
        is_head.then(|| node.handler(Method::Get)).flatten()
    })
}

/// Calls the handler. Whatever it does, there is a response.
fn run(
    table: Arc<Table>,
    index: usize,
    params: Params,
    mode: Mode,
    request: ServiceRequest,
) -> LocalBoxFuture<'static, Result<ServiceResponse, Error>> {
    Box::pin(async move {
        let handler = &table.handlers[index].descriptor;
        let (request, payload) = request.into_parts();
        let call = Call::new(request.clone(), payload, params);
        let outcome = AssertUnwindSafe(async { (handler.call)(call).await })
            .catch_unwind()
            .await;
        let response = match outcome {
            Ok(Ok(response)) => fault::as_answered(response, handler.kind),
            Ok(Err(error)) => fault::of_argument(&error, handler.kind, mode),
            Err(panic) => fault::of_panic(panic_message(&*panic), handler.kind, mode),
        };
        let is_headless =
            handler.method == Method::Get && *request.method() == actix_web::http::Method::HEAD;
        let response = if is_headless {
            without_body(response)
        } else {
            response
        };
        Ok(ServiceResponse::new(request, response))
    })
}

fn respond(
    request: ServiceRequest,
    response: HttpResponse,
) -> LocalBoxFuture<'static, Result<ServiceResponse, Error>> {
    let response = request.into_response(response);
    Box::pin(std::future::ready(Ok(response)))
}

/// 308 to the canonical path, which starts with one slash and so can name no other host.
fn redirect_to_clean(clean: &str, request: &ServiceRequest) -> HttpResponse {
    let location = match request.uri().query() {
        Some(query) => format!("{clean}?{query}"),
        None => clean.into(),
    };
    HttpResponse::PermanentRedirect()
        .insert_header((header::LOCATION, location))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .finish()
}

fn with_allow(mut response: HttpResponse, node: &Node) -> HttpResponse {
    response
        .headers_mut()
        .insert(header::ALLOW, node.allow.clone());
    response
}

/// Keeps the length, drops the body: an endless stream is not even begun.
fn without_body(response: HttpResponse) -> HttpResponse {
    response.map_body(|_, body| match body.size() {
        BodySize::Sized(length) => BoxBody::new(HeadBody(length)),
        BodySize::None | BodySize::Stream => BoxBody::new(()),
    })
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
