//! The cache engine: what may be answered from memory, what is rendered, and who waits for whom.
//!
//! Knows neither HTTP nor actix-web: responses and data are values to it, and how they are made is
//! the caller's affair.

#![allow(dead_code, reason = "the engine, which uses it, comes next")]

mod clock;
mod epoch;
mod flight;
mod freshness;
mod key;
mod stats;
mod status;
mod sync;

#[cfg(test)]
mod tests;

pub use self::stats::Stats;
