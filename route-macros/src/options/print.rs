//! Printers: each writes the value of an option as const data of the runtime.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Expr, Path};

use super::{Cdn, Dynamic, FetchCache, Revalidate, Tag, TagPart};
use crate::pattern::{ParamKind, Pattern};
use crate::runtime::{private, variant};
use crate::text::text;

/// The parts of a declaration that a printer may need beside the value.
pub(crate) struct Printing<'a> {
    pub(crate) pattern: &'a Pattern,
    /// The types of the pattern's parameters, in its order.
    pub(crate) param_types: Vec<TokenStream>,
}

/// Prints `Some(value)`.
pub(crate) fn some(value: impl ToTokens) -> TokenStream {
    quote! { ::core::option::Option::Some(#value) }
}

/// Prints the runtime's `Revalidate`.
pub(crate) fn lifetime(value: Revalidate) -> TokenStream {
    match value {
        Revalidate::Never => quote! { ::route_runtime::__private::Revalidate::Never },
        Revalidate::After(seconds) => {
            quote! { ::route_runtime::__private::Revalidate::After(#seconds) }
        }
    }
}

pub(super) fn dynamic(value: &Dynamic, _: &Printing<'_>) -> TokenStream {
    variant("Dynamic", value)
}

pub(super) fn revalidate(value: &Revalidate, _: &Printing<'_>) -> TokenStream {
    some(lifetime(*value))
}

pub(super) fn fetch_cache(value: &FetchCache, _: &Printing<'_>) -> TokenStream {
    variant("FetchCache", value)
}

pub(super) fn cdn(value: &Cdn, _: &Printing<'_>) -> TokenStream {
    some(variant("Cdn", value))
}

/// Prints a number that may be absent.
pub(super) fn number(value: &impl ToTokens, _: &Printing<'_>) -> TokenStream {
    some(value)
}

/// Prints `true` or `false`.
pub(super) fn flag(value: &bool, _: &Printing<'_>) -> TokenStream {
    value.to_token_stream()
}

pub(super) fn tags(tags: &[Tag], printing: &Printing<'_>) -> TokenStream {
    let tags = tags.iter().map(|tag| {
        let parts = tag.parts.iter().map(|part| match part {
            TagPart::Literal(text) => {
                quote! { ::route_runtime::__private::TagPart::Literal(#text) }
            }
            TagPart::Param(name) => {
                let index = printing.pattern.param(name).map_or(0, |(index, _)| index);
                quote! { ::route_runtime::__private::TagPart::Param(#index) }
            }
        });
        quote! { &[#(#parts),*] }
    });
    quote! { &[#(#tags),*] }
}

/// Prints the closure that calls the function named by `static_params`, whose values must have the
/// types of the parameters.
pub(super) fn static_params(function: &Path, printing: &Printing<'_>) -> TokenStream {
    let params = printing.pattern.params().zip(&printing.param_types);
    let params = params.map(|(param, ty)| {
        let kind = format_ident!(
            "{}",
            match param.kind {
                ParamKind::Single => "One",
                ParamKind::CatchAll | ParamKind::OptionalCatchAll => "Many",
            }
        );
        quote! { ::route_runtime::__private::#kind<#ty> }
    });
    let at = function.span();
    let list = private("static_params", at);
    let request = Ident::new("request", Span::mixed_site());
    some(quote_spanned! {at=> |#request| #list::<(#(#params,)*), _, _>(#function, #request) })
}

/// Prints the runtime's `Wrap` for each middleware. Its expression is evaluated on each worker.
pub(super) fn wrap(middleware: &[Expr], _: &Printing<'_>) -> TokenStream {
    let wraps = middleware.iter().map(|middleware| {
        let at = middleware.span();
        let put = private("Middleware", at);
        let inner = Ident::new("inner", Span::mixed_site());
        let is_closure = matches!(middleware, Expr::Closure(_));
        let name = match is_closure {
            // The place stays right if only the closure is edited.
            true => quote! { ::core::concat!(::core::file!(), ":", ::core::line!()) },
            false => text(middleware).into_token_stream(),
        };
        let put = quote_spanned! {at=> |#inner| #put::wrap(#middleware, #inner) };
        quote! {
            ::route_runtime::__private::Wrap { name: #name, is_closure: #is_closure, put: #put }
        }
    });
    quote! { &[#(#wraps),*] }
}
