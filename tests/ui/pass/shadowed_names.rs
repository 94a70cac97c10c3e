//! Generated code refers to the right items, whatever is in scope under their names.

#![allow(dead_code, nonstandard_style)]

use ::route_runtime::{Routes as Table, page, route};

mod core {}
mod std {}
mod alloc {}
mod actix_web {}
mod route_runtime {}

struct Option;
struct Result;
struct String;
struct Vec;
struct Box;
struct Routes;
struct Config;
struct Method;
struct str;
struct u32;
struct bool;

trait Into {}
trait Iterator {}
trait Future {}
trait Extractor {}
trait Response {}

const Some: () = ();
const None: () = ();
const Ok: () = ();
const Err: () = ();

macro_rules! assert {
    () => {};
}
macro_rules! file {
    () => {};
}

type Text = &'static ::core::primitive::str;

#[page(
    "/[lang]/[[...rest]]",
    dynamic = "auto",
    revalidate = 10,
    expire = 20,
    static_params = paths,
    dynamic_params = false,
    fetch_cache = "auto",
    tags = ["a:{lang}"],
    cdn = true,
    max_duration = 1
)]
async fn shadowed(lang: u8, rest: ::std::vec::Vec<u8>, data: ::actix_web::web::Data<u8>) -> Text {
    let _ = (lang, rest, data);
    "shadowed"
}

#[route(POST, "/unbound/[id]", body_limit = 1)]
async fn unbound(all: ::actix_web::web::Path<u8>) -> Text {
    let _ = all;
    "unbound"
}

async fn paths() -> [(u8, [u8; 0]); 1] {
    [(1, [])]
}

fn main() {
    let routes = Table::from_iter([shadowed::ROUTE, unbound::ROUTE]);
    assert!();
    file!();
    ::core::assert!(routes.is_ok());
}
