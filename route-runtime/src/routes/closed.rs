//! Routes with `dynamic_params = false`, and the paths that their `static_params` gives.

use futures_util::future::join_all;

use super::Routes;
use crate::responses::warn_of_no_paths;
use crate::table::{Handler, HandlerId, Place};

/// A route with `dynamic_params = false`, and the outcome of its `static_params`.
pub(super) struct Closed {
    pub(super) route: Place,
    /// The number of paths, or the reason why they are not known.
    pub(super) paths: Result<usize, String>,
}

impl Routes {
    /// Lists the paths of each route with `dynamic_params = false`. In production it calls a
    /// `static_params` only if it has given nothing yet.
    pub(super) async fn list_closed(&self) -> Vec<Closed> {
        let lists = self.closed().map(|(id, handler)| async move {
            let paths = self.cache().listed(id).await;
            Closed {
                route: Place::from(&handler.descriptor),
                paths: paths.map(|paths| paths.len()),
            }
        });
        join_all(lists).await
    }

    /// Returns the patterns of the routes that answer no path at all, by what `static_params` gives
    /// in production.
    ///
    /// That of a cached route has been called when routes are rendered ahead. If it failed, that
    /// was reported, and it is not called again.
    pub(crate) async fn without_paths(&self) -> Vec<String> {
        let table = &self.served.setup.table;
        let lists = self.closed().map(|(id, handler)| async move {
            let paths = match handler.rendering.is_cached() {
                true => self.cache().known_paths(id),
                false => self.cache().listed(id).await.ok(),
            };
            let is_empty = paths.is_some_and(|paths| paths.is_empty());
            is_empty.then(|| table.node(handler.node).pattern.clone())
        });
        join_all(lists).await.into_iter().flatten().collect()
    }

    /// Logs the routes that answer no path at all, after what can be listed ahead is listed.
    pub(super) async fn tell_which_have_no_paths(&self) {
        for pattern in self.without_paths().await {
            warn_of_no_paths(&pattern);
        }
    }

    fn closed(&self) -> impl Iterator<Item = (HandlerId, &Handler)> {
        let handlers = self.served.setup.table.handlers();
        handlers.filter(|(_, handler)| {
            let config = &handler.descriptor.config;
            config.static_params.is_some() && !config.dynamic_params
        })
    }
}
