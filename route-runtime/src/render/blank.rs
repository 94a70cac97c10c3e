//! The only service of a blank app, which runs the handler that the request names.

use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::{Arc, Weak};

use actix_service::{Service, ServiceFactory, always_ready};
use actix_web::dev::{
    AppService, Extensions, HttpServiceFactory, ResourceDef, ServiceRequest, ServiceResponse,
};
use actix_web::{Error, HttpMessage as _, HttpRequest, HttpResponse};
use futures_core::future::LocalBoxFuture;
use futures_util::FutureExt as _;
use tracing::Instrument as _;

use super::ListedPaths;
use crate::context::{Caller, Context, Declared, Home, Render, in_context, when_sent};
use crate::engine::Keep;
use crate::handler::answer;
use crate::pattern::Params;
use crate::store::Tag;
use crate::table::{Handler, HandlerId, MissingData, Setup};
use crate::target;
use crate::threads::Reply;

/// The task of a request to the blank app, kept in the request's extensions.
pub(super) enum BlankTask {
    Render {
        handler: HandlerId,
        params: Params,
        declared: Arc<[Tag]>,
        caller: Caller,
        keep: Keep,
        render: Arc<Render>,
    },
    Missing(Reply<Vec<MissingData>>),
    List {
        handler: HandlerId,
        reply: Reply<ListedPaths>,
    },
}

#[derive(Clone)]
pub(super) struct RenderService {
    setup: Rc<Setup>,
    home: Weak<Home>,
    data: Option<Rc<Extensions>>,
}

impl RenderService {
    pub(super) fn new(setup: Setup, home: Weak<Home>) -> Self {
        Self {
            data: setup.data.container().map(Rc::new),
            setup: Rc::new(setup),
            home,
        }
    }
}

impl HttpServiceFactory for RenderService {
    fn register(self, config: &mut AppService) {
        config.register_service(ResourceDef::prefix(""), None, self, None);
    }
}

impl ServiceFactory<ServiceRequest> for RenderService {
    type Response = ServiceResponse;
    type Error = Error;
    type Config = ();
    type Service = Self;
    type InitError = ();
    type Future = std::future::Ready<Result<Self, ()>>;

    fn new_service(&self, (): ()) -> Self::Future {
        std::future::ready(Ok(self.clone()))
    }
}

impl Service<ServiceRequest> for RenderService {
    type Response = ServiceResponse;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<ServiceResponse, Error>>;

    always_ready!();

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        if let Some(data) = &self.data {
            request.add_data_container(Rc::clone(data));
        }
        let task = request.extensions_mut().remove::<BlankTask>();
        let setup = Rc::clone(&self.setup);
        let home = self.home.clone();
        Box::pin(when_sent(async move {
            let table = &setup.table;
            let response = match task {
                Some(BlankTask::Render {
                    handler,
                    params,
                    declared,
                    caller,
                    keep,
                    render,
                }) => {
                    let handler = table.handler(handler);
                    table.capture(handler, &mut request);
                    let span = tracing::info_span!(
                        target: target::CACHE,
                        "render",
                        http.route = table.node(handler.node).pattern,
                        url.path = request.path(),
                        http.response.status_code = tracing::field::Empty,
                    );
                    let context = Context {
                        owner: handler.owner(),
                        fetch_cache: handler.descriptor.config.fetch_cache,
                        ancestry: caller.ancestry,
                        declared: Declared::Tags(declared),
                        reloads: caller.reloads,
                        keep,
                        render: Some(render),
                        ..Context::of(home)
                    };
                    let answered = answer(handler, params, &setup, request);
                    let response = in_context(context, answered.instrument(span.clone())).await;
                    span.record("http.response.status_code", response.status().as_u16());
                    return Ok(response);
                }
                Some(BlankTask::Missing(reply)) => {
                    let request = request.request();
                    let handlers = table.handlers();
                    let missing = handlers
                        .filter(|(_, handler)| handler.rendering.is_cached())
                        .flat_map(|(id, handler)| {
                            let arguments = handler.descriptor.arguments.iter();
                            arguments.filter_map(move |argument| {
                                Some(MissingData {
                                    handler: id,
                                    argument: argument.source,
                                    data: (argument.app_data.missing)(request)?,
                                })
                            })
                        })
                        .collect();
                    reply.send(missing);
                    HttpResponse::NoContent()
                }
                Some(BlankTask::List { handler, reply }) => {
                    let handler = table.handler(handler);
                    let context = Context {
                        owner: handler.owner(),
                        keep: Keep::Listed,
                        ..Context::of(home)
                    };
                    let list = list(handler, request.request().clone());
                    reply.send(context.scope(list).await);
                    HttpResponse::NoContent()
                }
                None => HttpResponse::NotFound(),
            }
            .finish();
            Ok(request.into_response(response))
        }))
    }
}

/// Returns the paths that a handler's `static_params` gives, in canonical form. A panic in it is an
/// error like any other.
async fn list(handler: &Handler, request: HttpRequest) -> ListedPaths {
    let Some(static_params) = handler.descriptor.config.static_params else {
        return Ok(Vec::new());
    };
    let listed = AssertUnwindSafe(async { static_params(request).await }).catch_unwind();
    match listed.await {
        Ok(Ok(params)) => Ok(params.iter().map(|params| handler.path(params)).collect()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("`static_params` panicked".into()),
    }
}
