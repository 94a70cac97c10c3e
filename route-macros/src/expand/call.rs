//! The generated function of a route.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::{mixed, private};
use crate::pattern::ParamKind;
use crate::spec::{HandlerSpec, Origin};

/// Extracts each argument in its order, calls the handler, makes its output a response.
pub(super) fn thunk(handler: &HandlerSpec) -> TokenStream {
    let call = Ident::new("call", Span::mixed_site());
    let arguments = handler.handler.arguments.iter().zip(&handler.origins);
    let (locals, reads): (Vec<_>, Vec<_>) = arguments
        .enumerate()
        .map(|(position, (argument, origin))| {
            let local = format_ident!("argument{position}", span = Span::mixed_site());
            // Located at the type, so that what is wrong with it is underlined there.
            let at = mixed(&argument.ty);
            let ty = &argument.ty;
            let read = match origin {
                Origin::Extractor => {
                    let extractor = private("Extractor", at);
                    quote_spanned! {at=> #call.extract(<#ty as #extractor>::extract).await? }
                }
                Origin::Param { index, kind } => {
                    let (reader, param) = match kind {
                        ParamKind::Single => ("single", "SingleParam"),
                        ParamKind::CatchAll => ("many", "ManyParam"),
                        ParamKind::OptionalCatchAll => ("many", "OptionalParam"),
                    };
                    let reader = Ident::new(reader, at);
                    let param = private(param, at);
                    quote_spanned! {at=> #call.#reader(#index, <#ty as #param>::read)? }
                }
            };
            let read = quote! { let #local = #read; };
            (local, read)
        })
        .unzip();
    let name = &handler.handler.ident;
    // The user's own span: it holds the handler's response, and nothing else is called so after it.
    let at = match &handler.handler.output {
        Some(output) => output.span(),
        None => name.span(),
    };
    let output = Ident::new("output", at);
    let response = private("Response", at);
    let response = quote_spanned! {at=> #response::into_response(#output, &#call) };
    quote! {
        |mut #call| ::route_runtime::__private::handle(async move {
            #(#reads)*
            let #output = #name(#(#locals),*).await;
            ::core::result::Result::Ok(#response)
        })
    }
}
