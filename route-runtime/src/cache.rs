//! What a cached render can say of itself, and what the cache has done.
//!
//! [`tag`] and [`revalidate_after`] add to what the options `tags` and `revalidate` declare, from
//! inside the handler, once it knows.

pub use crate::context::{revalidate_after, tag};
pub use crate::engine::{OnPartition, Stats};
