//! The generated closure that calls a route's handler.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;

use crate::pattern::ParamKind;
use crate::runtime::{mixed, private};
use crate::spec::{HandlerSpec, Origin};

/// Generates the closure that calls a handler through the runtime. It passes a reader for each
/// argument, in order, then the call of the handler, then the conversion of its output into a
/// response.
///
/// All of these are data. A separate coroutine for each route would take the compiler longer than
/// all other generated code.
pub(super) fn thunk(handler: &HandlerSpec) -> TokenStream {
    let arguments = handler.handler.arguments.iter().zip(&handler.origins);
    let (locals, readers): (Vec<_>, Vec<_>) = arguments
        .enumerate()
        .map(|(position, (argument, origin))| {
            let local = format_ident!("argument{position}", span = Span::mixed_site());
            // Located at the type, so that an error about the type is underlined there.
            let at = mixed(&argument.ty);
            let ty = &argument.ty;
            let reader = private("Reader", at);
            let reader = match origin {
                Origin::Extractor => {
                    let extractor = private("Extractor", at);
                    quote_spanned! {at=> #reader::Extract(<#ty as #extractor>::extract) }
                }
                Origin::Param { index, kind } => {
                    let (variant, param) = match kind {
                        ParamKind::Single => ("Single", "SingleParam"),
                        ParamKind::CatchAll => ("Many", "ManyParam"),
                        ParamKind::OptionalCatchAll => ("Many", "OptionalParam"),
                    };
                    let variant = Ident::new(variant, at);
                    let param = private(param, at);
                    quote_spanned! {at=> #reader::#variant(#index, <#ty as #param>::read) }
                }
            };
            (local, reader)
        })
        .unzip();
    let call = Ident::new("call", Span::mixed_site());
    let name = &handler.handler.ident;
    let handled = {
        // The call has the span of generated code, so that no error about it suggests a change of
        // the user's function. It is not hygienic: a local of ours may have the function's name.
        let at = Span::call_site().located_at(name.span());
        let mut name = name.clone();
        name.set_span(at);
        quote_spanned! {at=> #name(#(#locals),*) }
    };
    let at = match &handler.handler.output {
        Some(output) => output.span(),
        None => name.span(),
    };
    let response = private("Response", at);
    let response = quote_spanned! {at=> #response::into_response };
    let (values, readers) = (nested_pairs(&locals), nested_pairs(&readers));
    quote! {
        |#call| ::route_runtime::__private::call(
            #call,
            #readers,
            |#values| #handled,
            #response,
        )
    }
}

/// Nests any number of items as pairs: `(a, (b, ()))`.
fn nested_pairs(items: &[impl ToTokens]) -> TokenStream {
    let items = items.iter().rev();
    items.fold(quote! { () }, |rest, item| quote! { (#item, #rest) })
}
