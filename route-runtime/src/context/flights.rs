//! The threads on which flights wait for their renders, whatever becomes of the workers. No code of
//! users runs there, but a store of their own.

use tokio::runtime::{Builder, Handle, Runtime};

use crate::threads::is_needed;

/// A runtime that may be dropped anywhere, also inside another runtime.
pub(crate) struct FlightRuntime(Option<Runtime>);

impl FlightRuntime {
    /// Starts the runtime.
    ///
    /// # Panics
    ///
    /// If the system has no threads left for the runtime. A server's own start panics then, too.
    pub(crate) fn start() -> Self {
        let runtime = Builder::new_multi_thread()
            .thread_name("route-flights")
            .on_thread_start(is_needed)
            .enable_all()
            .build()
            .expect("threads can be started");
        Self(Some(runtime))
    }

    pub(crate) fn handle(&self) -> Handle {
        match &self.0 {
            Some(runtime) => runtime.handle().clone(),
            None => unreachable!("it is there until it is dropped"),
        }
    }
}

impl Drop for FlightRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
