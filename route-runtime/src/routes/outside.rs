//! The shared cache outside.

use std::sync::Arc;

use super::Routes;
use crate::purge::Purge;

impl Routes {
    /// Purges whatever is invalidated from a shared cache outside, such as a CDN, too. See
    /// [`purge`](crate::purge).
    #[must_use]
    #[track_caller]
    pub fn purge(mut self, cache: impl Purge) -> Self {
        self.served.setup.purge = Some(Arc::new(cache));
        Self::of(self.served.setup)
    }
}
