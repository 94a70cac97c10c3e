//! What only the whole table can show to be wrong. The compiler finds most of it within a crate;
//! this is for routes of several.

use std::collections::BTreeMap;

use super::error::{RouteProblem, RoutesError};
use super::shape;
use crate::declaration::{Kind, RouteDescriptor};
use crate::pattern::{Segment, is_segment};

/// Every problem, in the order of the routes, which are sorted.
pub(crate) fn check(routes: &[RouteDescriptor]) -> Result<(), RoutesError> {
    let mut problems = Vec::new();
    same_path(routes, &mut problems);
    names(routes, &mut problems);
    catch_alls(routes, &mut problems);
    if problems.is_empty() {
        Ok(())
    } else {
        Err(RoutesError::new(problems))
    }
}

/// A page and a route, or two handlers of one method.
fn same_path(routes: &[RouteDescriptor], problems: &mut Vec<RouteProblem>) {
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

/// Different names for the parameter at one position, also in the middle of longer patterns.
fn names(routes: &[RouteDescriptor], problems: &mut Vec<RouteProblem>) {
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

/// What would match the same paths as an optional catch-all.
fn catch_alls(routes: &[RouteDescriptor], problems: &mut Vec<RouteProblem>) {
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

/// A prefix's segments. They live as long as the program, as a declaration's do: a prefix is given
/// a few times at start-up.
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
