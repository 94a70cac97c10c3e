//! The call of a handler, which always ends in a response, whatever the handler does.

pub(crate) mod body_limit;
pub(crate) mod fault;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use actix_web::HttpMessage as _;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use futures_util::FutureExt as _;

use self::body_limit::BodyWatch;
pub(crate) use self::fault::{Logged, unrenderable};
use crate::declaration::HandlerCall;
use crate::extract::with_cookies;
use crate::panic;
use crate::pattern::Params;
use crate::respond::Problem;
use crate::table::{Handler, Setup};
use crate::target;

/// Calls the handler. Errors of arguments, panics and time limits become responses.
pub(crate) async fn answer(
    handler: &Handler,
    params: Params,
    setup: &Setup,
    request: ServiceRequest,
) -> ServiceResponse {
    let mode = setup.mode;
    let route = &handler.descriptor;
    let kind = route.kind;
    let (request, payload) = request.into_parts();
    let body = request.extensions().get::<BodyWatch>().cloned();
    let call = HandlerCall::new(request.clone(), payload, params);
    // The thunk is called inside the future, so that nothing it does can panic outside.
    let call = AssertUnwindSafe(async { (route.call)(call).await }).catch_unwind();

    let outcome = match time_limit(handler) {
        None => call.await,
        Some(limit) => match setup.clock.within(limit, call).await {
            Some(outcome) => outcome,
            None => {
                let response = |status| fault::response(&Problem::new(status), kind);
                let response = match body {
                    Some(body) if body.is_awaited() => {
                        body.close_after(response(StatusCode::REQUEST_TIMEOUT))
                    }
                    _ => response(StatusCode::GATEWAY_TIMEOUT),
                };
                return ServiceResponse::new(request, response);
            }
        },
    };
    let response = match outcome {
        Ok(Ok(response)) => fault::as_answered(response, route, mode),
        Ok(Err(error)) => fault::of_argument(&error, route, mode),
        Err(panic) => {
            let message = panic::message(&*panic);
            tracing::error!(target: target::HANDLER, { http.route = route.pattern, message }, "a handler panicked");
            fault::of_panic("the handler", message, kind, mode)
        }
    };
    // An extractor may call this a bad request, but the body is too large.
    let response = match body {
        Some(body) if body.is_exceeded() && response.status().is_client_error() => {
            body.too_large(kind)
        }
        _ => response,
    };
    let response = with_cookies(response, &request);
    // The code that waits for a render logs the render's error, once.
    if !handler.rendering.is_cached() {
        fault::log_own(&response, route);
    }
    ServiceResponse::new(request, response)
}

/// Returns the time limit of a dynamic handler. The code that waits for a render keeps the render's
/// limit.
fn time_limit(handler: &Handler) -> Option<Duration> {
    let seconds = handler.descriptor.config.max_duration?;
    let is_dynamic = !handler.rendering.is_cached();
    is_dynamic.then(|| Duration::from_secs(seconds.into()))
}
