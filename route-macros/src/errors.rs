//! Collecting problems, and the one place where their text is put together.

use std::fmt::Display;
use std::ops::Range;

use proc_macro2::{Literal, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::LitStr;

/// Everything found wrong with one declaration, reported in one build.
///
/// A check returns `None` only after pushing here.
#[derive(Default)]
#[must_use]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    pub(crate) fn push(&mut self, error: impl Into<syn::Error>) {
        let error = error.into();
        match &mut self.0 {
            Some(first) => first.combine(error),
            None => self.0 = Some(error),
        }
    }

    pub(crate) fn absorb<T, E: Into<syn::Error>>(&mut self, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// `Err` if anything was pushed, even when there is a value.
    pub(crate) fn finish<T>(self, value: Option<T>) -> syn::Result<T> {
        match (self.0, value) {
            (None, Some(value)) => Ok(value),
            (Some(error), _) => Err(error),
            (None, None) => unreachable!("a check that fails pushes the reason"),
        }
    }
}

/// What an attribute expands to: the item survives every failure, so that nothing else is reported
/// missing.
pub(crate) fn or_item(expanded: syn::Result<TokenStream>, item: TokenStream) -> TokenStream {
    expanded.unwrap_or_else(|error| {
        let errors = error.into_compile_error();
        quote! { #item #errors }
    })
}

/// One compile error: what is wrong, where, what to write instead, what is allowed.
pub(crate) struct Problem {
    at: TokenStream,
    text: String,
    also: Option<syn::Error>,
}

impl Problem {
    /// `what` quotes what was found, in backticks, without a full stop.
    pub(crate) fn new(at: impl ToTokens, what: impl Display) -> Self {
        Self {
            at: at.into_token_stream(),
            text: what.to_string(),
            also: None,
        }
    }

    /// At a single span, for what is not a token of its own.
    pub(crate) fn at(span: Span, what: impl Display) -> Self {
        let mut marker = Literal::usize_unsuffixed(0);
        marker.set_span(span);
        Self::new(marker, what)
    }

    /// The fix, as the user would type it.
    pub(crate) fn help(mut self, help: impl Display) -> Self {
        self.text.push_str(&format!("\nhelp: {help}"));
        self
    }

    /// What is allowed, or why.
    pub(crate) fn note(mut self, note: impl Display) -> Self {
        self.text.push_str(&format!("\nnote: {note}"));
        self
    }

    /// A second place that takes part in the problem.
    pub(crate) fn and(mut self, at: impl ToTokens, what: impl Display) -> Self {
        self.also = Some(syn::Error::new_spanned(at, what));
        self
    }
}

impl From<Problem> for syn::Error {
    fn from(problem: Problem) -> Self {
        let mut error = syn::Error::new_spanned(problem.at, problem.text);
        if let Some(also) = problem.also {
            error.combine(also);
        }
        error
    }
}

/// The span of a byte range of a string literal, where the compiler can tell it.
///
/// Stable Rust cannot underline a part of a literal, so messages quote the fragment as well.
pub(crate) fn fragment_span(literal: &LitStr, range: Range<usize>) -> Span {
    let token = literal.token();
    let is_plain = token.to_string() == format!("\"{}\"", literal.value());
    is_plain
        .then(|| token.subspan(range.start + 1..range.end + 1))
        .flatten()
        .unwrap_or_else(|| literal.span())
}

/// `` `a`, `b`, `c` ``
pub(crate) fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let quoted: Vec<_> = items.into_iter().map(|item| format!("`{item}`")).collect();
    quoted.join(", ")
}

/// The nearest of `candidates`, when `found` is plausibly a misspelling of it.
///
/// A wrong suggestion is worse than none: at most a third of the letters may differ.
pub(crate) fn nearest<'a>(
    found: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let allowed = (found.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (edit_distance(found, candidate), candidate))
        .filter(|&(distance, _)| distance <= allowed)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// The number of typing mistakes between two names: a character more, less or another one, or two
/// neighbours that are swapped.
pub(crate) fn edit_distance(a: &str, b: &str) -> usize {
    strsim::osa_distance(a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_only_a_near_miss() {
        let check = |found, expected: Option<&str>| {
            assert_eq!(
                nearest(found, ["dynamic", "revalidate", "tags"]),
                expected,
                "{found}"
            );
        };
        check("dynamc", Some("dynamic"));
        check("revaldiate", Some("revalidate"));
        check("tag", Some("tags"));
        check("tgas", Some("tags"));
        check("ttl", None);
        check("cache", None);
    }

    #[test]
    fn swapped_neighbours_are_one_edit() {
        assert_eq!(edit_distance("taem", "team"), 1);
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("id", "id"), 0);
    }
}
