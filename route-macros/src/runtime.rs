//! Paths into the runtime, and where generated tokens stand.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};

/// Returns a path into the runtime, with the span that an error should underline.
pub(crate) fn private(name: &str, at: Span) -> TokenStream {
    let name = Ident::new(name, at);
    quote_spanned! {at=> ::route_runtime::__private::#name }
}

/// Returns the variant of an enum of the runtime that has the same name as our variant.
pub(crate) fn variant(of: &str, value: impl std::fmt::Debug) -> TokenStream {
    let of = format_ident!("{of}");
    let value = format_ident!("{}", format!("{value:?}"));
    quote! { ::route_runtime::__private::#of::#value }
}

/// Returns a span that is hygienic for locals and lies on the user's own line.
pub(crate) fn mixed(tokens: &impl ToTokens) -> Span {
    let span = syn::spanned::Spanned::span(tokens);
    Span::mixed_site().located_at(span)
}
