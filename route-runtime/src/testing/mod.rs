//! Tools to test routes with their cache, without a socket and without waiting.
//!
//! A [`TestApp`] is the whole app with a clock that the test moves: the hour of `revalidate = 3600`
//! takes no time.
//!
//! ```
//! use std::sync::atomic::{AtomicU32, Ordering};
//! use std::time::Duration;
//! use route_runtime::testing::{Outcome, TestApp};
//! use route_runtime::{Mode, Routes, route};
//!
//! static RENDERS: AtomicU32 = AtomicU32::new(0);
//!
//! #[route("/news", revalidate = 3600)]
//! async fn news() -> String {
//!     RENDERS.fetch_add(1, Ordering::Relaxed).to_string()
//! }
//!
//! # #[actix_web::main]
//! # async fn main() -> Result<(), route_runtime::RoutesError> {
//! let routes = Routes::from_iter([news::ROUTE])?.mode(Mode::Production);
//! let app = TestApp::new(routes).await?;
//!
//! let first = app.get("/news").await;
//! assert_eq!((first.outcome(), first.text()), (Some(Outcome::Hit), "0"));
//!
//! app.advance(Duration::from_secs(3600));
//! let stale = app.get("/news").await;
//! assert_eq!((stale.outcome(), stale.text()), (Some(Outcome::Stale), "0"));
//!
//! app.settled().await;
//! assert_eq!(app.get("/news").await.text(), "1");
//! # Ok(())
//! # }
//! ```

mod app;
mod response;
pub mod store;
mod stream;

pub use self::app::TestApp;
pub use self::response::{Outcome, TestResponse};
pub use self::stream::TestStream;
