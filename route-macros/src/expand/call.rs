//! The generated function of a route.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::{mixed, private};
use crate::pattern::ParamKind;
use crate::spec::{HandlerSpec, Origin};

/// How each argument is read, in its order, what is called with them, and what makes its output a
/// response. All of it is data: a coroutine of its own for each route would take the compiler longer
/// than everything else that is generated.
pub(super) fn thunk(handler: &HandlerSpec) -> TokenStream {
    let arguments = handler.handler.arguments.iter().zip(&handler.origins);
    let (locals, readers): (Vec<_>, Vec<_>) = arguments
        .enumerate()
        .map(|(position, (argument, origin))| {
            let local = format_ident!("argument{position}", span = Span::mixed_site());
            // Located at the type, so that what is wrong with it is underlined there.
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
    let at = match &handler.handler.output {
        Some(output) => output.span(),
        None => name.span(),
    };
    let response = private("Response", at);
    let response = quote_spanned! {at=> #response::into_response };
    let (values, readers) = (list(&locals), list(&readers));
    quote! {
        |#call| ::route_runtime::__private::call(
            #call,
            #readers,
            |#values| #name(#(#locals),*),
            #response,
        )
    }
}

/// `(a, (b, ()))`: as many as there are.
fn list(items: &[impl ToTokens]) -> TokenStream {
    let items = items.iter().rev();
    items.fold(quote! { () }, |rest, item| quote! { (#item, #rest) })
}
