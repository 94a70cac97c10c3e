//! Properties of the trie, compared with a matcher that tries every pattern, on random tables and
//! on paths that nearly match them.

use std::collections::HashSet;

use proptest::prelude::*;

use super::tests::Answer::{self, BadRequest, NotOurs, Redirect, Serve};
use super::tests::{Pattern, look_up, trie};
use super::{Match, Trie};
use crate::pattern::Segment::{self, CatchAll, Group, Literal, OptionalCatchAll, Param};

/// A segment as it was received, and its decoded text, which is `None` if it is malformed.
pub(super) type Raw = (String, Option<String>);

fn any_literal() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["a", "b", "é/"][..])
}

fn any_pattern() -> impl Strategy<Value = Pattern> {
    let segment = prop_oneof![
        5 => any_literal().prop_map(Literal),
        3 => Just(Param("p")),
        1 => Just(Group("g")),
    ];
    let last = prop::option::of(prop::sample::select(
        &[CatchAll("c"), OptionalCatchAll("o")][..],
    ));
    (prop::collection::vec(segment, 0..5), last)
        .prop_map(|(pattern, last)| pattern.into_iter().chain(last).collect())
}

/// Generates a table of patterns, no two of which share a slot, in random order.
fn any_table() -> impl Strategy<Value = Vec<Pattern>> {
    prop::collection::vec(any_pattern(), 0..16).prop_map(|mut table| {
        let mut seen = HashSet::new();
        table.retain(|pattern| seen.insert(without_groups(pattern)));
        table
    })
}

/// Generates a path of the same few words as the patterns, and as deep as they are, so that most
/// paths match something.
fn any_path() -> impl Strategy<Value = Vec<Raw>> {
    let encoded = |text: &str| {
        text.bytes()
            .map(|byte| format!("%{byte:02x}"))
            .collect::<String>()
    };
    let segment = prop_oneof![
        9 => any_literal().prop_map(|text| (text.replace('/', "%2F"), Some(text.into()))),
        3 => any_literal().prop_map(move |text| (encoded(text), Some(text.into()))),
        1 => prop::sample::select(&["%", "%zz", "a%FF"][..]).prop_map(|raw| (raw.into(), None)),
        1 => Just((String::new(), Some(String::new()))),
        1 => prop::sample::select(&["..", "%2e", ".%2E"][..])
            .prop_map(|raw| (raw.into(), Some("..".into()))),
    ];
    prop::collection::vec(segment, 0..6)
}

fn without_groups(pattern: &[Segment]) -> Pattern {
    pattern
        .iter()
        .filter(|it| !matches!(it, Group(_)))
        .copied()
        .collect()
}

/// Returns the result that a lookup must have, found by trying every pattern.
pub(super) fn naive(table: &[Pattern], path: &[Raw]) -> Answer {
    let is_dots = |text: &str| matches!(text, "." | "..");
    if path
        .iter()
        .any(|(_, text)| text.as_deref().is_some_and(is_dots))
    {
        return NotOurs;
    }
    let clean: Vec<_> = path
        .iter()
        .map(|(_, text)| text.as_deref())
        .filter(|it| *it != Some(""))
        .collect();
    let rank = |segment: &Segment| match segment {
        Literal(_) | Group(_) => 0,
        Param(_) => 1,
        CatchAll(_) => 2,
        OptionalCatchAll(_) => 3,
    };
    let matching = table.iter().enumerate().filter_map(|(index, pattern)| {
        let pattern = without_groups(pattern);
        let params = naive_params(&pattern, &clean)?;
        Some((pattern.iter().map(rank).collect::<Vec<_>>(), index, params))
    });
    let Some((_, index, params)) = matching.min() else {
        return NotOurs;
    };
    if clean.contains(&None) {
        return BadRequest(index);
    }
    if clean.len() < path.len() && path.len() > 1 {
        let segments: Vec<_> = clean.iter().flatten().map(|text| encoded(text)).collect();
        return Redirect(index, format!("/{}", segments.join("/")));
    }
    let owned = |it: Vec<Option<&str>>| it.into_iter().flatten().map(str::to_owned).collect();
    Serve(index, params.into_iter().map(owned).collect())
}

fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ if b"-._~!$&'()*+,;=:@".contains(&byte) => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn naive_params<'p>(
    pattern: &[Segment],
    path: &[Option<&'p str>],
) -> Option<Vec<Vec<Option<&'p str>>>> {
    let (bound, (pattern, path)) = match (pattern, path) {
        ([], []) => return Some(Vec::new()),
        ([CatchAll(_)], [_, ..]) | ([OptionalCatchAll(_)], _) => return Some(vec![path.to_vec()]),
        ([Literal(literal), pattern @ ..], [Some(text), path @ ..]) if literal == text => {
            (None, (pattern, path))
        }
        ([Param(_), pattern @ ..], [text, path @ ..]) => (Some(vec![*text]), (pattern, path)),
        _ => return None,
    };
    Some(
        bound
            .into_iter()
            .chain(naive_params(pattern, path)?)
            .collect(),
    )
}

fn joined(path: &[Raw]) -> String {
    let raw: Vec<_> = path.iter().map(|(raw, _)| raw.as_str()).collect();
    format!("/{}", raw.join("/"))
}

proptest! {
    #[test]
    fn a_lookup_agrees_with_trying_every_pattern(
        table in any_table(),
        paths in prop::collection::vec(any_path(), 1..32),
    ) {
        let trie = trie(&table);
        for path in paths {
            let raw = joined(&path);
            prop_assert_eq!(look_up(&trie, &table, &raw), naive(&table, &path), "{}", raw);
        }
    }

    #[test]
    fn the_order_of_insertion_does_not_matter(
        (table, shuffled) in any_table().prop_flat_map(|table| {
            (Just(table.clone()), Just(table).prop_shuffle())
        }),
        paths in prop::collection::vec(any_path(), 1..16),
    ) {
        let [one, other] = [&table, &shuffled].map(|table| {
            let mut trie = Trie::new();
            for pattern in table {
                *trie.slot(pattern) = Some(pattern.clone());
            }
            trie
        });
        for path in paths {
            let raw = joined(&path);
            prop_assert_eq!(one.lookup(&raw), other.lookup(&raw), "{}", raw);
        }
    }

    #[test]
    fn a_path_and_its_canonical_spelling_find_the_same_value(
        table in any_table(),
        path in any_path(),
    ) {
        let (trie, raw) = (trie(&table), joined(&path));
        let key = match trie.lookup(&raw) {
            Some(Match::Clean { params, .. }) => params.path(&raw).to_owned(),
            Some(Match::Unclean { clean, .. }) => clean,
            _ => return Ok(()),
        };
        let value = |raw| match trie.lookup(raw)? {
            Match::Clean { value, .. } | Match::Unclean { value, .. } => Some(*value),
            Match::Malformed { .. } => None,
        };
        prop_assert_eq!(value(&key), value(&raw));
        let again = trie.lookup(&key);
        let Some(Match::Clean { params, .. }) = again else { panic!("{key} is not clean") };
        prop_assert_eq!(params.canonical, None);
    }
}
