//! The extractors that read nothing of the request.

use actix_web::web::{Data, Path, ThinData};
use actix_web::{FromRequest, HttpRequest};

/// An extractor that reads nothing of a request except its method, its path, the pattern's
/// parameters and app data.
///
/// The types of the arguments decide whether a response may be shared: a route is cached only if
/// every argument is a parameter of the pattern or a `StaticExtractor`, or if the attribute says
/// `dynamic = "force-static"`. The trait is implemented for [`Data`], [`ThinData`], [`Path`] and
/// [`Pathname`](crate::Pathname), and for `Option` and `Result` of them.
///
/// If you implement it for your own extractor, you promise what `from_request` reads. A broken
/// promise leaks nothing: a cached handler always runs with a blank request, so the extractor finds
/// no header, cookie, query or peer address.
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
    /// Set if the value comes from app data, or from anywhere else that can change while the
    /// program runs, and not from the path alone.
    ///
    /// A GET with such an argument, without `revalidate` and without `tags`, is cached for ever
    /// although its data may change. The table and the command `check` point at such routes. Set
    /// the constant to `false` for an extractor that reads only the method, the path and the
    /// parameters.
    const READS_APP_DATA: bool = true;

    /// Returns the name of app data that the extractor needs and that is not registered, for an
    /// error message.
    ///
    /// This function is called once, at start-up, with a blank request, so that app data which a
    /// cached route lacks is reported before the first request. The default says that nothing is
    /// missing.
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

impl<T: serde::de::DeserializeOwned> StaticExtractor for Path<T> {
    const READS_APP_DATA: bool = false;
}

impl<T: StaticExtractor + 'static> StaticExtractor for Option<T> {
    const READS_APP_DATA: bool = T::READS_APP_DATA;
}

impl<T, E> StaticExtractor for Result<T, E>
where
    T: StaticExtractor + 'static,
    T::Error: Into<E>,
    E: 'static,
{
    const READS_APP_DATA: bool = T::READS_APP_DATA;
}

/// An extractor that reads the pattern's parameters itself, so that no argument has to bind them by
/// name.
///
/// The trait is implemented for [`Path`] and [`HttpRequest`]. You may implement it for your own
/// extractors that read `HttpRequest::match_info`.
pub trait ReadsParams: FromRequest {}

impl<T: serde::de::DeserializeOwned> ReadsParams for Path<T> {}
impl ReadsParams for HttpRequest {}
