//! The arguments of handlers: parameters and extractors.

mod cookies;
mod extractor;
mod jar;
mod params;
mod pathname;
mod probe;
mod request_ext;
mod search_params;
mod static_extractor;

pub use cookies::{Cookies, IntoCookie};
pub(crate) use extractor::Extraction;
pub use extractor::Extractor;
pub(crate) use jar::with_cookies;
pub(crate) use params::Texts;
pub use params::{ManyParam, OptionalParam, SingleParam};
pub use pathname::Pathname;
pub(crate) use probe::AppData;
pub use probe::{Cacheable, IsExtractor, Probe, ProbeDefaults, Static};
pub use request_ext::RequestExt;
pub use search_params::SearchParams;
pub use static_extractor::{ReadsParams, StaticExtractor};
