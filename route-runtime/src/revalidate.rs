//! Invalidation of cached responses and data: by path, by pattern, by tag.

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;

use futures_core::future::BoxFuture;

use crate::context::{Context, Home};
use crate::declaration::Method;
use crate::pattern::{self, Match};
use crate::purge::PurgeError;
use crate::store::{Invalidation, StoreError, Tag};
use crate::table::Table;
use crate::tags::{path_tag, pattern_tag};

/// Invalidates the response of one path, as in `revalidate_path("/api/posts/1")`.
///
/// Await the returned value in a handler. Once it has resolved, every request that begins gets a
/// response that was rendered after that point; see [`Revalidation::stale`] for the gentler way.
/// The handler's own response changes nothing about this, even if it is an error or a redirect.
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
/// See [`RevalidateError`]: no route has the path, the call is outside any handler, or a cached
/// render would invalidate itself.
pub fn revalidate_path(path: impl Into<String>) -> Revalidation {
    Revalidation::here(Target::Path(path.into()))
}

/// Invalidates the responses of every path of a pattern, as in
/// `revalidate_pattern("/api/posts/[id]")`.
///
/// In all other respects it works like [`revalidate_path`].
///
/// # Errors
///
/// See [`RevalidateError`].
pub fn revalidate_pattern(pattern: impl Into<String>) -> Revalidation {
    Revalidation::here(Target::Pattern(pattern.into()))
}

/// Invalidates everything cached with this tag, as in `revalidate_tag("posts")`.
///
/// In all other respects it works like [`revalidate_path`]. A tag that nothing carries is no error:
/// something may carry it later. A tag that is empty or has control characters is an error. The
/// option `tags` drops such a tag when the value of a parameter would produce one.
///
/// # Errors
///
/// See [`RevalidateError`].
pub fn revalidate_tag(tag: impl Into<String>) -> Revalidation {
    Revalidation::here(Target::Tag(tag.into()))
}

/// Invalidates the response of a path that is given without the prefix of `Routes::at`. Otherwise
/// it works like [`revalidate_path`].
#[doc(hidden)]
pub fn revalidate_route(path: String) -> Revalidation {
    Revalidation::here(Target::Route(path))
}

/// An invalidation, which takes place once it is awaited.
#[must_use = "nothing is invalidated until this is awaited"]
pub struct Revalidation {
    /// Everything that is invalidated, in one step.
    targets: Vec<Target>,
    how: Invalidation,
    scope: Option<Scope>,
}

/// The routes in which something is invalidated, and the tags that must not be.
pub(crate) struct Scope {
    home: Option<Arc<Home>>,
    /// The tags that the current render declares or has used so far; empty if no render is under
    /// way. A dynamic handler may invalidate its own path, because its response is not kept.
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
    /// The tag of a cached function's value, or the reason why nothing is kept for its arguments.
    Data(Result<Tag, String>),
}

impl Revalidation {
    fn here(target: Target) -> Self {
        Self::new(vec![target], Context::current().map(Scope::of))
    }

    pub(crate) fn of_data(tag: Result<Tag, String>) -> Self {
        Self::here(Target::Data(tag))
    }

    /// Makes an invalidation of several things together: of none, if one of them does not exist.
    pub(crate) fn new(targets: Vec<Target>, scope: Option<Scope>) -> Self {
        Self {
            targets,
            how: Invalidation::Absent,
            scope,
        }
    }

