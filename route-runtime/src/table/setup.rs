//! The settings of a table.

use std::sync::Arc;

use actix_web::web::ServiceConfig;

use super::{SharedData, Sharing, Table};
use crate::declaration::TagHeader;
use crate::engine::{Clock, RenderPlaces};
use crate::mode::Mode;
use crate::purge::Purge;
use crate::store::MemoryOptions;

#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) table: Arc<Table>,
    /// The same for all routes that were made of the same ones, by `at`, `data` and the like.
    pub(crate) origin: Arc<()>,
    pub(crate) data: SharedData,
    pub(crate) configure: Vec<Configure>,
    pub(crate) mode: Mode,
    /// The value of `ROUTE_MODE` if it is not a mode. `None` once another setting has decided.
    pub(crate) no_mode: Option<String>,
    pub(crate) memory: MemoryOptions,
    /// The places for renders and for refreshes.
    pub(crate) places: RenderPlaces,
    /// Set if shared caches outside may keep the responses of routes that have no `cdn`.
    pub(crate) cdn: bool,
    /// The header in which shared caches outside read the tags of responses.
    pub(crate) tag_header: TagHeader,
    /// The shared cache outside that is purged of what is invalidated.
    pub(crate) purge: Option<Arc<dyn Purge>>,
    pub(crate) clock: Clock,
    /// The store behind memory, and its settings.
    pub(crate) sharing: Sharing,
}

impl Setup {
    /// Sets the mode, whatever the environment says.
    pub(crate) fn in_mode(self, mode: Mode) -> Self {
        Self {
            mode,
            no_mode: None,
            ..self
        }
    }
}

/// A function that configures the app of one thread.
pub(crate) type Configure = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;
