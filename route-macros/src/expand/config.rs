//! The options of a declaration, as const data of the runtime.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned as _;

use super::{param_type, private, variant};
use crate::method::Method;
use crate::options::{Options, Revalidate, Tag, TagPart};
use crate::pattern::{ParamKind, Pattern};
use crate::spec::{HandlerSpec, RouteSpec};

/// Generates the `Config` of a handler. It sets only the options that were given and that have a
/// meaning for the handler's method. The rest have the runtime's defaults.
pub(super) fn config(spec: &RouteSpec, handler: &HandlerSpec) -> TokenStream {
    let Options {
        dynamic,
        revalidate,
        expire,
        static_params,
        dynamic_params,
        fetch_cache,
        tags,
        cdn,
        wrap,
        max_duration,
        body_limit,
        names: _,
    } = &spec.options;
    let mut fields = Fields::default();
    if handler.method == Method::Get {
        fields.set(
            "dynamic",
            dynamic.as_ref().map(|it| variant("Dynamic", it.value)),
        );
        fields.set(
            "revalidate",
            revalidate.as_ref().map(|it| some(lifetime(it.value))),
        );
        fields.set("expire", expire.as_ref().map(|it| some(it.value)));
        fields.set(
            "static_params",
            static_params
                .as_ref()
                .map(|it| some(list_params(&it.value, spec, handler))),
        );
        fields.set("dynamic_params", dynamic_params.as_ref().map(|it| it.value));
        fields.set(
            "tags",
            tags.as_ref().map(|it| tag_list(&it.value, &spec.pattern)),
        );
        fields.set("cdn", cdn.as_ref().map(|it| some(variant("Cdn", it.value))));
    }
    if handler.method.has_body() {
        fields.set("body_limit", body_limit.as_ref().map(|it| some(it.value)));
    }
    fields.set(
        "fetch_cache",
        fetch_cache
            .as_ref()
            .map(|it| variant("FetchCache", it.value)),
    );
    fields.set(
        "max_duration",
        max_duration.as_ref().map(|it| some(it.value)),
    );
    if !wrap.is_empty() {
        let wraps = wrap.iter().map(|it| middleware(&it.value));
        fields.set("wrap", Some(quote! { &[#(#wraps),*] }));
    }
    let fields = fields.0;
    quote! {
        ::route_runtime::__private::Config {
            #fields
            ..::route_runtime::__private::Config::DEFAULT
        }
    }
}

#[derive(Default)]
struct Fields(TokenStream);

impl Fields {
    fn set(&mut self, name: &str, value: Option<impl ToTokens>) {
        if let Some(value) = value {
            let name = format_ident!("{name}");
            self.0.extend(quote! { #name: #value, });
        }
    }
}

pub(super) fn some(value: impl ToTokens) -> TokenStream {
    quote! { ::core::option::Option::Some(#value) }
}

pub(super) fn lifetime(value: Revalidate) -> TokenStream {
    match value {
        Revalidate::Never => quote! { ::route_runtime::__private::Revalidate::Never },
        Revalidate::After(seconds) => {
            quote! { ::route_runtime::__private::Revalidate::After(#seconds) }
        }
    }
}

fn tag_list(tags: &[Tag], pattern: &Pattern) -> TokenStream {
    let tags = tags.iter().map(|tag| {
        let parts = tag.parts.iter().map(|part| match part {
            TagPart::Literal(text) => {
                quote! { ::route_runtime::__private::TagPart::Literal(#text) }
            }
            TagPart::Param(name) => {
                let index = pattern.param(name).map_or(0, |(index, _)| index);
                quote! { ::route_runtime::__private::TagPart::Param(#index) }
            }
        });
        quote! { &[#(#parts),*] }
    });
    quote! { &[#(#tags),*] }
}

/// Generates the closure that calls the function named by `static_params`, whose values must have
/// the types of the parameters.
fn list_params(function: &Path, spec: &RouteSpec, handler: &HandlerSpec) -> TokenStream {
    let params = spec.pattern.params().enumerate().map(|(index, param)| {
        let ty = param_type(handler, index, param);
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
    quote_spanned! {at=> |#request| #list::<(#(#params,)*), _, _>(#function, #request) }
}

fn middleware(function: &Path) -> TokenStream {
    let at = function.span();
    let middleware = private("Middleware", at);
    let inner = Ident::new("inner", Span::mixed_site());
    quote_spanned! {at=> |#inner| #middleware::wrap(#function, #inner) }
}
