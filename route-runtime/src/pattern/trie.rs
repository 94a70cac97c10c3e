//! The trie that finds the pattern which a path matches.
//!
//! # Precedence
//!
//! At each segment, from left to right, a literal is preferred to `[id]`, that to `[...slug]`, and
//! that to `[[...slug]]`. The order of insertion never matters. If a choice leads to no match
//! further down, the lookup backtracks and tries the next one. With the patterns `/new/[x]`,
//! `/[id]/edit` and `/[...rest]`, the path `/new/edit` therefore matches the first, `/7/edit` the
//! second, and `/new/edit/3` the last.
//!
//! # Cost
//!
//! Without backtracking, a lookup visits one node per segment and does one hash look-up in each,
//! however many patterns there are.
//!
//! The table bounds the backtracking, and not the path: a node has one parent, so a lookup enters
//! it at most once, and from each node the lookup continues to at most two others, the literal and
//! `[id]`. If the table has n nodes and its deepest pattern has d segments, a lookup enters at most
//! min(n, 2^(d + 1)) nodes, each of which reads one segment, and recurses no deeper than d,
//! whatever the number of segments in the path. Segments beyond the d-th are read once, to check
//! that they are well-formed.

use std::{borrow::Cow, collections::HashMap, ops::Range};

use smallvec::SmallVec;

use crate::pattern::{RequestPath, Segment, Spelling, decode_segment, encode_segment};

#[cfg(test)]
mod fuzzing;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

/// A map from patterns to values, in which a value is looked up by path.
#[derive(Clone, Debug)]
pub(crate) struct Trie<T> {
    root: TrieNode<T>,
}

/// A position in the patterns: the values of the patterns that end here, and the positions that may
/// follow.
#[derive(Clone, Debug)]
struct TrieNode<T> {
    value: Option<T>,
    /// The children for literals, by their canonical encoding. Paths are looked up in the same
    /// encoding, so nothing is decoded to match. A sorted slice took twice as long from 100
    /// literals on. The hash need not be a strong one, since nothing that a client sends is ever
    /// inserted.
    literals: HashMap<Box<str>, TrieNode<T>, foldhash::fast::RandomState>,
    param: Option<Box<TrieNode<T>>>,
    catch_all: Option<T>,
    optional_catch_all: Option<T>,
}

/// The value that a path matched, and whether the path may be served as it was spelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Match<'t, T> {
    /// The path is served, under the key [`Params::path`].
    Clean { value: &'t T, params: Params },
    /// The path is redirected to `clean`, its canonical spelling. No client can take a part of
    /// `clean` for a host: it starts with exactly one `/` and has no `\`.
    Unclean { value: &'t T, clean: String },
    /// A parameter is malformed, so this is a bad request.
    Malformed { value: &'t T },
}

/// The canonical path of a match, and the places of the parameters in it.
///
/// `Params` borrows nothing, so it can travel with the request. Its methods take the path that was
/// looked up (`raw`) again. Given another path, they return wrong values or none, but do not panic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Params {
    /// The canonical path, or `None` if the path was received in its canonical spelling.
    canonical: Option<Box<str>>,
    /// The byte ranges of the parameters in the canonical path, in the pattern's order. Only the
    /// range of a `[[...slug]]` that matched no segment is empty.
    spans: Spans,
}

type Spans = SmallVec<[Range<usize>; 4]>;

impl<T> Trie<T> {
    pub(crate) fn new() -> Self {
        Self {
            root: TrieNode::new(),
        }
    }

    /// Returns the slot for the value of a pattern, and makes it if there is none.
    ///
    /// Groups and the names of parameters are no part of a slot: `/(a)/[id]` and `/[slug]` share
    /// one. The caller, who has both values, decides whether an occupied slot is a conflict. An
    /// empty slot changes no lookup.
    pub(crate) fn slot(&mut self, pattern: &[Segment]) -> &mut Option<T> {
        let mut node = &mut self.root;
        for segment in pattern {
            node = match *segment {
                Segment::Literal(text) => node.literal_mut(text),
                Segment::Param(_) => node.param.get_or_insert_with(|| Box::new(TrieNode::new())),
                // Catch-alls are always last, as `Segment` says.
                Segment::CatchAll(_) => return &mut node.catch_all,
                Segment::OptionalCatchAll(_) => return &mut node.optional_catch_all,
                Segment::Group(_) => continue,
            };
        }
        &mut node.value
    }

    /// Matches a path as it was received, `Uri::path()`. Returns `None` if it matches no pattern.
    ///
    /// Allocates nothing if the path is canonical, has no `%`, and has at most four parameters.
    pub(crate) fn lookup(&self, raw: &str) -> Option<Match<'_, T>> {
        let RequestPath { text, spelling } = RequestPath::parse(raw)?;
        let mut spans = Spans::new();
        let start = usize::from(text == "/"); // The root has no segment left to match.
        let value = self.root.find(&text, start, &mut spans)?;
        Some(match spelling {
            Spelling::Clean => {
                let canonical = match text {
                    Cow::Borrowed(_) => None,
                    Cow::Owned(text) => Some(text.into_boxed_str()),
                };
                Match::Clean {
                    value,
                    params: Params { canonical, spans },
                }
            }
            Spelling::Unclean => Match::Unclean {
                value,
                clean: text.into_owned(),
            },
            Spelling::Malformed => Match::Malformed { value },
        })
    }
}

