//! Next.js Route Handlers on actix-web.

mod cache;
mod descriptor;
pub mod store;

pub use cache::Stats;
pub use descriptor::Segment;
