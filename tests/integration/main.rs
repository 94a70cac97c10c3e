//! What runs, as a client sees it.
//!
//! The registry is one for the whole binary, so each module has a URL prefix of its own.

mod architecture;
mod cached_functions;
mod caching;
mod cli;
mod conveniences;
mod dependencies;
mod depending;
mod exports;
mod faults;
mod fetching;
mod files;
mod gallery;
mod grammar;
mod handles;
mod hostile;
mod inheriting;
mod limits;
mod listed_params;
mod listing;
mod logging;
mod matching;
mod methods;
mod mounting;
mod pages;
mod paths;
mod programs;
mod rendering;
mod revalidating;
mod sharing;
mod streams;
mod table;
mod wrapping;
