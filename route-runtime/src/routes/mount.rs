//! `Routes` as one service of an actix-web `App`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

use actix_web::body::BoxBody;
use actix_web::dev::{
    AppConfig, AppService, HttpServiceFactory, ResourceDef, ServiceFactory, ServiceRequest,
    ServiceResponse,
};
use actix_web::{App, Error};

use super::Routes;
use crate::responses::Served;
use crate::service::{Factory, MatchGuard};
use crate::table::RoutesError;

impl HttpServiceFactory for Routes {
    /// # Panics
    ///
    /// Panics if the routes are mounted inside a scope, because the table would not know the
    /// scope's prefix. Also panics if `ROUTE_MODE` is not a mode and no mode was set, or if a
    /// section is not right; [`Routes::ready`] reports these earlier, as an error.
    fn register(self, config: &mut AppService) {
        Mounted::of(self).register(config);
    }
}

/// Routes in the app of one worker.
struct Mounted {
    routes: Routes,
    factory: Factory,
}

impl Mounted {
    fn of(routes: Routes) -> Self {
        Self {
            factory: Factory::of(routes.served.clone()),
            routes,
        }
    }
}

impl HttpServiceFactory for Mounted {
    fn register(self, config: &mut AppService) {
        assert!(
            config.is_root(),
            "routes are mounted inside a `web::scope`, which would cut their paths short; mount \
             them on the `App` itself, behind a prefix with `routes.at(\"/v1\")?`"
        );
        if let Err(error) = self.routes.can_be_served() {
            panic!("{error}");
        }
        if let Err(error) = self.has_one_cache(config) {
            return Given::refuse(error);
        }
        let guard = MatchGuard(Arc::clone(&self.routes.served.setup.table));
        let everything = ResourceDef::prefix("");
        config.register_service(everything, Some(vec![Box::new(guard)]), self.factory, None);
    }
}

impl Mounted {
    /// Checks that every worker that mounts these routes shares their cache, as far as this one
    /// worker can tell.
    fn has_one_cache(&self, config: &AppService) -> Result<(), RoutesError> {
        let served = &self.routes.served;
        if let Some(given) = Given::here() {
            if given.served.is(served) {
                return Ok(());
            }
            if Arc::ptr_eq(&given.served.setup.origin, &served.setup.origin) {
                return Err(RoutesError::other_table(served.made_at));
            }
        }
        if served.is_made_here() && is_of_a_server(config.config()) {
            let place = (served.made_at, config.config().host().to_owned());
            let mut makers = MAKERS.lock().unwrap_or_else(PoisonError::into_inner);
            let maker = *makers
                .entry(place)
                .or_insert_with(|| thread::current().id());
            if maker != thread::current().id() {
                return Err(RoutesError::table_per_worker(served.made_at));
            }
        }
        Ok(())
    }
}

/// The workers that have mounted routes which they made themselves, by the place in the source where
/// they made them, and by the address that they serve. A second worker has a second cache.
static MAKERS: Mutex<BTreeMap<(&Location<'static>, String), ThreadId>> =
    Mutex::new(BTreeMap::new());

/// Returns whether an app is that of a server, and not of a test, whose configuration is the default.
fn is_of_a_server(config: &AppConfig) -> bool {
    let default = AppConfig::default();
    config.host() != default.host() || config.local_addr() != default.local_addr()
}

/// The routes that an app is given to mount.
#[derive(Clone)]
pub(crate) struct Given {
    served: Served,
}

thread_local! {
    /// The routes that the app was given which this thread is making.
    static GIVEN: RefCell<Option<Given>> = const { RefCell::new(None) };
}

impl Given {
    pub(crate) fn of(routes: &Routes) -> Self {
        Self {
            served: routes.served.clone(),
        }
    }

    /// Notes that this thread makes an app that is given these routes.
    pub(crate) fn give(&self) {
        GIVEN.set(Some(self.clone()));
    }

    fn here() -> Option<Self> {
        GIVEN.with_borrow(Clone::clone)
    }

    /// Returns what is wrong with the routes that were mounted, once the apps are made.
    pub(crate) fn check(&self) -> Result<(), RoutesError> {
        GIVEN.set(None);
        self.served
            .refusal()
            .map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Reports routes that cannot be mounted: to the code that gave the app its routes, or if none
    /// did, by a panic.
    fn refuse(error: RoutesError) {
        match Self::here() {
            Some(given) => given.served.refuse(error),
            None => panic!("{error}"),
        }
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

/// Makes an app with nothing but the routes. Its 404 for other paths looks like one of theirs, and
/// passes their sections.
pub(crate) fn app(routes: Routes) -> App<impl AppFactory<BoxBody>> {
    let mounted = Mounted::of(routes);
    let elsewhere = mounted.factory.clone();
    App::new().default_service(elsewhere).service(mounted)
}
