//! The checks that need the whole table. Within a crate, the compiler already reports two handlers
//! of one method and path, and a page beside a route at one path. Between crates, these are found
//! only here, and all other problems always are.

use std::collections::BTreeMap;

use super::error::{RouteProblem, RoutesError};
use super::shape;
use crate::declaration::{Kind, RouteDescriptor};
use crate::pattern::{Segment, is_segment};

/// Checks sorted routes. The error has every problem, grouped by its kind.
pub(crate) fn check(routes: &[RouteDescriptor]) -> Result<(), RoutesError> {
    let mut problems = Vec::new();
    check_shared_paths(routes, &mut problems);
    check_parameter_names(routes, &mut problems);
    check_catch_alls(routes, &mut problems);
    if problems.is_empty() {
        Ok(())
    } else {
        Err(RoutesError::new(problems))
    }
}

/// Finds paths that have a page and a route, or two handlers for one method.
fn check_shared_paths(routes: &[RouteDescriptor], problems: &mut Vec<RouteProblem>) {
    let mut paths: BTreeMap<String, Vec<&RouteDescriptor>> = BTreeMap::new();
    for route in routes {
        let path = paths.entry(shape(route.segments)).or_default();
        if let Some(other) = path.iter().find(|other| other.kind != route.kind) {
            let (page, route) = match route.kind {
                Kind::Page => (route, *other),
                Kind::Route => (*other, route),
            };
            problems.push(RouteProblem::PageAndRoute {
                page: page.into(),
                route: route.into(),
            });
        } else if let Some(first) = path.iter().find(|other| other.method == route.method) {
            problems.push(RouteProblem::Twice {
                first: (*first).into(),
                second: route.into(),
            });
        }
        path.push(route);
    }
}

/// Finds parameters with different names at one position, also in the middle of longer patterns.
fn check_parameter_names(routes: &[RouteDescriptor], problems: &mut Vec<RouteProblem>) {
    let mut named: BTreeMap<String, (&RouteDescriptor, &'static str)> = BTreeMap::new();
    for route in routes {
        for (index, segment) in route.segments.iter().enumerate() {
            let (Segment::Param(name) | Segment::CatchAll(name) | Segment::OptionalCatchAll(name)) =
                *segment
            else {
                continue;
            };
            let (first, other) = *named
                .entry(shape(&route.segments[..=index]))
                .or_insert((route, name));
            if other != name {
                problems.push(RouteProblem::Names {
                    first: (first.into(), other),
                    second: (route.into(), name),
                });
            }
        }
    }
}

/// Finds routes that would match the same paths as an optional catch-all.
fn check_catch_alls(routes: &[RouteDescriptor], problems: &mut Vec<RouteProblem>) {
    let paths: BTreeMap<String, &RouteDescriptor> = routes
        .iter()
        .rev()
        .map(|route| (shape(route.segments), route))
        .collect();
    for (path, optional) in &paths {
        let Some(prefix) = path.strip_suffix("/[[...]]") else {
            continue;
        };
        if let Some(required) = paths.get(&format!("{prefix}/[...]")) {
            problems.push(RouteProblem::CatchAlls {
                required: (*required).into(),
                optional: (*optional).into(),
            });
        }
        if let Some(prefix) = paths.get(prefix) {
            problems.push(RouteProblem::Prefix {
                optional: (*optional).into(),
                prefix: (*prefix).into(),
            });
        }
    }
}

/// Returns the segments of a prefix. Their texts live as long as the program, as those of a
/// declaration do. That leaks little, because a prefix is set only a few times, at start-up.
pub(crate) fn prefix(prefix: &str) -> Result<Vec<Segment>, RoutesError> {
    if prefix.is_empty() {
        return Ok(Vec::new());
    }
    let bad = || RoutesError::new(vec![RouteProblem::BadPrefix(prefix.into())]);
    prefix
        .strip_prefix('/')
        .ok_or_else(bad)?
        .split('/')
        .map(|segment| {
            let is_literal = is_segment(segment)
                && !segment.contains(|c: char| c.is_control() || "[](){}?#%\\".contains(c));
            is_literal
                .then(|| Segment::Literal(segment.to_owned().leak()))
                .ok_or_else(bad)
        })
        .collect()
}
