//! The paths that a pattern covers: of one route, and one by one.

use crate::pattern::{Segment, decode_segment};

/// The share of a route's paths that a section covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Coverage {
    Never,
    /// Each path tells.
    Sometimes,
    Always,
}

/// Returns how many of the paths that match `route` also match `section`.
pub(super) fn coverage(route: &[Segment], section: &[Segment]) -> Coverage {
    use Coverage::{Always, Never, Sometimes};
    use Segment::{CatchAll, Group, Literal, OptionalCatchAll, Param};
    match (route, section) {
        ([Group(_), route @ ..], _) => coverage(route, section),
        (_, [Group(_), section @ ..]) => coverage(route, section),
        (_, [OptionalCatchAll(_)]) | ([], []) => Always,
        // The route also has the path that ends here, and longer ones.
        ([OptionalCatchAll(name)], _) => {
            let (ends, goes_on) = (coverage(&[], section), coverage(&[CatchAll(name)], section));
            match (ends, goes_on) {
                (Always, Always) => Always,
                (Never, Never) => Never,
                _ => Sometimes,
            }
        }
        ([], _) | (_, []) => Never,
        (_, [CatchAll(_)]) => Always,
        // One segment, and then any number.
        ([CatchAll(name)], _) => coverage(&[Param(name), OptionalCatchAll(name)], section),
        ([Literal(a), ..], [Literal(b), ..]) if a != b => Never,
        ([Literal(_) | Param(_), route @ ..], [Param(_), section @ ..])
        | ([Literal(_), route @ ..], [Literal(_), section @ ..]) => coverage(route, section),
        ([Param(_), route @ ..], [Literal(_), section @ ..]) => {
            coverage(route, section).min(Sometimes)
        }
        // A catch-all is always the last segment.
        ([CatchAll(_) | OptionalCatchAll(_), ..], _)
        | (_, [CatchAll(_) | OptionalCatchAll(_), ..]) => Sometimes,
    }
}

/// Returns whether a path matches `section`. The path is canonical, except that segments which are
/// malformed stand as they were received. A parameter matches those too.
pub(super) fn matches(path: &str, section: &[Segment]) -> bool {
    let mut segments = path.split('/').skip(1).filter(|text| !text.is_empty());
    for segment in section {
        let is_match = match segment {
            Segment::Group(_) => continue,
            Segment::OptionalCatchAll(_) => return true,
            Segment::CatchAll(_) => return segments.next().is_some(),
            Segment::Param(_) => segments.next().is_some(),
            Segment::Literal(literal) => segments
                .next()
                .and_then(decode_segment)
                .is_some_and(|text| text == *literal),
        };
        if !is_match {
            return false;
        }
    }
    segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Coverage::{Always, Never, Sometimes};
    use super::*;
    use crate::section::parse::parse;

    #[track_caller]
    fn check(route: &str, section: &str, expected: Coverage) {
        let (route, section) = (parse(route).unwrap(), parse(section).unwrap());
        assert_eq!(coverage(&route, &section), expected);
    }

    #[test]
    fn a_section_covers_all_some_or_none_of_a_routes_paths() {
        for (route, section, expected) in [
            ("/", "/", Always),
            ("/", "/[[...rest]]", Always),
            ("/", "/[...rest]", Never),
            ("/admin", "/admin/[[...rest]]", Always),
            ("/admin", "/admin/[...rest]", Never),
            ("/admin/users/[id]", "/admin/[[...rest]]", Always),
            ("/administration", "/admin/[[...rest]]", Never),
            ("/[slug]", "/admin", Sometimes),
            ("/[slug]", "/admin/[...rest]", Never),
            ("/[slug]", "/[any]", Always),
            ("/[...slug]", "/admin/[[...rest]]", Sometimes),
            ("/[...slug]", "/[any]/[[...rest]]", Always),
            ("/[...slug]", "/[any]", Sometimes),
            ("/[[...slug]]", "/[...rest]", Sometimes),
            ("/[[...slug]]", "/", Sometimes),
            ("/[[...slug]]", "/[[...rest]]", Always),
            ("/a/[[...slug]]", "/a/b/[[...rest]]", Sometimes),
            ("/a/[...slug]", "/b/[[...rest]]", Never),
            ("/teams/[team]/plan", "/teams/[t]/[[...rest]]", Always),
            ("/teams/[team]/plan", "/teams/red/[[...rest]]", Sometimes),
        ] {
            check(route, section, expected);
        }
    }

    fn patterns() -> impl Strategy<Value = Vec<Segment>> {
        let segment = prop_oneof![
            Just(Segment::Literal("a")),
            Just(Segment::Literal("b")),
            Just(Segment::Param("p")),
        ];
        let tail = prop_oneof![
            Just(None),
            Just(Some(Segment::CatchAll("c"))),
            Just(Some(Segment::OptionalCatchAll("o"))),
        ];
        (prop::collection::vec(segment, 0..4), tail)
            .prop_map(|(segments, tail)| segments.into_iter().chain(tail).collect())
    }

    /// Every path of up to five segments, each `a`, `b` or `c`.
    fn paths() -> Vec<String> {
        let mut all = vec![String::new()];
        let mut last = all.clone();
        for _ in 0..5 {
            let longer = last
                .iter()
                .flat_map(|path| ["a", "b", "c"].map(|it| format!("{path}/{it}")));
            last = longer.collect();
            all.extend(last.iter().cloned());
        }
        all[0] = "/".into();
        all
    }

    proptest! {
        #[test]
        fn coverage_is_what_the_paths_of_both_patterns_show(route in patterns(), section in patterns()) {
            let of_route: Vec<_> = paths().into_iter().filter(|it| matches(it, &route)).collect();
            let covered = of_route.iter().filter(|it| matches(it, &section)).count();
            let expected = match covered {
                0 => Never,
                all if all == of_route.len() => Always,
                _ => Sometimes,
            };
            prop_assert_eq!(coverage(&route, &section), expected);
        }
    }
}
