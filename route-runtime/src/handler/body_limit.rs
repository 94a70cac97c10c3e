//! The limit on how many bytes of a request's body are read, counted as they come over the wire.

use std::cell::{Cell, RefCell};
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

#[cfg(feature = "multipart")]
use actix_multipart::form::MultipartFormConfig;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Extensions, Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Bytes, Data, FormConfig, JsonConfig, PayloadConfig};
use actix_web::{HttpMessage as _, HttpResponse};
use futures_core::Stream;

use super::fault;
use crate::declaration::{Kind, Method, RouteDescriptor};
use crate::respond::Problem;

/// The limit in bytes that holds if nothing else is configured.
pub(crate) const DEFAULT: u64 = 1 << 20;

/// Returns the body limit of a handler. `None` for methods without a body; one of these is GET,
/// whose connection may also be upgraded to something endless. For the other methods, a client that
/// asks for an upgrade changes nothing.
pub(crate) fn limit_of(route: &RouteDescriptor) -> Option<u64> {
    let has_body = matches!(
        route.method,
        Method::Post | Method::Put | Method::Patch | Method::Delete
    );
    has_body.then(|| route.config.body_limit.unwrap_or(DEFAULT))
}

/// The watch over a request's body, found in the request's extensions.
#[derive(Clone)]
pub(crate) struct BodyWatch(Rc<Watched>);

struct Watched {
    limit: Cell<u64>,
    /// The length of the body by the request's own headers; 0 if they do not tell it.
    announced: u64,
    read: Cell<u64>,
    is_exceeded: Cell<bool>,
    /// Set while the last thing that happened was waiting for the client.
    is_awaited: Cell<bool>,
    /// The rest of the body, once nothing reads it any more.
    unread: RefCell<Payload>,
}

impl Watched {
    fn is_announced_too_long(&self) -> bool {
        self.announced > self.limit.get()
    }
}

impl BodyWatch {
    /// Puts the limit on a request, and returns the watch over its body.
    pub(crate) fn put_on(request: &mut ServiceRequest, limit: u64) -> Self {
        let watch = Self(Rc::new(Watched {
            limit: Cell::new(limit),
            announced: content_length(request).unwrap_or_default(),
            read: Cell::new(0),
            is_exceeded: Cell::new(false),
            is_awaited: Cell::new(false),
            unread: RefCell::new(Payload::None),
        }));
        let payload = request.take_payload();
        request.set_payload(match payload {
            Payload::None => Payload::None,
            payload => Payload::Stream {
                payload: Box::pin(LimitedBody {
                    payload,
                    watch: watch.clone(),
                }),
            },
        });
        request.extensions_mut().insert(watch.clone());
        watch
    }

    /// Returns whether the body is known to be longer than the limit, read or not.
    pub(crate) fn is_too_long(&self) -> bool {
        self.0.is_announced_too_long() || self.is_exceeded()
    }

    /// Lifts the limit, for a handler that has none.
    pub(crate) fn lift(&self) {
        self.0.limit.set(u64::MAX);
    }

    /// Returns whether someone has read the body up to its limit, and got an error.
    pub(crate) fn is_exceeded(&self) -> bool {
        self.0.is_exceeded.get()
    }

    pub(crate) fn is_awaited(&self) -> bool {
        self.0.is_awaited.get()
    }

    /// Makes a 413 response that ends the connection.
    pub(crate) fn too_large(&self, kind: Kind) -> HttpResponse {
        let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE)
            .detail(fault::size_limit(self.0.limit.get()));
        self.close_after(fault::response(&problem, kind))
    }

    /// Makes a response the last of its connection: the rest of the request's body is not read,
    /// however long it may be.
    pub(crate) fn close_after(&self, mut response: HttpResponse) -> HttpResponse {
        response
            .head_mut()
            .set_connection_type(actix_http::ConnectionType::Close);
        response.map_body(|_, body| {
            BoxBody::new(Last {
                body,
                _watch: self.clone(),
            })
        })
    }
}

fn content_length(request: &ServiceRequest) -> Option<u64> {
    let value = request.headers().get(header::CONTENT_LENGTH)?;
    value.to_str().ok()?.trim().parse().ok()
}

/// Returns configurations that give actix-web's own extractors our limit. Their own limits would be
/// lower or higher.
///
/// The route's option overrides what the user configured for the app, which overrides the default.
/// Everything else that the user configured is kept.
///
/// A form with files has two limits: one for everything, and one for what is read into memory. Both
/// are ours unless the user configured them. The second is kept then: it may be far below the size
/// of a file.
pub(crate) fn extractor_limits(request: &ServiceRequest, route: &RouteDescriptor) -> Extensions {
    let declared = route.config.body_limit;
    let bytes = usize::try_from(declared.unwrap_or(DEFAULT)).unwrap_or(usize::MAX);
    let mut limits = ExtractorLimits {
        request,
        is_declared: declared.is_some(),
        bytes,
        container: Extensions::new(),
    };
    limits.put(JsonConfig::limit, JsonConfig::default());
    limits.put(FormConfig::limit, FormConfig::default());
    limits.put(PayloadConfig::limit, PayloadConfig::default());
    #[cfg(feature = "multipart")]
    limits.put(
        MultipartFormConfig::total_limit,
        MultipartFormConfig::default().memory_limit(bytes),
    );
    limits.container
}

struct ExtractorLimits<'a> {
    request: &'a ServiceRequest,
    is_declared: bool,
    bytes: usize,
    container: Extensions,
}

impl ExtractorLimits<'_> {
    /// Puts our limit into the user's configuration, or into `default` if there is none.
    fn put<T: Clone + 'static>(&mut self, limit: fn(T, usize) -> T, default: T) {
        let data = || Some(self.request.app_data::<Data<T>>()?.get_ref().clone());
        let configured = self.request.app_data().cloned().or_else(data);
        if configured.is_none() || self.is_declared {
            self.container
                .insert(limit(configured.unwrap_or(default), self.bytes));
        }
    }
}

/// A request body that ends with an error as soon as it exceeds the limit.
struct LimitedBody {
    payload: Payload,
    watch: BodyWatch,
}

impl Drop for LimitedBody {
    fn drop(&mut self) {
        let unread = mem::replace(&mut self.payload, Payload::None);
        self.watch.0.unread.replace(unread);
    }
}

/// A response body that keeps the unread rest of the request's body while it is sent. As soon as
/// that rest is dropped, the server reads the request to its end.
struct Last {
    body: BoxBody,
    _watch: BodyWatch,
}

impl MessageBody for Last {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}

impl Stream for LimitedBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let watched = Rc::clone(&self.watch.0);
        if watched.is_announced_too_long() || watched.is_exceeded.get() {
            watched.is_exceeded.set(true);
            return Poll::Ready(Some(Err(PayloadError::Overflow)));
        }
        let polled = Pin::new(&mut self.payload).poll_next(context);
        watched.is_awaited.set(polled.is_pending());
        if let Poll::Ready(Some(Ok(chunk))) = &polled {
            let read = watched.read.get() + chunk.len() as u64;
            watched.read.set(read);
            if read > watched.limit.get() {
                watched.is_exceeded.set(true);
                return Poll::Ready(Some(Err(PayloadError::Overflow)));
            }
        }
        polled
    }
}
