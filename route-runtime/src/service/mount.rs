//! `Routes` as one service of an actix-web `App`.

use std::rc::Rc;
use std::sync::Arc;

use actix_service::boxed::rc_service;
use actix_web::Error;
use actix_web::dev::{
    AppService, HttpServiceFactory, ResourceDef, ServiceFactory, ServiceRequest, ServiceResponse,
};
use futures_core::future::LocalBoxFuture;

use super::dispatch::{Dispatcher, HandlerService};
use super::matched::MatchGuard;
use super::wrap::Endpoint;
use crate::routes::Routes;

impl HttpServiceFactory for Routes {
    /// # Panics
    ///
    /// If mounted inside a scope, whose prefix the table would not know.
    fn register(self, config: &mut AppService) {
        assert!(
            config.is_root(),
            "routes are mounted inside a `web::scope`, which would cut their paths short; mount \
             them on the `App` itself, behind a prefix with `routes.at(\"/v1\")?`"
        );
        let guard = MatchGuard(Arc::clone(&self.table));
        let everything = ResourceDef::prefix("");
        config.register_service(everything, Some(vec![Box::new(guard)]), Factory(self), None);
    }
}

struct Factory(Routes);

impl ServiceFactory<ServiceRequest> for Factory {
    type Response = ServiceResponse;
    type Error = Error;
    type Config = ();
    type Service = Dispatcher;
    type InitError = ();
    type Future = LocalBoxFuture<'static, Result<Dispatcher, ()>>;

    fn new_service(&self, (): ()) -> Self::Future {
        let routes = self.0.clone();
        Box::pin(async move {
            let mut wrapped = Vec::with_capacity(routes.table.handlers.len());
            for index in 0..routes.table.handlers.len() {
                wrapped.push(wrap_handler(&routes, index).await);
            }
            Ok(Dispatcher {
                data: routes.data.container().map(Rc::new),
                mode: routes.mode,
                table: routes.table,
                wrapped: wrapped.into(),
            })
        })
    }
}

/// The handler inside its middleware; the first one named is the outermost and sees a request
/// first. `None` if there is none, so that a request takes no detour.
async fn wrap_handler(routes: &Routes, index: usize) -> Option<Endpoint> {
    let wraps = routes.table.handlers[index].descriptor.config.wrap;
    if wraps.is_empty() {
        return None;
    }
    let mut endpoint: Endpoint = rc_service(HandlerService {
        table: Arc::clone(&routes.table),
        index,
        mode: routes.mode,
    });
    for wrap in wraps.iter().rev() {
        endpoint = wrap(endpoint).await;
    }
    Some(endpoint)
}
