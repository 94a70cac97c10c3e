//! The only service of a blank app: runs the handler it is told to.

use std::rc::Rc;

use actix_service::{Service, ServiceFactory, always_ready};
use actix_web::dev::{
    AppService, Extensions, HttpServiceFactory, ResourceDef, ServiceRequest, ServiceResponse,
};
use actix_web::{Error, HttpMessage as _, HttpResponse};
use futures_core::future::LocalBoxFuture;
use tokio::sync::oneshot;
use tracing::Instrument as _;

use super::MissingData;
use crate::routes::Setup;
use crate::service::answer;
use crate::trie::Params;

/// What a request to the blank app carries.
pub(super) enum Task {
    Render { handler: usize, params: Params },
    Missing(MissingReply),
}

pub(super) struct MissingReply(oneshot::Sender<Vec<MissingData>>);

impl MissingReply {
    pub(super) fn new(reply: oneshot::Sender<Vec<MissingData>>) -> Self {
        Self(reply)
    }
}

#[derive(Clone)]
pub(super) struct RenderService {
    setup: Rc<Setup>,
    data: Option<Rc<Extensions>>,
}

impl RenderService {
    pub(super) fn new(setup: Setup) -> Self {
        Self {
            data: setup.data.container().map(Rc::new),
            setup: Rc::new(setup),
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
        let task = request.extensions_mut().remove::<Task>();
        let setup = Rc::clone(&self.setup);
        Box::pin(async move {
            let table = &setup.table;
            let response = match task {
                Some(Task::Render { handler, params }) => {
                    let handler = &table.handlers[handler];
                    table.capture(handler, &mut request);
                    let span = tracing::info_span!(
                        "render",
                        http.route = table.nodes[handler.node].pattern,
                        url.path = request.path(),
                        http.response.status_code = tracing::field::Empty,
                    );
                    let answered = answer(handler, params, setup.mode, request);
                    let response = answered.instrument(span.clone()).await;
                    span.record("http.response.status_code", response.status().as_u16());
                    return Ok(response);
                }
                Some(Task::Missing(MissingReply(reply))) => {
                    let request = request.request();
                    let handlers = table.handlers.iter().enumerate();
                    let missing = handlers
                        .filter(|(_, handler)| handler.rendering.is_cached())
                        .flat_map(|(index, handler)| {
                            let arguments = handler.descriptor.arguments.iter();
                            arguments.filter_map(move |argument| {
                                Some(MissingData {
                                    handler: index,
                                    argument: argument.source,
                                    data: (argument.missing)(request)?,
                                })
                            })
                        })
                        .collect();
                    // Whoever asked may be gone.
                    drop(reply.send(missing));
                    HttpResponse::NoContent()
                }
                None => HttpResponse::NotFound(),
            }
            .finish();
            Ok(request.into_response(response))
        })
    }
}
