//! The state that services, handlers and renders share.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The products, the token that lets a client change them, and the customers.
pub(crate) struct Shop {
    products: Mutex<Vec<String>>,
    token: &'static str,
    customer: (&'static str, &'static str),
}

impl Default for Shop {
    fn default() -> Self {
        let products = (1..=100).map(|number| format!("Product number {number}"));
        Self {
            products: Mutex::new(products.collect()),
            token: "custom-app",
            customer: ("ann", "correct horse"),
        }
    }
}

impl Shop {
    pub(crate) fn products(&self) -> MutexGuard<'_, Vec<String>> {
        // No code that holds the lock can panic halfway through a change.
        self.products.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether this is the shop's token.
    pub(crate) fn admits(&self, token: &str) -> bool {
        token == self.token
    }

    /// Returns whether there is a customer with this name and this password. A real shop keeps
    /// hashes of passwords, by a crate such as argon2.
    pub(crate) fn knows(&self, name: &str, password: &str) -> bool {
        (name, password) == self.customer
    }
}
