//! A gate, at which tests and handlers wait for one another without sleeping.

use tokio::sync::Semaphore;

/// A gate that a test or a handler waits at. Each `open` lets one `pass` go on.
#[derive(Debug)]
pub struct Gate(Semaphore);

impl Gate {
    /// Creates a closed gate.
    #[must_use]
    pub const fn new() -> Self {
        Self(Semaphore::const_new(0))
    }

    /// Lets one `pass` go on.
    pub fn open(&self) {
        self.0.add_permits(1);
    }

    /// Waits until the gate is opened.
    ///
    /// # Panics
    ///
    /// Never, for the semaphore inside is never closed.
    pub async fn pass(&self) {
        self.0.acquire().await.expect("it is never closed").forget();
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}
