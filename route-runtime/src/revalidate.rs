//! Throwing away what was cached: by path, by pattern, by tag.

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;

use futures_core::future::BoxFuture;

use crate::context::{Context, Home};
use crate::declaration::Method;
use crate::pattern::{self, Match};
use crate::store::{Invalidation, StoreError, Tag};
use crate::table::Table;
use crate::tags::{path_tag, pattern_tag};

/// Throws away the response of one path, as in `revalidate_path("/api/posts/1")`.
///
/// To be awaited in a handler. Once it has resolved, every request that begins is answered with
/// what is rendered after it; see [`Revalidation::stale`] for the gentler way. What the handler
/// itself answers, also an error or a redirect, changes nothing about it.
///
/// # Example
///
/// ```
/// use actix_web::{HttpResponse, Responder};
/// use route_runtime::{RevalidateError, revalidate_path, route};
///
/// #[route("/articles")]
/// async fn articles() -> &'static str {
///     "rendered once, until somebody writes"
/// }
///
/// #[route(POST, "/write")]
/// async fn write() -> Result<impl Responder, RevalidateError> {
///     revalidate_path("/articles").await?;
///     Ok(HttpResponse::Created())
/// }
/// ```
///
/// # Errors
///
/// See [`RevalidateError`]: a path no route has, no handler that this is called in, a cached
/// render that would throw away itself.
pub fn revalidate_path(path: impl Into<String>) -> Revalidation {
    Revalidation::here(Target::Path(path.into()))
}

/// Throws away the responses of every path of a pattern, as in
/// `revalidate_pattern("/api/posts/[id]")`. Otherwise like [`revalidate_path`].
///
/// # Errors
///
/// See [`RevalidateError`].
pub fn revalidate_pattern(pattern: impl Into<String>) -> Revalidation {
    Revalidation::here(Target::Pattern(pattern.into()))
}

/// Throws away every response with this tag, as in `revalidate_tag("posts")`. Otherwise like
/// [`revalidate_path`]. A tag that nothing has is no error: nothing may have it yet. One that is empty
/// or has control characters is: what `tags` makes of a parameter that has such is left out.
///
/// # Errors
///
/// See [`RevalidateError`].
pub fn revalidate_tag(tag: impl Into<String>) -> Revalidation {
    Revalidation::here(Target::Tag(tag.into()))
}

/// The same as [`revalidate_path`], for a path without the prefix of `Routes::at`.
#[doc(hidden)]
pub fn revalidate_route(path: String) -> Revalidation {
    Revalidation::here(Target::Route(path))
}

/// An invalidation to be awaited.
#[must_use = "nothing is invalidated until this is awaited"]
pub struct Revalidation {
    target: Target,
    how: Invalidation,
    scope: Option<Scope>,
}

/// The routes that something is invalidated in.
pub(crate) struct Scope {
    home: Option<Arc<Home>>,
    /// The tags of the render that asks, if one does: those it declares, and those it has used. A
    /// dynamic handler may invalidate its own path: nothing is made of it that would be kept.
    own: Vec<Tag>,
}

impl Scope {
    pub(crate) fn of(context: Context) -> Self {
        Self {
            own: match &context.render {
                Some(render) => {
                    let declared = context.declared();
                    declared.iter().cloned().chain(render.used().tags).collect()
                }
                None => Vec::new(),
            },
            home: context.home(),
        }
    }
}

pub(crate) enum Target {
    Path(String),
    /// A path without the prefix under which the table is mounted.
    Route(String),
    Pattern(String),
    Tag(String),
    /// What a cached function returned; or why nothing is kept for its arguments.
    Data(Result<Tag, String>),
}

impl Revalidation {
    fn here(target: Target) -> Self {
        Self::new(target, Context::current().map(Scope::of))
    }

    pub(crate) fn of_data(tag: Result<Tag, String>) -> Self {
        Self::here(Target::Data(tag))
    }

    pub(crate) fn new(target: Target, scope: Option<Scope>) -> Self {
        Self {
            target,
            how: Invalidation::Absent,
            scope,
        }
    }

    /// Marks content as stale instead: the next request still gets it, and starts a refresh.
    pub fn stale(mut self) -> Self {
        self.how = Invalidation::Stale;
        self
    }
}

impl IntoFuture for Revalidation {
    type Output = Result<(), RevalidateError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { target, how, scope } = self;
            let Scope { home, own } = scope.ok_or(RevalidateError::NoRoutes)?;
            let home = home.ok_or(RevalidateError::NoRoutes)?;
            let tag = target.tag(&home)?;
            if own.contains(&tag) {
                return Err(RevalidateError::OwnRender);
            }
            let invalidated = home.invalidate(tag, how).await;
            invalidated.map_err(RevalidateError::Store)
        })
    }
}

impl Target {
    fn tag(self, home: &Home) -> Result<Tag, RevalidateError> {
        match self {
            Self::Path(path) => known_path(home, path),
            Self::Route(path) => known_path(home, home.table.prefixed(&path)),
            Self::Pattern(pattern) => known_pattern(&home.table, pattern),
            Self::Data(tag) => tag.map_err(RevalidateError::Arguments),
            Self::Tag(tag) => Tag::of_user(&tag).ok_or(RevalidateError::InvalidTag(tag)),
        }
    }
}

