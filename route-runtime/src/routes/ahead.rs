//! Rendering ahead: at start-up, every cached path that is known before anybody asks.

use std::fmt;

use futures_util::{StreamExt as _, stream};
use indicatif::{ProgressBar, ProgressStyle};

use super::{Handler, Routes, Sharing};
use crate::cache::Content;
use crate::mode::Mode;
use crate::render::{Rendered, RenderedBody};
use crate::trie::{Match, Params};

/// How many paths are rendered at once.
pub(crate) const AT_ONCE: usize = 16;

/// What was to be rendered ahead and was not. It is left to the first request.
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

/// Renders what can be. Never fails: a server without it is only slower at first.
pub(super) async fn render_ahead(routes: &Routes) -> Vec<NotAhead> {
    let (paths, mut failures) = known_paths(routes, |_| true).await;
    let bar = bar(paths.len(), "rendering ahead");
    let renders = stream::iter(paths).map(|known| async {
        let result = render(routes, &known).await;
        bar.inc(1);
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
    bar.finish_and_clear();
    failures.sort_by(|a, b| a.path.cmp(&b.path));
    failures
}

impl Routes {
    /// The same in production, with no store behind memory: all is rendered, and nobody else sees
    /// it.
    pub(crate) fn to_be_exported(&self) -> Self {
        let mut setup = self.setup.clone().in_mode(Mode::Production);
        setup.sharing = Sharing::default();
        Self::of(setup)
    }
}

/// How far it is; seen on a terminal only.
pub(crate) fn bar(length: usize, message: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(length as u64).with_message(message);
    match ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// A path of a cached handler.
pub(crate) struct Known {
    pub(crate) handler: usize,
    pub(crate) path: String,
    pub(crate) params: Params,
}

/// What became of a path that was rendered before anybody asked.
pub(crate) enum Ahead {
    Kept,
    /// Its response is for one request only, and why.
    Individual(String),
}

impl Known {
    /// Asks for it as a request would. The error is the reason why it cannot be had.
    pub(crate) async fn render(&self, routes: &Routes) -> Result<Ahead, String> {
        let answer = routes
            .cache()
            .get_ahead(self.handler, &self.path, &self.params);
        match answer.await.map_err(|failure| failure.to_string())?.content {
            Content::Entry(_) => Ok(Ahead::Kept),
            Content::Individual(rendered) => Ok(Ahead::Individual(why_individual(&rendered))),
            Content::Once(stored) => Err(match stored.response() {
                Some(response) => format!("it answered {}", response.status),
                None => "it was not rendered".into(),
            }),
        }
    }
}

fn why_individual(rendered: &Rendered) -> String {
    match (&rendered.used.uncached, &rendered.body) {
        (Some(what), _) => format!("it uses {what}"),
        (None, RenderedBody::Stream { .. }) => {
            "its body is too large to be kept, or endless".into()
        }
        (None, RenderedBody::Full(_)) => "its response is for one request only: it sets a cookie, \
                                          or is `private` or `no-store`"
            .into(),
    }
}

/// Of routes without parameters, and of those whose `static_params` gives them, as far as they are
/// wanted.
pub(crate) async fn known_paths(
    routes: &Routes,
    is_wanted: impl Fn(&Handler) -> bool,
) -> (Vec<Known>, Vec<NotAhead>) {
    let mut known = Vec::new();
    let mut failures = Vec::new();
    let table = &routes.setup.table;
    for (index, handler) in table.handlers.iter().enumerate() {
        if !handler.rendering.is_cached() || !is_wanted(handler) {
            continue;
        }
        let paths = if !handler.has_params() {
            vec![handler.path(&Vec::new())]
        } else if handler.descriptor.config.static_params.is_some() {
            match routes.cache().listed(index).await {
                Ok(listed) => listed.iter().cloned().collect(),
                Err(reason) => {
                    failures.push(NotAhead {
                        path: table.nodes[handler.node].pattern.clone(),
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
                    known.push(Known {
                        handler: index,
                        path,
                        params,
                    });
                }
                _ => failures.push(NotAhead {
                    path,
                    reason: format!(
                        "`static_params` of `{}` gives it, but another route has it",
                        table.nodes[handler.node].pattern
                    ),
                }),
            }
        }
    }
    (known, failures)
}

/// Unless the store behind memory has it. What is stale there is refreshed by its first request,
/// like everything that becomes stale.
async fn render(routes: &Routes, known: &Known) -> Result<(), String> {
    if routes.cache().recall(known.handler, &known.path).await {
        return Ok(());
    }
    match known.render(routes).await? {
        Ahead::Kept => Ok(()),
        Ahead::Individual(why) => Err(why),
    }
}
