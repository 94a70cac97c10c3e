//! `Routes` as one service of an actix-web `App`.

use std::future::ready;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::dev::{
    AppService, HttpServiceFactory, ResourceDef, ServiceFactory, ServiceRequest, ServiceResponse,
};
use actix_web::{App, Error, web};

use super::Routes;
use crate::declaration::Kind;
use crate::service::{Factory, MatchGuard, nothing_here};

impl HttpServiceFactory for Routes {
    /// # Panics
    ///
    /// Panics if the routes are mounted inside a scope, because the table would not know the
    /// scope's prefix. Also panics if `ROUTE_MODE` is not a mode and no mode was set;
    /// [`Routes::ready`] reports that earlier, as an error.
    fn register(self, config: &mut AppService) {
        assert!(
            config.is_root(),
            "routes are mounted inside a `web::scope`, which would cut their paths short; mount \
             them on the `App` itself, behind a prefix with `routes.at(\"/v1\")?`"
        );
        if let Err(error) = self.has_mode() {
            panic!("{error}");
        }
        let guard = MatchGuard(Arc::clone(&self.served.setup.table));
        let everything = ResourceDef::prefix("");
        let factory = Factory(Rc::new(self.served));
        config.register_service(everything, Some(vec![Box::new(guard)]), factory, None);
    }
}

/// The service factory of an app with bodies of type `B`: the `T` of an `App<T>` that can be
/// served.
pub trait AppFactory<B>:
    ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<B>,
        Error = Error,
        InitError = (),
    > + 'static
{
}

impl<T, B> AppFactory<B> for T where
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static
{
}

/// Makes an app with nothing but the routes. Its 404 for other paths looks like one of theirs.
pub(crate) fn app(routes: Routes) -> App<impl AppFactory<BoxBody>> {
    let is_site = {
        // If there are only pages, clients expect HTML everywhere.
        let mut nodes = routes.served.setup.table.nodes();
        nodes.len() > 0 && nodes.all(|node| node.kind == Kind::Page)
    };
    let kind = if is_site { Kind::Page } else { Kind::Route };
    App::new()
        .default_service(web::to(move || ready(nothing_here(kind))))
        .service(routes)
}
