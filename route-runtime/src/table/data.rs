//! App data that workers and renderers share.

use std::sync::Arc;

use actix_web::dev::Extensions;
use actix_web::web::Data;

type Insert = Arc<dyn Fn(&mut Extensions) + Send + Sync>;

/// The values that are inserted into a container on each thread. Threads cannot share a container.
#[derive(Clone, Default)]
pub(crate) struct SharedData(Vec<Insert>);

impl SharedData {
    pub(crate) fn insert<T: Send + Sync + 'static>(&mut self, value: T) {
        let data = Data::new(value);
        self.0.push(Arc::new(move |container| {
            container.insert(data.clone());
        }));
    }

    /// Returns a container with every value, or `None` if there are no values.
    pub(crate) fn container(&self) -> Option<Extensions> {
        if self.0.is_empty() {
            return None;
        }
        let mut container = Extensions::new();
        for insert in &self.0 {
            insert(&mut container);
        }
        Some(container)
    }
}
