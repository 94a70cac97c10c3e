//! Rendering ahead: at start-up, the renders of every cached path that is known without a request.

use std::fmt;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};

use super::Routes;
use crate::engine::Content;
use crate::mode::Mode;
use crate::pattern::{Match, Params};
use crate::stored::Reason;
use crate::table::{Handler, HandlerId, Sharing};

/// The number of paths that are rendered at once.
pub(crate) const AT_ONCE: usize = 16;

/// A failure to render ahead. The first request for the path renders it then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotAhead {
    /// A path, or a pattern whose paths could not be listed.
    pub(crate) path: String,
    pub(crate) reason: String,
}

impl fmt::Display for NotAhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was not rendered ahead: {}", self.path, self.reason)
    }
}

/// Renders every known path ahead, and returns the failures. A failure does not stop the start: the
/// server is only slower at first.
pub(super) async fn render_ahead(routes: &Routes, watch: &Watch) -> Vec<NotAhead> {
    let (paths, mut failures) = known_paths(routes, |_| true).await;
    watch.see(Step::Begun(paths.len()));
    let renders = stream::iter(paths).map(|known| async {
        let result = render(routes, &known).await;
        watch.see(Step::Rendered);
        result.err().map(|reason| NotAhead {
            path: known.path,
            reason,
        })
    });
    failures.extend(
        renders
            .buffer_unordered(AT_ONCE)
            .filter_map(std::future::ready)
            .collect::<Vec<_>>()
            .await,
    );
    watch.see(Step::Ended);
    failures.sort_by(|a, b| a.path.cmp(&b.path));
    failures
}

impl Routes {
    /// Returns the same routes in production mode, without a store behind memory. So an export
    /// renders everything itself, and other instances get none of it.
    pub(crate) fn to_be_exported(&self) -> Self {
        let mut setup = self.served.setup.clone().in_mode(Mode::Production);
        setup.sharing = Sharing::default();
        Self::of(setup)
    }
}

/// A step of rendering many paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The renders begin. There are this many paths.
    Begun(usize),
    /// The render of one path has ended, also if it failed.
    Rendered,
    Ended,
}

/// A function that is called at each step, if there is one.
#[derive(Clone, Default)]
pub(crate) struct Watch(Option<Arc<dyn Fn(Step) + Send + Sync>>);

impl Watch {
    #[cfg(feature = "cli")]
    pub(crate) fn new(watch: impl Fn(Step) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(watch)))
    }

    pub(crate) fn see(&self, step: Step) {
        if let Some(watch) = &self.0 {
            watch(step);
        }
    }
}

/// A path of a cached handler, known without a request.
pub(crate) struct KnownPath {
    pub(crate) handler: HandlerId,
    pub(crate) path: String,
    pub(crate) params: Params,
}

/// The outcome of a path that was rendered ahead.
pub(crate) enum Ahead {
    Kept,
    /// The response is for one request only.
    Individual(Reason),
}

impl KnownPath {
    /// Gets the response as a request for the path would. The error says why there is none.
    pub(crate) async fn render(&self, routes: &Routes) -> Result<Ahead, String> {
        let answer = routes
            .cache()
            .get_ahead(self.handler, &self.path, &self.params);
        match answer.await.map_err(|failure| failure.to_string())?.content {
            Content::Entry(_) => Ok(Ahead::Kept),
            Content::Individual(individual) => Ok(Ahead::Individual(individual.reason)),
            Content::Once(stored) => Err(match stored.response() {
                Some(response) => format!("it answered {}", response.status),
                None => "it was not rendered".into(),
            }),
        }
    }
}

/// Returns the paths of wanted cached handlers that are known without a request: the path of a
/// route without parameters, and every path that `static_params` lists. The second list has the
/// failures.
pub(crate) async fn known_paths(
    routes: &Routes,
    is_wanted: impl Fn(&Handler) -> bool,
) -> (Vec<KnownPath>, Vec<NotAhead>) {
    let mut known = Vec::new();
    let mut failures = Vec::new();
    let table = &routes.served.setup.table;
    for (id, handler) in table.handlers() {
        if !handler.rendering.is_cached() || !is_wanted(handler) {
            continue;
        }
        let paths = if !handler.has_params() {
            vec![handler.path(&Vec::new())]
        } else if handler.descriptor.config.static_params.is_some() {
            match routes.cache().listed(id).await {
                Ok(listed) => listed.iter().cloned().collect(),
                Err(reason) => {
                    failures.push(NotAhead {
                        path: table.node(handler.node).pattern.clone(),
                        reason,
                    });
                    continue;
                }
            }
        } else {
            continue;
        };
        for path in paths {
            // A path may belong to a more precise pattern than the one that listed it.
            match table.trie.lookup(&path) {
                Some(Match::Clean { value, params }) if *value == handler.node => {
                    known.push(KnownPath {
                        handler: id,
                        path,
                        params,
                    });
                }
                _ => failures.push(NotAhead {
                    path,
                    reason: format!(
                        "`static_params` of `{}` gives it, but another route has it",
                        table.node(handler.node).pattern
                    ),
                }),
            }
        }
    }
    (known, failures)
}

/// Renders a path, unless the store behind memory has its response. A stale response from the store
/// is refreshed by its first request, like any other stale response.
async fn render(routes: &Routes, known: &KnownPath) -> Result<(), String> {
    if routes.cache().recall(known.handler, &known.path).await {
        return Ok(());
    }
    match known.render(routes).await? {
        Ahead::Kept => Ok(()),
        Ahead::Individual(reason) => Err(reason.to_string()),
    }
}