/// The tag of a path that some request can have.
fn known_path(home: &Home, path: String) -> Result<Tag, RevalidateError> {
    let table = &home.table;
    // Taken as a value, as in `/posts/[id]`, a parameter would name one path that nobody asks for.
    let is_declared = || table.node_of_pattern(&path).is_some();
    if path.split('/').any(is_parameter) || path.split('/').any(is_group) && is_declared() {
        return Err(RevalidateError::PathIsPattern(path));
    }
    // Taken as part of the last segment, a query would name another path, and do nothing.
    if path.contains(['?', '#']) {
        return Err(RevalidateError::UnknownPath(path));
    }
    let Some(canonical) = pattern::canonical(&path) else {
        return Err(RevalidateError::UnknownPath(path));
    };
    match table.trie.lookup(&canonical) {
        Some(Match::Clean { value: &node, .. }) => {
            let get = table.node(node).handler(Method::Get);
            if get.is_some_and(|get| home.is_never_answered(get, &canonical)) {
                return Err(RevalidateError::UnlistedPath(path));
            }
            Ok(path_tag(&canonical))
        }
        _ if path.split('/').any(is_group) => Err(RevalidateError::PathIsPattern(path)),
        _ => Err(RevalidateError::UnknownPath(path)),
    }
}

/// The tag of a pattern, as it is declared or as it is served: with or without its groups.
fn known_pattern(table: &Table, pattern: String) -> Result<Tag, RevalidateError> {
    if let Some(node) = table.node_of_pattern(&pattern) {
        return Ok(pattern_tag(&node.pattern));
    }
    let canonical = crate::pattern::canonical(&pattern);
    let served = canonical.and_then(|path| table.trie.lookup(&path).map(|_| ()));
    Err(match served {
        Some(()) if !pattern.split('/').any(is_parameter) => {
            RevalidateError::PatternIsPath(pattern)
        }
        _ => RevalidateError::UnknownPattern(pattern),
    })
}

/// Whether a segment is written as a pattern's parameter is: `[id]`, `[...slug]`. As the text of a path
/// it is written encoded: `%5Bid%5D`.
fn is_parameter(segment: &str) -> bool {
    segment.len() > 2 && segment.starts_with('[') && segment.ends_with(']')
}

/// Whether a segment is written as a pattern's group is: `(shop)`. A path may have such a segment, too.
fn is_group(segment: &str) -> bool {
    segment.starts_with('(') && segment.ends_with(')')
}

/// Why nothing was invalidated.
#[derive(Debug)]
#[non_exhaustive]
pub enum RevalidateError {
    /// No route has this path.
    UnknownPath(String),
    /// A pattern was given as a path: it is for [`revalidate_pattern`].
    PathIsPattern(String),
    /// A route has this path, but answers 404 there: `dynamic_params = false`, and its `static_params`
    /// does not list the path.
    UnlistedPath(String),
    /// No route is declared with this pattern.
    UnknownPattern(String),
    /// A path was given as a pattern: it is for [`revalidate_path`].
    PatternIsPath(String),
    /// A tag is not empty and has no control characters.
    InvalidTag(String),
    /// Nothing is cached for these arguments of a cached function, and why: which argument of which
    /// function has no stable text.
    Arguments(String),
    /// Called outside a handler, or in a task of its own: no routes are known there. The methods
    /// of [`Routes`](crate::Routes) work anywhere.
    NoRoutes,
    /// A cached render depends on what it would throw away, and so would never be kept.
    OwnRender,
    /// The store behind memory could not record it.
    Store(StoreError),
}

impl fmt::Display for RevalidateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownPath(path) => {
                write!(f, "no route has the path `{path}`")?;
                match path {
                    path if path.contains(['?', '#']) => f.write_str("; leave out the query"),
                    path if !path.starts_with('/') => f.write_str("; a path begins with a slash"),
                    _ => Ok(()),
                }
            }
            Self::PathIsPattern(path) => write!(
                f,
                "`{path}` is a pattern and not a path; call `revalidate_pattern(\"{path}\")` for all \
                 its paths, or put values in place of its parameters and leave out its groups"
            ),
            Self::UnlistedPath(path) => write!(
                f,
                "`{path}` is always 404, because its route has `dynamic_params = false` and \
                 `static_params` does not list it"
            ),
            Self::UnknownPattern(pattern) => {
                write!(f, "no route is declared with the pattern `{pattern}`")
            }
            Self::PatternIsPath(pattern) => write!(
                f,
                "`{pattern}` is a path and not a pattern; call `revalidate_path(\"{pattern}\")`"
            ),
            Self::InvalidTag(tag) => {
                write!(
                    f,
                    "`{tag}` is no tag: it is empty or has control characters"
                )
            }
            Self::Arguments(why) => f.write_str(why),
            Self::NoRoutes => f.write_str(
                "no routes are known outside a handler; use the methods of `Routes` there",
            ),
            Self::OwnRender => f.write_str("a cached render cannot invalidate what it depends on"),
            Self::Store(_) => f.write_str("the cache's store could not record the invalidation"),
        }
    }
}

impl std::error::Error for RevalidateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}