    /// Marks the content as stale instead: the next request still gets it, and starts a refresh.
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
            let Self {
                targets,
                how,
                scope,
            } = self;
            let Scope { home, own } = scope.ok_or(RevalidateError::NoRoutes)?;
            let home = home.ok_or(RevalidateError::NoRoutes)?;
            let tags = targets.into_iter().map(|target| target.tag(&home));
            let tags = tags.collect::<Result<Vec<_>, _>>()?;
            if tags.iter().any(|tag| own.contains(tag)) {
                return Err(RevalidateError::OwnRender);
            }
            let invalidated = home.invalidate(&tags, how).await;
            invalidated.map_err(RevalidateError::Store)?;
            let purged = home.purge(&tags, how).await;
            purged.map_err(RevalidateError::Purge)
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

/// Returns the tag of a path, if some request can have that path.
fn known_path(home: &Home, path: String) -> Result<Tag, RevalidateError> {
    let table = &home.table;
    // Taken as a value, the `[id]` in `/posts/[id]` would name a path that no request has.
    let is_declared = || table.node_of_pattern(&path).is_some();
    if path.split('/').any(is_parameter) || path.split('/').any(is_group) && is_declared() {
        return Err(RevalidateError::PathIsPattern(path));
    }
    // Taken as part of the last segment, a query would name another path, and nothing would happen.
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

/// Returns the tag of a pattern, which may be given as declared, with its groups, or as served,
/// without them.
fn known_pattern(table: &Table, pattern: String) -> Result<Tag, RevalidateError> {
    if let Some(node) = table.node_of_pattern(&pattern) {
        return Ok(pattern_tag(&node.pattern));
    }
    // A bracket is part of a pattern, even of one that is not finished.
    let path = pattern::canonical(&pattern).filter(|_| !pattern.contains(['[', ']']));
    let is_served = path.is_some_and(|path| table.trie.lookup(&path).is_some());
    Err(if is_served {
        RevalidateError::PatternIsPath(pattern)
    } else {
        RevalidateError::UnknownPattern(pattern)
    })
}

/// Returns whether a segment is spelt like a parameter of a pattern: `[id]`, `[...slug]`. A path
/// whose segment has that very text must encode it: `%5Bid%5D`.
fn is_parameter(segment: &str) -> bool {
    segment.len() > 2 && segment.starts_with('[') && segment.ends_with(']')
}

/// Returns whether a segment is spelt like a group of a pattern: `(shop)`. A path may have such a
/// segment, too.
fn is_group(segment: &str) -> bool {
    segment.starts_with('(') && segment.ends_with(')')
}

/// The reason why nothing was invalidated, or not everywhere.
#[derive(Debug)]
#[non_exhaustive]
pub enum RevalidateError {
    /// No route has this path.
    UnknownPath(String),
    /// A pattern was given as a path. [`revalidate_pattern`] takes patterns.
    PathIsPattern(String),
    /// A route has this path, but always answers it with 404: the route has
    /// `dynamic_params = false`, and its `static_params` does not list the path.
    UnlistedPath(String),
    /// No route is declared with this pattern.
    UnknownPattern(String),
    /// A path was given as a pattern. [`revalidate_path`] takes paths.
    PatternIsPath(String),
    /// The tag is empty or has control characters.
    InvalidTag(String),
    /// Nothing is cached for these arguments of a cached function. The text names the function and
    /// the argument, and says why the argument has no stable text.
    Arguments(String),
    /// The call was outside a handler, or in a separate task: no routes are known there. The
    /// methods of [`Routes`](crate::Routes) work anywhere.
    NoRoutes,
    /// A cached render depends on what it would invalidate, and so would never be kept.
    OwnRender,
    /// The store behind memory could not record the invalidation.
    Store(StoreError),
    /// The invalidation took effect, but the [shared cache outside](crate::purge) did not confirm that
    /// it purged its content. It is told once more by itself.
    Purge(PurgeError),
}

impl fmt::Display for RevalidateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownPath(path) => {
                write!(f, "no route has the path `{path}`")?;
                match path {
                    path if path.contains('?') => f.write_str("; leave out the query"),
                    path if path.contains('#') => f.write_str("; leave out the fragment"),
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
            Self::Purge(_) => f.write_str(
                "the invalidation took effect, but a shared cache outside may still have the old \
                 content",
            ),
        }
    }
}

impl std::error::Error for RevalidateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            Self::Purge(error) => Some(error),
            _ => None,
        }
    }
}
