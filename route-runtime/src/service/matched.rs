//! The match of a request, kept with the request.

use std::sync::Arc;

use actix_web::dev::Extensions;
use actix_web::guard::{Guard, GuardContext};

use crate::pattern::{Match, Params};
use crate::table::{Node, NodeId, Table};

/// The route that a request matched, kept in the request's extensions.
///
/// Loggers and metrics read it there after the request was routed:
///
/// ```
/// use actix_web::{HttpMessage as _, dev::ServiceResponse};
/// use route_runtime::Matched;
///
/// fn http_route(response: &ServiceResponse) -> String {
///     let extensions = response.request().extensions();
///     match extensions.get::<Matched>() {
///         Some(matched) => matched.pattern().into(),
///         None => "-".into(),
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Matched {
    pub(super) table: Arc<Table>,
    pub(super) node: NodeId,
    pub(super) path: MatchedPath,
}

/// A request's path, by whether it can be served as it is.
#[derive(Clone)]
pub(super) enum MatchedPath {
    Clean(Params),
    Unclean(String),
    Malformed,
}

impl Matched {
    /// Returns the pattern: the prefix under which it is mounted, then the pattern as declared.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.node().pattern
    }

    pub(crate) fn node(&self) -> &Node {
        self.table.node(self.node)
    }

    pub(super) fn of(table: &Arc<Table>, path: &str) -> Option<Self> {
        let (&node, path) = match table.trie.lookup(path)? {
            Match::Clean { value, params } => (value, MatchedPath::Clean(params)),
            Match::Unclean { value, clean } => (value, MatchedPath::Unclean(clean)),
            Match::Malformed { value } => (value, MatchedPath::Malformed),
        };
        Some(Self {
            table: Arc::clone(table),
            node,
            path,
        })
    }
}

/// The guard that lets matching requests through and hands on their match. Any other request falls
/// through to the user's other services and `default_service`.
pub(crate) struct MatchGuard(pub(crate) Arc<Table>);

impl Guard for MatchGuard {
    fn check(&self, context: &GuardContext<'_>) -> bool {
        match Matched::of(&self.0, context.head().uri.path()) {
            Some(matched) => {
                context.req_data_mut().insert(matched);
                true
            }
            None => false,
        }
    }
}

/// Returns the match that the guard left with a request. Every request that reaches the service has
/// passed the guard.
pub(super) fn matched(extensions: &Extensions) -> &Matched {
    match extensions.get() {
        Some(matched) => matched,
        None => unreachable!("the service is mounted behind its guard"),
    }
}
