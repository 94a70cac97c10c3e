//! Which pattern a path matches.
//!
//! # Precedence
//!
//! At each segment, from left to right: literal, then `[id]`, then `[...slug]`, then
//! `[[...slug]]`; never the order of insertion. A choice that leads nowhere further down is taken
//! back. So with `/new/[x]`, `/[id]/edit` and `/[...rest]`, `/new/edit` is the first, `/7/edit`
//! the second and `/new/edit/3` the last.
//!
//! # Cost
//!
//! One node per segment, one hash look-up per node, however many patterns there are.
//!
//! Backtracking is bounded by the table, not by the path: a node has one parent, so a lookup
//! enters it at most once, and from each node it goes on to two at most (the literal and `[id]`).
//! With n nodes and a deepest pattern of d segments that is at most min(n, 2^(d + 1)) nodes, each
//! of which reads one segment, and recursion no deeper than d, for a path of any number of
//! segments; those beyond d are read once, to see that they are well-formed.

use std::{borrow::Cow, collections::HashMap, ops::Range};

use smallvec::SmallVec;

use crate::pattern::{RequestPath, Segment, Spelling, decode_segment, encode_segment};

#[cfg(test)]
mod fuzzing;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

/// A map from patterns to values, looked up by path.
#[derive(Clone, Debug)]
pub(crate) struct Trie<T> {
    root: Node<T>,
}

/// One position: the values of the patterns that end here, and what may come next.
#[derive(Clone, Debug)]
struct Node<T> {
    value: Option<T>,
    /// By canonical encoding, as paths are looked up in it: nothing is decoded to match. A sorted
    /// slice took twice as long from 100 literals on. The hash need not be a strong one: nothing
    /// that a client sends is ever inserted.
    literals: HashMap<Box<str>, Node<T>, foldhash::fast::RandomState>,
    param: Option<Box<Node<T>>>,
    catch_all: Option<T>,
    optional_catch_all: Option<T>,
}

/// What a path matched, and whether it may be served as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Match<'t, T> {
    /// To be served, under the key [`Params::path`].
    Clean { value: &'t T, params: Params },
    /// To be redirected to `clean`, the canonical path. No host can be read into it: it starts with
    /// exactly one `/` and has no `\`.
    Unclean { value: &'t T, clean: String },
    /// A parameter is malformed: a bad request.
    Malformed { value: &'t T },
}

/// The canonical path of a match and where in it the parameters lie.
///
/// Holds no borrow, so it can travel with the request; the accessors want the path that was
/// looked up once more (`raw`). Given another they answer nonsense or nothing, but do not panic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Params {
    /// None if the path as received is the canonical one.
    canonical: Option<Box<str>>,
    /// Byte ranges of the canonical path, in the pattern's order. Only a `[[...slug]]` that
    /// matched no segment is empty.
    spans: Spans,
}

type Spans = SmallVec<[Range<usize>; 4]>;

impl<T> Trie<T> {
    pub(crate) fn new() -> Self {
        Self { root: Node::new() }
    }

    /// Returns the place of a pattern, made if need be.
    ///
    /// Groups and the names of parameters are no part of a place: `/(a)/[id]` and `/[slug]` share
    /// one. Whether finding it occupied is a conflict is for the caller to say, who sees both
    /// values; an empty place changes no lookup.
    pub(crate) fn slot(&mut self, pattern: &[Segment]) -> &mut Option<T> {
        let mut node = &mut self.root;
        for segment in pattern {
            node = match *segment {
                Segment::Literal(text) => node.literal_mut(text),
                Segment::Param(_) => node.param.get_or_insert_with(|| Box::new(Node::new())),
                // Always last, says `Segment`.
                Segment::CatchAll(_) => return &mut node.catch_all,
                Segment::OptionalCatchAll(_) => return &mut node.optional_catch_all,
                Segment::Group(_) => continue,
            };
        }
        &mut node.value
    }

    /// Matches a path as received, `Uri::path()`; none if it is no path of ours.
    ///
    /// Allocates nothing if the path is canonical, free of `%`, and has at most four parameters.
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

impl<T> Node<T> {
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

    /// Matches what is left of the path, `text[at..]`: nothing, or `/` before every segment.
    /// Leaves in `spans` what it bound, and nothing if it fails.
    fn find(&self, text: &str, at: usize, spans: &mut Spans) -> Option<&T> {
        if at == text.len() {
            return self.value.as_ref().or_else(|| {
                let value = self.optional_catch_all.as_ref()?;
                spans.push(at..at);
                Some(value)
            });
        }
        let start = at + 1;
        // Segments are short: a loop is done before a searcher has begun.
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
    /// Returns the canonical path: the key. Borrows `raw` if that is canonical.
    pub(crate) fn path<'a>(&'a self, raw: &'a str) -> &'a str {
        self.canonical.as_deref().unwrap_or(raw)
    }

    /// Returns the decoded value of the `index`-th parameter of the pattern, an `[id]`.
    pub(crate) fn value<'a>(&'a self, raw: &'a str, index: usize) -> Option<Cow<'a, str>> {
        decode_segment(self.span(raw, index)?)
    }

    /// Returns the decoded segments of the `index`-th parameter of the pattern, a `[...slug]` or
    /// `[[...slug]]`. Only the latter can have none.
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
