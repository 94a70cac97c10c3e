//! What a handler's arguments are made of.

mod extractor;
mod params;
mod probe;
mod static_extractor;

pub(crate) use extractor::Extractor;
pub(crate) use params::{ManyParam, OptionalParam, SingleParam};
pub use probe::{Probe, ProbeDefaults, must_be_cacheable, must_be_static};
pub use static_extractor::{ReadsParams, StaticExtractor};
