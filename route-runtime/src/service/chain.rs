//! The sections of one worker: each request passes the middleware of those that cover its path.

use std::future::ready;
use std::rc::Rc;

use actix_service::boxed::rc_service;
use actix_service::{Service, always_ready};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::{Error, HttpMessage as _};
use futures_util::future::Either;

use super::boundary::{self, AsMatched, Depth, Of};
use super::dispatch::{Answered, Worker};
use crate::declaration::Kind;
use crate::handler::fault;
use crate::middleware::Endpoint;
use crate::respond::Problem;
use crate::table::{RouteProblem, RoutesError, SectionId, SectionIds};
use crate::target;

/// The sections of one worker, from one on inwards. There is one middleware for each, which is made
/// once.
pub(super) struct SectionLink {
    id: SectionId,
    middleware: Endpoint,
    inner: Chain,
}

/// The outermost of some sections, if there are any.
pub(super) type Chain = Option<Rc<SectionLink>>;

/// The sections that a request passes, kept in its extensions.
pub(super) struct Passing {
    sections: SectionIds,
    as_matched: AsMatched,
    kind: Kind,
    /// Set if one of the sections may decide who reads the response.
    pub(super) is_guarded: bool,
}

/// Makes the middleware of every section.
pub(super) async fn chain(worker: &Rc<Worker>) -> Result<Chain, RoutesError> {
    let mut chain = None;
    let sections = &worker.served.setup.table.sections;
    for (id, section) in sections.iter().enumerate().rev() {
        let inside: Endpoint = rc_service(Inside {
            worker: Rc::clone(worker),
            further: chain.clone(),
        });
        let Ok(middleware) = (section.declared.make)(inside).await else {
            let problem = RouteProblem::SectionNotMade(section.declared.place());
            return Err(RoutesError::new(vec![problem]));
        };
        chain = Some(Rc::new(SectionLink {
            id,
            middleware,
            inner: chain,
        }));
    }
    Ok(chain)
}

impl Passing {
    /// Sends a request through the sections that cover its path.
    pub(super) fn begin(
        sections: SectionIds,
        kind: Kind,
        chain: &Chain,
        worker: &Rc<Worker>,
        request: ServiceRequest,
    ) -> Answered {
        let passing = Rc::new(Self {
            is_guarded: worker.served.setup.table.has_guard(&sections),
            as_matched: AsMatched::of(&request),
            sections,
            kind,
        });
        request.extensions_mut().insert(Rc::clone(&passing));
        passing.go_on(chain, Depth::Outermost, worker, request)
    }

    /// Sends a request through the next of its sections, or if there is none, to its endpoint.
    fn go_on(
        &self,
        chain: &Chain,
        depth: Depth,
        worker: &Rc<Worker>,
        request: ServiceRequest,
    ) -> Answered {
        let mut next = chain;
        while let Some(link) = next {
            if self.sections.contains(&link.id) {
                let of = Of::Section(link.id, self.kind);
                return Either::Right(boundary::call(
                    &link.middleware,
                    of,
                    depth,
                    &worker.served,
                    request,
                ));
            }
            next = &link.inner;
        }
        worker.answer_prepared(depth, request)
    }
}

/// The service inside the middleware of one section.
struct Inside {
    worker: Rc<Worker>,
    /// The sections further in.
    further: Chain,
}

impl Service<ServiceRequest> for Inside {
    type Response = ServiceResponse;
    type Error = Error;
    type Future = Answered;

    always_ready!();

    fn call(&self, mut request: ServiceRequest) -> Answered {
        let passing = request.extensions().get::<Rc<Passing>>().cloned();
        let Some(passing) = passing else {
            // Without it nobody knows which sections the request still has to pass.
            tracing::error!(target: target::HANDLER, "a middleware removed the extensions of a request that are not its own");
            let problem = Problem::new(StatusCode::INTERNAL_SERVER_ERROR);
            let response = fault::response(&problem, Kind::Route);
            return Either::Left(ready(Ok(request.into_response(response))));
        };
        passing.as_matched.restore(&mut request);
        passing.go_on(&self.further, Depth::Inside, &self.worker, request)
    }
}
