//! Next.js Route Handlers on actix-web.

mod descriptor;

pub use descriptor::Segment;
