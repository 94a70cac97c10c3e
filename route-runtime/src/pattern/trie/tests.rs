//! Tests by tables: which pattern a path matches, and which parameters it binds.

use super::*;
use Segment::{CatchAll, Group, Literal, OptionalCatchAll, Param};

pub(super) type Pattern = Vec<Segment>;

/// The result of a lookup, in a form that is easy to write in a test.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    /// The index of the pattern in the table, and the values of each parameter. An `[id]` has one
    /// value.
    Serve(usize, Vec<Vec<String>>),
    Redirect(usize, String),
    BadRequest(usize),
    NotOurs,
}
use Answer::{BadRequest, NotOurs, Redirect, Serve};

pub(super) fn trie(patterns: &[Pattern]) -> Trie<usize> {
    let mut trie = Trie::new();
    for (index, pattern) in patterns.iter().enumerate() {
        assert_eq!(
            trie.slot(pattern).replace(index),
            None,
            "{pattern:?} is there already"
        );
    }
    trie
}

pub(super) fn look_up(trie: &Trie<usize>, patterns: &[Pattern], raw: &str) -> Answer {
    match trie.lookup(raw) {
        Some(Match::Clean { value, params }) => {
            Serve(*value, bound(&patterns[*value], &params, raw))
        }
        Some(Match::Unclean { value, clean }) => Redirect(*value, clean),
        Some(Match::Malformed { value }) => BadRequest(*value),
        None => NotOurs,
    }
}

fn bound(pattern: &[Segment], params: &Params, raw: &str) -> Vec<Vec<String>> {
    let parameters = pattern
        .iter()
        .filter(|it| !matches!(it, Literal(_) | Group(_)));
    let values = parameters
        .enumerate()
        .map(|(index, segment)| match segment {
            Param(_) => params
                .value(raw, index)
                .into_iter()
                .map(Cow::into_owned)
                .collect(),
            _ => params.values(raw, index).map(Cow::into_owned).collect(),
        });
    values.collect()
}

/// Parses a pattern in the syntax `/a/[id]/(group)/[...rest]`. Outside of tests the macro does
/// this.
fn pattern(text: &'static str) -> Pattern {
    let inner = |open, close| move |it: &'static str| it.strip_prefix(open)?.strip_suffix(close);
    let segments = text.split('/').filter(|it| !it.is_empty());
    let segment = |it| {
        (inner("[[...", "]]")(it).map(OptionalCatchAll))
            .or_else(|| inner("[...", "]")(it).map(CatchAll))
            .or_else(|| inner("[", "]")(it).map(Param))
            .or_else(|| inner("(", ")")(it).map(Group))
            .unwrap_or(Literal(it))
    };
    segments.map(segment).collect()
}

