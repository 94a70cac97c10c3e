//! What a cached render can say of itself, and what the cache has done.
//!
//! [`tag`] and [`revalidate_after`] add to what the options `tags` and `revalidate` declare, from
//! inside the handler, once it knows.

// The engine: what may be answered from memory, what is rendered, and who waits for whom.
//
// Knows neither HTTP nor actix-web: responses and data are values to it, and how they are made is
// the caller's affair. Pure questions are apart from what acts on them: `freshness` and `outcome`
// hold no state; `epoch` and `flight` are synchronous, built from `std` alone and model-checked;
// `clock` is the only reader of time; `engine` puts them together.

mod ancestry;
#[cfg_attr(
    not(any(test, feature = "testing")),
    allow(dead_code, reason = "one is for tests")
)]
mod clock;
mod engine;
mod entry;
mod epoch;
mod flight;
mod freshness;
mod key;
mod outcome;
mod stats;
mod status;
mod sync;

#[cfg(test)]
mod tests;

#[cfg(any(test, feature = "testing"))]
pub(crate) use self::clock::ManualClock;
#[cfg(feature = "fetch")]
pub(crate) use self::entry::KEPT;
pub(crate) use self::{
    ancestry::{Ancestry, Stale},
    clock::{Clock, Moment},
    engine::{
        Answer, CAPACITY, Call, Config, Content, Engine, Failure, Hit, STALENESS, STORE_LIMIT, Turn,
    },
    entry::{CacheSlot, Entry, Value},
    freshness::Lifetime,
    key::{CacheKey, Key},
    outcome::{Outcome, Rendered},
    status::{Bypass, Status, Ttl},
};
pub use self::{engine::OnPartition, stats::Stats};

// What a render can say of itself is kept with the render's context; this is its public name.
pub use crate::revalidate::{revalidate_after, tag};
