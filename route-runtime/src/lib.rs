//! Next.js Route Handlers on actix-web.

mod descriptor;
pub mod store;

pub use descriptor::Segment;
