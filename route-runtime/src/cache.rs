//! Tags and lifetimes that a cached render sets itself, and statistics of the cache.
//!
//! A handler calls [`tag`] and [`revalidate_after`] to add to the options `tags` and `revalidate`,
//! when it learns the tag or the lifetime only as it runs.

pub use crate::context::{revalidate_after, tag};
pub use crate::engine::{OnPartition, RenderShare, Stats};
