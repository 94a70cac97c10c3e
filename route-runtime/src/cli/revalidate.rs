//! The command `revalidate`.

use std::time::Duration;

use super::print::print;
use crate::context::settled;
use crate::routes::{Routes, Selection};
use crate::server::ServeError;

/// The longest time for which the command waits until shared caches outside are told.
const OUTSIDE: Duration = Duration::from_secs(30);

/// Invalidates what the command line names, in the store behind memory. Each process with that store
/// learns of it within its bound on staleness.
pub(super) async fn revalidate(routes: &Routes, selection: &Selection) -> Result<(), ServeError> {
    selection.invalidate(routes).await?;
    let Selection {
        tags,
        paths,
        patterns,
        stale,
    } = selection;
    let how = if *stale { "stale" } else { "invalidated" };
    for (kind, names) in [("tag", tags), ("path", paths), ("pattern", patterns)] {
        for name in names {
            print(&format!("{kind} `{name}` is {how}\n"))?;
        }
    }
    // A shared cache outside is told once more, a moment later.
    settled(OUTSIDE).await;
    Ok(())
}
