//! The collector of errors, and the only builder of their text.

use std::fmt::Display;
use std::ops::Range;

use proc_macro2::{Literal, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::LitStr;

/// All errors of one declaration, collected so that one build reports them together.
///
/// A check returns `None` only after it has pushed an error here.
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

    /// Returns the value, or `Err` if anything was pushed, even when there is a value.
    pub(crate) fn finish<T>(self, value: Option<T>) -> syn::Result<T> {
        match (self.0, value) {
            (None, Some(value)) => Ok(value),
            (Some(error), _) => Err(error),
            (None, None) => unreachable!("a check that fails pushes the reason"),
        }
    }
}

/// Returns the expansion of an attribute, or the user's item followed by the errors.
///
/// The item survives every failure, so that the compiler does not also report it as missing.
pub(crate) fn or_item(expanded: syn::Result<TokenStream>, item: TokenStream) -> TokenStream {
    expanded.unwrap_or_else(|error| {
        let errors = error.into_compile_error();
        quote! { #item #errors }
    })
}

/// A compile error: what is wrong, where, what to write instead, and what is allowed.
pub(crate) struct Problem {
    at: TokenStream,
    text: String,
    also: Option<syn::Error>,
}

impl Problem {
    /// Makes a problem at these tokens. `what` says what is wrong: it quotes the code that was
    /// found in backticks, and it has no full stop.
    pub(crate) fn new(at: impl ToTokens, what: impl Display) -> Self {
        Self {
            at: at.into_token_stream(),
            text: what.to_string(),
            also: None,
        }
    }

    /// Makes a problem at a single span, for a place that is not a token of its own.
    pub(crate) fn at(span: Span, what: impl Display) -> Self {
        let mut marker = Literal::usize_unsuffixed(0);
        marker.set_span(span);
        Self::new(marker, what)
    }

    /// Adds the fix, as the user would type it.
    pub(crate) fn help(mut self, help: impl Display) -> Self {
        self.text.push_str(&format!("\nhelp: {help}"));
        self
    }

    /// Adds a note that says what is allowed, or why.
    pub(crate) fn note(mut self, note: impl Display) -> Self {
        self.text.push_str(&format!("\nnote: {note}"));
        self
    }

    /// Adds a second place that takes part in the problem.
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

/// Returns the span of a byte range of a string literal, or the span of the whole literal if the
/// compiler cannot give that of a part.
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

/// Writes the items as a list: `` `a`, `b`, `c` ``.
pub(crate) fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let quoted: Vec<_> = items.into_iter().map(|item| format!("`{item}`")).collect();
    quoted.join(", ")
}

/// Returns the candidate nearest to `found`, if `found` is plausibly a misspelling of it.
///
/// A wrong suggestion is worse than none, so at most a third of the letters may differ. One letter
/// always may.
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

/// Returns the number of typing mistakes between two names. A mistake is one character added,
/// removed or replaced, or two neighbours swapped.
pub(crate) fn edit_distance(a: &str, b: &str) -> usize {
    strsim::osa_distance(a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_near_miss_gets_a_suggestion() {
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
