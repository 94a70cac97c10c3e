//! Generated code passes the strictest lints.

#![forbid(unsafe_code, non_ascii_idents)]
#![deny(warnings, missing_docs, unreachable_pub, unnameable_types)]
#![deny(
    future_incompatible,
    keyword_idents,
    let_underscore,
    nonstandard_style,
    rust_2018_idioms
)]
#![deny(
    missing_debug_implementations,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts
)]
#![deny(
    unused,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences
)]
#![deny(
    explicit_outlives_requirements,
    absolute_paths_not_starting_with_crate,
    unit_bindings
)]
#![forbid(
    missing_copy_implementations,
    missing_debug_implementations,
    non_camel_case_types,
    unreachable_pub,
    unused_imports
)]

use actix_web::web::Data;
use route_runtime::cached;

/// A public function with every option.
#[cached(revalidate = 1, tags = ["cats", "cat:{id}"], version = 3, skip(db))]
pub async fn cats(id: u64, db: Data<u64>) -> Result<Vec<u64>, String> {
    Ok(vec![id + **db])
}

/// A function that only this crate sees.
#[cached(skip(name))]
pub(crate) async fn dogs(mut id: u64, name: &'static str) -> String {
    id += 1;
    format!("{id} {name}")
}

#[expect(unused_variables, reason = "it covers the body, too")]
#[cached(revalidate = false)]
async fn birds(id: u64) -> u64 {
    1
}

#[cached]
#[allow(dead_code)]
async fn nobody_calls() -> u64 {
    1
}

#[allow(deprecated)]
mod old {
    #[deprecated]
    #[route_runtime::cached]
    pub(crate) async fn old(id: u64) -> u64 {
        id
    }
}

#[must_use]
#[cached]
#[cfg(all())]
async fn required() -> u64 {
    1
}

#[cached]
#[cfg(any())]
async fn elsewhere(id: Unknown) -> u64 {
    id
}

#[allow(deprecated)]
#[actix_web::main]
async fn main() {
    drop((dogs(1, "a").await, birds(1).await, old::old(1).await));
    drop((cats(1, Data::new(1)).await, required().await));
}
