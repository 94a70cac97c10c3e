//! The state that everything here shares.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Products, and who may change them.
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
        // Nothing that holds it can panic halfway through a change.
        self.products.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this is the value of `Authorization` that opens every door.
    pub(crate) fn admits(&self, authorization: &[u8]) -> bool {
        authorization.strip_prefix(b"Bearer ") == Some(self.token.as_bytes())
    }
}
