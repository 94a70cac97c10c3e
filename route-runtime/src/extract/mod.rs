//! What a handler's arguments are made of.

mod extractor;
mod params;
mod probe;
mod static_extractor;

pub(crate) use extractor::Extraction;
pub use extractor::Extractor;
pub(crate) use params::Texts;
pub use params::{ManyParam, OptionalParam, SingleParam};
pub use probe::{Cacheable, IsExtractor, Probe, ProbeDefaults, Static};
pub use static_extractor::{ReadsParams, StaticExtractor};
