//! Integration tests: running servers and programs, as a client sees them.
//!
//! The whole binary has one registry, so each module has a URL prefix of its own.

mod admin;
mod architecture;
mod cached_functions;
mod caching;
mod cli;
mod conveniences;
mod dependencies;
mod depending;
mod exports;
mod fairness;
mod faults;
mod fetching;
mod files;
mod gallery;
mod grammar;
mod handles;
mod hostile;
mod inheriting;
mod keeping;
mod limits;
mod listed_params;
mod listing;
mod logging;
mod matching;
mod methods;
mod mounting;
mod one_cache;
mod pages;
mod paths;
mod programs;
mod purging;
mod rendering;
mod request_log;
mod revalidating;
mod sections;
mod sharing;
mod streams;
mod table;
mod wrapping;