fn patterns(texts: &[&'static str]) -> Vec<Pattern> {
    texts.iter().map(|text| pattern(text)).collect()
}

/// Checks lookups in a table of patterns. Each case is a path with the pattern that it should match
/// and the parameters joined as `a+b|c`, with `|` between parameters and `+` between segments.
#[track_caller]
fn check(table: &[&'static str], cases: &[(&str, Option<(&str, &str)>)]) {
    let patterns = patterns(table);
    let trie = trie(&patterns);
    for (raw, expected) in cases {
        let expected = expected.map_or(NotOurs, |(text, params)| {
            let index = table
                .iter()
                .position(|it| *it == text)
                .expect("a pattern of the table");
            let params = params.split('|').filter(|_| text.contains('['));
            let words = |it: &str| -> Vec<String> {
                it.split('+')
                    .filter(|it| !it.is_empty())
                    .map(str::to_owned)
                    .collect()
            };
            Serve(index, params.map(words).collect())
        });
        assert_eq!(look_up(&trie, &patterns, raw), expected, "{raw}");
    }
}

#[test]
fn a_literal_is_preferred_to_a_parameter_and_that_to_a_catch_all() {
    check(
        &[
            "/new/[x]",
            "/[id]/edit",
            "/[id]/[x]",
            "/[...rest]",
            "/",
            "/new",
        ],
        &[
            ("/", Some(("/", ""))),
            ("/new", Some(("/new", ""))),
            ("/old", Some(("/[...rest]", "old"))),
            ("/new/edit", Some(("/new/[x]", "edit"))),
            ("/7/edit", Some(("/[id]/edit", "7"))),
            ("/7/view", Some(("/[id]/[x]", "7|view"))),
            ("/new/edit/3", Some(("/[...rest]", "new+edit+3"))),
            ("/New", Some(("/[...rest]", "New"))),
        ],
    );
}

#[test]
fn a_lookup_backtracks_from_a_choice_that_leads_to_no_match() {
    check(
        &[
            "/static",
            "/[id]/x",
            "/a/[b]/c",
            "/a/[...rest]",
            "/[p]/[q]/d",
        ],
        &[
            ("/static/x", Some(("/[id]/x", "static"))),
            ("/static/y", None),
            ("/a/1/c", Some(("/a/[b]/c", "1"))),
            ("/a/1/d", Some(("/a/[...rest]", "1+d"))),
            ("/b/1/d", Some(("/[p]/[q]/d", "b|1"))),
            ("/a", None),
        ],
    );
}

#[test]
fn catch_alls_match_one_segment_or_more_and_optional_ones_also_none() {
    check(
        &[
            "/one/[...s]",
            "/any/[[...s]]",
            "/[id]/[...s]",
            "/both/[...s]",
            "/both/[[...t]]",
        ],
        &[
            ("/one", None),
            ("/one/a/b", Some(("/one/[...s]", "a+b"))),
            ("/any", Some(("/any/[[...s]]", ""))),
            ("/any/a/b", Some(("/any/[[...s]]", "a+b"))),
            ("/x/a/b", Some(("/[id]/[...s]", "x|a+b"))),
            ("/both", Some(("/both/[[...t]]", ""))),
            ("/both/a", Some(("/both/[...s]", "a"))),
        ],
    );
    check(
        &["/[[...s]]"],
        &[
            ("/", Some(("/[[...s]]", ""))),
            ("/a", Some(("/[[...s]]", "a"))),
        ],
    );
    check(
        &["/", "/a/[[...s]]", "/a"],
        &[("/a", Some(("/a", ""))), ("/b", None)],
    );
    check(&[], &[("/", None), ("/a", None)]);
}

#[test]
fn segments_are_decoded_before_they_are_compared_and_bound() {
    check(
        &[
            "/café",
            "/api/[id]",
            "/api/[id]/[...s]",
            "/(shop)/cart/(x)",
            "/a%2Fb",
            r"/\",
        ],
        &[
            ("/caf%C3%A9", Some(("/café", ""))),
            ("/caf%c3%a9", Some(("/café", ""))),
            ("/%61pi/7", Some(("/api/[id]", "7"))),
            (
                "/%61pi/a%20b/%63/d%2Fe",
                Some(("/api/[id]/[...s]", "a b|c+d/e")),
            ),
            ("/api/%5Bid%5D", Some(("/api/[id]", "[id]"))),
            ("/cart", Some(("/(shop)/cart/(x)", ""))),
            ("/(shop)/cart/(x)", None),
            ("/a%252Fb", Some(("/a%2Fb", ""))),
            ("/a%2Fb", None),
            ("/%5c", Some((r"/\", ""))),
            ("/api/..", None),
            ("/api/%2e", None),
            ("*", None),
        ],
    );
}

#[test]
fn only_paths_that_match_a_pattern_are_redirected_or_bad_requests() {
    let patterns = patterns(&["/", "/api/[id]"]);
    let trie = trie(&patterns);
    for (raw, expected) in [
        ("//", Redirect(0, "/".into())),
        ("/api/7/", Redirect(1, "/api/7".into())),
        ("//%61pi//a\\b", Redirect(1, "/api/a%5Cb".into())),
        ("//evil.example/", NotOurs),
        ("/api/%zz", BadRequest(1)),
        ("/api/%FF/", BadRequest(1)),
        ("/%zz/7", NotOurs),
        ("/api/%zz/7", NotOurs),
        ("/api/%zz/..", NotOurs),
    ] {
        assert_eq!(look_up(&trie, &patterns, raw), expected, "{raw}");
    }
}

#[test]
fn a_canonical_path_is_its_own_key() {
    let trie = trie(&patterns(&["/[a]/[b]/[c]/[d]/[...e]"]));
    let key = |raw: &'static str| match trie.lookup(raw) {
        Some(Match::Clean { params, .. }) => params,
        other => panic!("{raw}: {other:?}"),
    };
    assert_eq!(key("/a/b/c/d/e").canonical, None);
    assert_eq!(key("/a/b/c/d/%C3%A9").canonical, None);
    assert_eq!(key("/%61/b/c/d/e").path("/%61/b/c/d/e"), "/a/b/c/d/e");
    // Passing another path is a bug of the caller, but it must not panic.
    assert_eq!(key("/a/b/c/d/e").value("/é", 0), None);
    assert_eq!(key("/a/b/c/d/e").values("/", 4).count(), 0);
    assert_eq!(key("/a/b/c/d/e").value("/a/b/c/d/e", 5), None);
}

#[test]
fn a_slot_ignores_the_names_of_parameters_and_groups() {
    let mut trie = Trie::new();
    *trie.slot(&pattern("/(x)/[id]/a")) = Some(1);
    assert_eq!(*trie.slot(&pattern("/[slug]/(y)/a")), Some(1));
    for other in ["/[id]", "/[...id]", "/[[...id]]", "/a", "/[id]/[a]", "/"] {
        assert_eq!(*trie.slot(&pattern(other)), None, "{other}");
    }
    assert!(
        trie.lookup("/a").is_none(),
        "asking for a place makes no route"
    );
}

/// Looks up paths that every pattern matches almost completely, up to the last segment.
#[test]
fn backtracking_is_bounded_by_the_table() {
    const DEPTH: usize = 60;
    let almost = |wild: usize| -> Pattern {
        let segment = |at| if at == wild { Param("p") } else { Literal("a") };
        (0..DEPTH).map(segment).chain([Literal("x")]).collect()
    };
    let mut table: Vec<Pattern> = (0..DEPTH).map(almost).collect();
    table.push(
        (0..DEPTH)
            .map(|_| Param("p"))
            .chain([Literal("x")])
            .collect(),
    );
    table.extend(patterns(&["/[a]/[b]/x", "/[a]/y/[c]"]));
    let trie = trie(&table);
    for segments in [2, DEPTH, DEPTH + 1, 50_000] {
        assert_eq!(look_up(&trie, &table, &"/a".repeat(segments)), NotOurs);
    }
    let path = "/b".repeat(DEPTH) + "/x";
    let params = vec![vec!["b".to_owned()]; DEPTH];
    assert_eq!(look_up(&trie, &table, &path), Serve(DEPTH, params));
}
