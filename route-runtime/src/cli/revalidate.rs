//! The command `revalidate`.

use super::arguments::Invalidate;
use super::print::print;
use crate::routes::Routes;
use crate::server::ServeError;

/// Invalidates what the command line names, in the store behind memory. Each process with that store
/// learns of it within its bound on staleness.
///
/// What was invalidated before one fails stays invalidated. Asking again is safe.
pub(super) async fn revalidate(routes: &Routes, asked: &Invalidate) -> Result<(), ServeError> {
    let Invalidate {
        tag,
        path,
        pattern,
        stale,
        ..
    } = asked;
    let tags = tag.iter().map(|it| (routes.revalidate_tag(it), "tag", it));
    let paths = path
        .iter()
        .map(|it| (routes.revalidate_path(it), "path", it));
    let patterns = pattern
        .iter()
        .map(|it| (routes.revalidate_pattern(it), "pattern", it));
    for (revalidation, kind, name) in tags.chain(paths).chain(patterns) {
        match stale {
            true => revalidation.stale().await?,
            false => revalidation.await?,
        }
        let how = if *stale { "stale" } else { "invalidated" };
        print(&format!("{kind} `{name}` is {how}\n"))?;
    }
    Ok(())
}
