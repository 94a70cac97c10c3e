//! What runs, as a client sees it.
//!
//! The registry is one for the whole binary, so each module has a URL prefix of its own.

mod caching;
mod limits;
mod rendering;
mod revalidating;
mod streams;
mod wrapping;
