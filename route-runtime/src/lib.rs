//! Next.js Route Handlers on actix-web.

mod descriptor;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "used by the table of routes, which is to come")
)]
mod path;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "used by the table of routes, which is to come")
)]
mod trie;

pub use descriptor::Segment;
