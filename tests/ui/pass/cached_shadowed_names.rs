//! Generated code refers to the right items, whatever is in scope under their names.

#![allow(dead_code, nonstandard_style)]

use ::route_runtime::cached;

mod core {}
mod std {}
mod alloc {}
mod route_runtime {}

struct Option;
struct Result;
struct String;
struct Vec;
struct Box;
struct Function;
struct CachedCall;
struct Returned;
struct str;
struct u32;

trait Clone {}
trait Into {}
trait Future {}
trait Send {}
trait ReturnsValue {}

const Some: () = ();
const None: () = ();
const Ok: () = ();
const Err: () = ();

macro_rules! format {
    () => {};
}
macro_rules! concat {
    () => {};
}
macro_rules! module_path {
    () => {};
}

#[cached(revalidate = 1, tags = ["a", "b:{id}"], version = 2, skip(skipped))]
async fn shadowed(id: u64, skipped: u8) -> u64 {
    id + u64::from(skipped)
}

#[cached]
async fn fails(id: u64) -> ::core::result::Result<u64, ()> {
    ::core::result::Result::Ok(id)
}

fn main() {
    format!();
    concat!();
    module_path!();
    let _ = (shadowed(1, 2), fails(1), shadowed::revalidate(1), fails::revalidate(1));
}
