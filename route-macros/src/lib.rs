//! The attribute macros of `route-runtime`, which re-exports and documents them.
//!
//! Each attribute runs in three stages: `syntax` and `declaration` parse, `options`, `signature`,
//! `pattern` and `spec` check, and `expand` prints the code of a declaration that passed.

#![expect(
    missing_docs,
    reason = "documented where `route-runtime` re-exports it"
)]

use proc_macro::TokenStream;

mod bug;
mod cached;
mod declaration;
mod errors;
mod expand;
mod literal;
mod method;
mod options;
mod page;
mod pattern;
mod route;
mod runtime;
mod signature;
mod spec;
mod syntax;
mod text;
mod version;

#[proc_macro_attribute]
pub fn route(args: TokenStream, item: TokenStream) -> TokenStream {
    bug::guard(route::route, args.into(), item.into()).into()
}

#[proc_macro_attribute]
pub fn page(args: TokenStream, item: TokenStream) -> TokenStream {
    bug::guard(page::page, args.into(), item.into()).into()
}

#[proc_macro_attribute]
pub fn cached(args: TokenStream, item: TokenStream) -> TokenStream {
    bug::guard(cached::cached, args.into(), item.into()).into()
}
