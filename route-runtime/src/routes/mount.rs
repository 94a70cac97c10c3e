//! `Routes` as one service of an actix-web `App`.

use std::cell::OnceCell;
use std::future::ready;
use std::rc::Rc;
use std::sync::Arc;

use actix_service::boxed::rc_service;
use actix_web::dev::{
    AppService, HttpServiceFactory, ResourceDef, ServiceFactory, ServiceRequest, ServiceResponse,
};
use actix_web::{App, Error, web};
use futures_core::future::LocalBoxFuture;

use super::body_limit::limit_of;
use super::dispatch::{Dispatcher, HandlerService, WorkerEndpoint};
use super::matched::MatchGuard;
use super::wrap::Endpoint;
use super::{fault, finish};
use crate::descriptor::Kind;
use crate::respond::not_found;
use crate::routes::Routes;

impl HttpServiceFactory for Routes {
    /// # Panics
    ///
    /// If mounted inside a scope, whose prefix the table would not know, or if `ROUTE_MODE` is no mode
    /// and nothing else says one, which [`Routes::ready`] says before.
    fn register(self, config: &mut AppService) {
        assert!(
            config.is_root(),
            "routes are mounted inside a `web::scope`, which would cut their paths short; mount \
             them on the `App` itself, behind a prefix with `routes.at(\"/v1\")?`"
        );
        if let Err(error) = self.has_mode() {
            panic!("{error}");
        }
        let guard = MatchGuard(Arc::clone(&self.setup.table));
        let everything = ResourceDef::prefix("");
        let factory = Factory(Rc::new(self));
        config.register_service(everything, Some(vec![Box::new(guard)]), factory, None);
    }
}

/// An app with nothing but the routes, which answers 404 elsewhere as they do.
pub(crate) fn app(
    routes: Routes,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse,
        Error = Error,
        InitError = (),
    >,
> {
    let has_routes = routes
        .setup
        .table
        .nodes
        .iter()
        .any(|node| node.kind == Kind::Route);
    // A site of pages has no client that reads anything else.
    let is_site = !has_routes && !routes.setup.table.nodes.is_empty();
    let kind = if is_site { Kind::Page } else { Kind::Route };
    let nothing_here = move || ready(finish::asked_again(fault::response(&not_found(), kind)));
    App::new()
        .default_service(web::to(nothing_here))
        .service(routes)
}

struct Factory(Rc<Routes>);

impl ServiceFactory<ServiceRequest> for Factory {
    type Response = ServiceResponse;
    type Error = Error;
    type Config = ();
    type Service = Dispatcher;
    type InitError = ();
    type Future = LocalBoxFuture<'static, Result<Dispatcher, ()>>;

    fn new_service(&self, (): ()) -> Self::Future {
        let routes = Rc::clone(&self.0);
        Box::pin(async move {
            let handlers = &routes.setup.table.handlers;
            let mut endpoints = Vec::with_capacity(handlers.len());
            for (index, handler) in handlers.iter().enumerate() {
                endpoints.push(WorkerEndpoint {
                    wrapped: wrap_handler(&routes, index).await,
                    body_limit: limit_of(&handler.descriptor),
                    extractor_limits: OnceCell::new(),
                });
            }
            Ok(Dispatcher {
                data: routes.setup.data.container().map(Rc::new),
                routes,
                endpoints,
            })
        })
    }
}

/// The handler inside its middleware; the first one named is the outermost and sees a request
/// first. `None` if there is none, so that a request takes no detour.
async fn wrap_handler(routes: &Rc<Routes>, index: usize) -> Option<Endpoint> {
    let wraps = routes.setup.table.handlers[index].descriptor.config.wrap;
    if wraps.is_empty() {
        return None;
    }
    let mut endpoint: Endpoint = rc_service(HandlerService {
        routes: Rc::clone(routes),
        index,
    });
    for wrap in wraps.iter().rev() {
        endpoint = wrap(endpoint).await;
    }
    Some(endpoint)
}
