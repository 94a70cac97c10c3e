//! App data that workers and renderers share.

use std::any::Any;
use std::sync::Arc;

use actix_web::dev::Extensions;
use actix_web::web::{Data, ServiceConfig};

/// The values that are inserted into a container on each thread. Threads cannot share a container.
#[derive(Clone, Default)]
pub(crate) struct SharedData(Vec<Arc<dyn SharedValue>>);

/// A value that every handler sees as `Data<T>`.
trait SharedValue: Send + Sync {
    fn insert(&self, container: &mut Extensions);

    fn configure(&self, app: &mut ServiceConfig);
}

impl<T: Any + Send + Sync> SharedValue for Data<T> {
    fn insert(&self, container: &mut Extensions) {
        container.insert(self.clone());
    }

    fn configure(&self, app: &mut ServiceConfig) {
        app.app_data(self.clone());
    }
}

impl SharedData {
    pub(crate) fn insert<T: Send + Sync + 'static>(&mut self, value: T) {
        self.0.push(Arc::new(Data::new(value)));
    }

    /// Returns a container with every value, or `None` if there are no values.
    pub(crate) fn container(&self) -> Option<Extensions> {
        if self.0.is_empty() {
            return None;
        }
        let mut container = Extensions::new();
        for value in &self.0 {
            value.insert(&mut container);
        }
        Some(container)
    }

    /// Gives every value to an app, for its other services and its middleware.
    pub(crate) fn configure(&self, app: &mut ServiceConfig) {
        for value in &self.0 {
            value.configure(app);
        }
    }
}
