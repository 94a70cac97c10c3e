//! The settings of a table.

use std::sync::Arc;

use actix_web::web::ServiceConfig;

use super::{SharedData, Sharing, Table};
use crate::engine::Clock;
use crate::mode::Mode;
use crate::store::MemoryOptions;

#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) table: Arc<Table>,
    pub(crate) data: SharedData,
    pub(crate) configure: Vec<Configure>,
    pub(crate) mode: Mode,
    /// What `ROUTE_MODE` says instead of one, as long as it would have to decide.
    pub(crate) no_mode: Option<String>,
    pub(crate) memory: MemoryOptions,
    /// Whether shared caches outside may keep what a route does not decide.
    pub(crate) cdn: bool,
    pub(crate) clock: Clock,
    /// What stands behind memory.
    pub(crate) sharing: Sharing,
}

impl Setup {
    /// Whatever the environment says.
    pub(crate) fn in_mode(self, mode: Mode) -> Self {
        Self {
            mode,
            no_mode: None,
            ..self
        }
    }
}

/// Configures the app of one thread.
pub(crate) type Configure = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;
