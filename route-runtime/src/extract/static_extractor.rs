//! Which extractors read nothing of the request.

use actix_web::web::{Data, Path, ThinData};
use actix_web::{FromRequest, HttpRequest};

/// An extractor that reads nothing of a request but its method, its path, the pattern's
/// parameters, and app data.
///
/// Whether a response may be shared is decided by types: a route is cached only if every argument
/// is a parameter of the pattern or a `StaticExtractor`, or if the attribute says
/// `dynamic = "force-static"`. Implemented for [`Data`], [`ThinData`], [`Path`],
/// [`Pathname`](crate::Pathname), and `Option` and `Result` of them.
///
/// Implementing it for an extractor of your own is a promise about what `from_request` looks at,
/// not a matter of safety: a cached handler only ever runs with a blank request, so an extractor
/// that breaks the promise finds no header, cookie, query or peer address, and leaks nothing.
///
/// # Example
///
/// ```
/// use actix_web::{FromRequest, HttpRequest, dev::Payload, error::ErrorInternalServerError, web};
/// use route_runtime::StaticExtractor;
/// use std::future::{Ready, ready};
///
/// struct Currency(String);
///
/// impl FromRequest for Currency {
///     type Error = actix_web::Error;
///     type Future = Ready<Result<Self, Self::Error>>;
///
///     fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
///         ready(match req.app_data::<web::Data<String>>() {
///             Some(currency) => Ok(Self(currency.to_string())),
///             None => Err(ErrorInternalServerError("no currency")),
///         })
///     }
/// }
///
/// impl StaticExtractor for Currency {
///     fn missing(req: &HttpRequest) -> Option<String> {
///         let is_missing = req.app_data::<web::Data<String>>().is_none();
///         is_missing.then(|| "web::Data<String>".into())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` reads the request",
    label = "reads the request",
    note = "only `web::Data`, `web::ThinData`, `web::Path`, and types for which you implement \
            `route_runtime::StaticExtractor` read nothing of it"
)]
pub trait StaticExtractor: FromRequest {
    /// The app data that it needs and that is not registered, as it should be called in an error.
    ///
    /// Asked once, at start-up, with a blank request: what a cached route needs and nobody
    /// registered is reported before the first request. The default is that nothing is missing.
    fn missing(req: &HttpRequest) -> Option<String> {
        let _ = req;
        None
    }
}

impl<T: ?Sized + 'static> StaticExtractor for Data<T> {
    fn missing(req: &HttpRequest) -> Option<String> {
        let is_missing = req.app_data::<Self>().is_none();
        is_missing.then(|| format!("web::Data<{}>", std::any::type_name::<T>()))
    }
}

impl<T: Clone + 'static> StaticExtractor for ThinData<T> {
    fn missing(req: &HttpRequest) -> Option<String> {
        let is_missing = req.app_data::<Self>().is_none();
        is_missing.then(|| format!("web::ThinData<{}>", std::any::type_name::<T>()))
    }
}

impl<T: serde::de::DeserializeOwned> StaticExtractor for Path<T> {}

impl<T: StaticExtractor + 'static> StaticExtractor for Option<T> {}

impl<T, E> StaticExtractor for Result<T, E>
where
    T: StaticExtractor + 'static,
    T::Error: Into<E>,
    E: 'static,
{
}

/// An extractor that reads the pattern's parameters by itself, so that no argument has to bind
/// them by name.
///
/// Implemented for [`Path`] and [`HttpRequest`], and open to extractors of your own that look at
/// `HttpRequest::match_info`.
pub trait ReadsParams: FromRequest {}

impl<T: serde::de::DeserializeOwned> ReadsParams for Path<T> {}
impl ReadsParams for HttpRequest {}
