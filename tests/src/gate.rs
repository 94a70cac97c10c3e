//! Waiting for one another, without sleeping.

use tokio::sync::Semaphore;

/// Something that a test waits for, or lets go on: each `open` lets one `pass`.
#[derive(Debug)]
pub struct Gate(Semaphore);

impl Gate {
    /// Closed.
    #[must_use]
    pub const fn new() -> Self {
        Self(Semaphore::const_new(0))
    }

    /// Lets one pass.
    pub fn open(&self) {
        self.0.add_permits(1);
    }

    /// Waits until it is opened.
    ///
    /// # Panics
    ///
    /// Never: it is not closed for good.
    pub async fn pass(&self) {
        self.0.acquire().await.expect("it is never closed").forget();
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}