impl<T> TrieNode<T> {
    fn new() -> Self {
        Self {
            value: None,
            literals: HashMap::default(),
            param: None,
            catch_all: None,
            optional_catch_all: None,
        }
    }

    fn literal_mut(&mut self, text: &str) -> &mut Self {
        let mut encoded = String::with_capacity(text.len());
        encode_segment(text, &mut encoded);
        self.literals
            .entry(encoded.into_boxed_str())
            .or_insert_with(Self::new)
    }

    /// Matches the rest of the path, `text[at..]`, which is empty or has a `/` before every
    /// segment. Adds the parameters that it binds to `spans`, and adds nothing if there is no
    /// match.
    fn find(&self, text: &str, at: usize, spans: &mut Spans) -> Option<&T> {
        if at == text.len() {
            return self.value.as_ref().or_else(|| {
                let value = self.optional_catch_all.as_ref()?;
                spans.push(at..at);
                Some(value)
            });
        }
        let start = at + 1;
        // Segments are short, so a plain loop is done before an optimised search has begun.
        let length = text.as_bytes()[start..]
            .iter()
            .position(|byte| *byte == b'/');
        let end = length.map_or(text.len(), |length| start + length);
        if let Some(child) = self.literals.get(&text[start..end])
            && let Some(value) = child.find(text, end, spans)
        {
            return Some(value);
        }
        if let Some(child) = &self.param {
            spans.push(start..end);
            if let Some(value) = child.find(text, end, spans) {
                return Some(value);
            }
            spans.pop();
        }
        let value = self
            .catch_all
            .as_ref()
            .or(self.optional_catch_all.as_ref())?;
        spans.push(start..text.len());
        Some(value)
    }
}

impl Params {
    /// Returns the canonical path, which is the key. It is `raw` itself if `raw` is canonical.
    pub(crate) fn path<'a>(&'a self, raw: &'a str) -> &'a str {
        self.canonical.as_deref().unwrap_or(raw)
    }

    /// Returns the decoded value of the pattern's parameter number `index`, which is an `[id]`.
    pub(crate) fn value<'a>(&'a self, raw: &'a str, index: usize) -> Option<Cow<'a, str>> {
        decode_segment(self.span(raw, index)?)
    }

    /// Returns the decoded segments of the pattern's parameter number `index`, which is a
    /// `[...slug]` or `[[...slug]]`. Only the latter can have none.
    pub(crate) fn values<'a>(
        &'a self,
        raw: &'a str,
        index: usize,
    ) -> impl Iterator<Item = Cow<'a, str>> {
        let segments = self.span(raw, index).unwrap_or_default().split('/');
        segments
            .filter(|segment| !segment.is_empty())
            .filter_map(decode_segment)
    }

    fn span<'a>(&'a self, raw: &'a str, index: usize) -> Option<&'a str> {
        self.path(raw).get(self.spans.get(index)?.clone())
    }
}
