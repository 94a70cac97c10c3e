//! The state that services, handlers and renders share.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The products, and the token that lets a client change them.
pub(crate) struct Shop {
    products: Mutex<Vec<String>>,
    token: &'static str,
}

impl Default for Shop {
    fn default() -> Self {
        let products = (1..=100).map(|number| format!("Product number {number}"));
        Self {
            products: Mutex::new(products.collect()),
            token: "custom-app",
        }
    }
}

impl Shop {
    pub(crate) fn products(&self) -> MutexGuard<'_, Vec<String>> {
        // No code that holds the lock can panic halfway through a change.
        self.products.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether this value of `Authorization` contains the shop's token.
    pub(crate) fn admits(&self, authorization: &[u8]) -> bool {
        authorization.strip_prefix(b"Bearer ") == Some(self.token.as_bytes())
    }
}
