//! The service of one worker: every endpoint inside its middleware.

use std::cell::OnceCell;
use std::rc::Rc;

use actix_service::boxed::rc_service;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::{Error, HttpResponse};
use futures_core::future::LocalBoxFuture;

use super::dispatch::{Dispatcher, HandlerService, WorkerEndpoint};
use super::finish;
use crate::declaration::{Endpoint, Kind};
use crate::handler::body_limit::limit_of;
use crate::handler::fault;
use crate::respond::not_found;
use crate::responses::Served;
use crate::table::{ByHandler, HandlerId};

/// The factory that makes the service of each worker.
pub(crate) struct Factory(pub(crate) Rc<Served>);

impl ServiceFactory<ServiceRequest> for Factory {
    type Response = ServiceResponse;
    type Error = Error;
    type Config = ();
    type Service = Dispatcher;
    type InitError = ();
    type Future = LocalBoxFuture<'static, Result<Dispatcher, ()>>;

    fn new_service(&self, (): ()) -> Self::Future {
        let served = Rc::clone(&self.0);
        Box::pin(async move {
            let handlers = served.setup.table.handlers();
            let mut endpoints = Vec::with_capacity(handlers.len());
            for (id, handler) in handlers {
                endpoints.push(WorkerEndpoint {
                    wrapped: wrap_handler(&served, id).await,
                    body_limit: limit_of(&handler.descriptor),
                    extractor_limits: OnceCell::new(),
                });
            }
            Ok(Dispatcher {
                data: served.setup.data.container().map(Rc::new),
                endpoints: ByHandler::of(endpoints),
                served,
            })
        })
    }
}

/// Puts the handler inside its middleware. The first middleware named is the outermost, and sees a
/// request first. Returns `None` if there is no middleware, so that a request takes no detour.
async fn wrap_handler(served: &Rc<Served>, id: HandlerId) -> Option<Endpoint> {
    let wraps = served.setup.table.handler(id).descriptor.config.wrap;
    if wraps.is_empty() {
        return None;
    }
    let mut endpoint: Endpoint = rc_service(HandlerService {
        served: Rc::clone(served),
        id,
    });
    for wrap in wraps.iter().rev() {
        endpoint = wrap(endpoint).await;
    }
    Some(endpoint)
}

/// Answers a request that no route matches, in the form in which the routes say that something is
/// not there.
pub(crate) fn nothing_here(kind: Kind) -> HttpResponse {
    finish::with_no_cache(fault::response(&not_found(), kind))
}
