//! The service of one worker: every endpoint inside its middleware.

use std::cell::OnceCell;
use std::rc::Rc;

use actix_service::boxed::rc_service;
use actix_web::Error;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use futures_core::future::LocalBoxFuture;

use super::chain::chain;
use super::dispatch::{Dispatcher, HandlerService, Worker, WorkerEndpoint};
use crate::handler::body_limit::limit_of;
use crate::middleware::Endpoint;
use crate::responses::Served;
use crate::table::{ByHandler, HandlerId, RouteProblem, RoutesError};
use crate::target;

/// The factory that makes the service of each worker. Clones make one service together.
#[derive(Clone)]
pub(crate) struct Factory {
    served: Rc<Served>,
    made: Rc<tokio::sync::OnceCell<Dispatcher>>,
}

impl Factory {
    pub(crate) fn of(served: Served) -> Self {
        Self {
            served: Rc::new(served),
            made: Rc::default(),
        }
    }
}

impl ServiceFactory<ServiceRequest> for Factory {
    type Response = ServiceResponse;
    type Error = Error;
    type Config = ();
    type Service = Dispatcher;
    type InitError = ();
    type Future = LocalBoxFuture<'static, Result<Dispatcher, ()>>;

    fn new_service(&self, (): ()) -> Self::Future {
        let Self { served, made } = self.clone();
        Box::pin(async move {
            let dispatcher = made
                .get_or_try_init(|| dispatcher(Rc::clone(&served)))
                .await;
            dispatcher.cloned().map_err(|error| {
                // actix-web has no place for the reason.
                tracing::error!(target: target::ROUTES, "{error}");
                served.refuse(error);
            })
        })
    }
}

async fn dispatcher(served: Rc<Served>) -> Result<Dispatcher, RoutesError> {
    let handlers = served.setup.table.handlers();
    let mut endpoints = Vec::with_capacity(handlers.len());
    for (id, handler) in handlers {
        endpoints.push(WorkerEndpoint {
            wrapped: wrap_handler(&served, id).await?,
            body_limit: limit_of(&handler.descriptor),
            extractor_limits: OnceCell::new(),
        });
    }
    let worker = Rc::new(Worker {
        data: served.setup.data.container().map(Rc::new),
        endpoints: ByHandler::of(endpoints),
        served,
    });
    let chain = chain(&worker).await?;
    Ok(Dispatcher { worker, chain })
}

/// Puts the handler inside its middleware. The first middleware named is the outermost, and sees a
/// request first. Returns `None` if there is no middleware, so that a request takes no detour.
async fn wrap_handler(served: &Rc<Served>, id: HandlerId) -> Result<Option<Endpoint>, RoutesError> {
    let descriptor = &served.setup.table.handler(id).descriptor;
    let wraps = descriptor.config.wrap;
    if wraps.is_empty() {
        return Ok(None);
    }
    let mut endpoint: Endpoint = rc_service(HandlerService {
        served: Rc::clone(served),
        id,
    });
    for wrap in wraps.iter().rev() {
        let Ok(wrapped) = (wrap.put)(endpoint).await else {
            let problem = RouteProblem::WrapNotMade {
                route: descriptor.into(),
                middleware: wrap.name,
            };
            return Err(RoutesError::new(vec![problem]));
        };
        endpoint = wrapped;
    }
    Ok(Some(endpoint))
}
