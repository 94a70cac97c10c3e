//! The value of `ROUTE`: everything that the attribute declared, as const data.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::LitStr;

use super::call::thunk;
use super::config::config;
use crate::method::Method;
use crate::options::{Dynamic, Options, Revalidate};
use crate::pattern::{Param, ParamKind, Pattern, Segment};
use crate::runtime::{mixed, private, variant};
use crate::spec::{HandlerSpec, RouteSpec, Unbound, argument_name, as_argument};

pub(super) fn descriptor(spec: &RouteSpec, handler: &HandlerSpec) -> TokenStream {
    let kind = variant("Kind", spec.kind);
    let method = variant("Method", handler.method);
    let source = &spec.source;
    let name = handler.handler.ident.to_string();
    let segments = segments(&spec.pattern);
    let arguments = arguments(spec, handler);
    let bound = binding_assertion(handler, source);
    let config = config(spec, handler);
    let call = thunk(handler);
    quote! {{
        use ::route_runtime::__private::ProbeDefaults as _;
        #bound
        ::route_runtime::__private::RouteDescriptor {
            kind: #kind,
            method: #method,
            pattern: #source,
            segments: #segments,
            config: #config,
            handler: #name,
            source: ::route_runtime::__private::source!(),
            call: #call,
            arguments: #arguments,
        }
    }}
}

pub(super) fn segments(pattern: &Pattern) -> TokenStream {
    let segments = pattern.segments.iter().map(|segment| {
        let (variant, text) = match segment {
            Segment::Literal(text) => ("Literal", text),
            Segment::Group(name) => ("Group", name),
            Segment::Param(Param { name, kind }) => match kind {
                ParamKind::Single => ("Param", name),
                ParamKind::CatchAll => ("CatchAll", name),
                ParamKind::OptionalCatchAll => ("OptionalCatchAll", name),
            },
        };
        let variant = format_ident!("{variant}");
        quote! { ::route_runtime::__private::Segment::#variant(#text) }
    });
    quote! { &[#(#segments),*] }
}

/// Generates the assertion that some extractor reads the unbound parameter, if there is one. Only
/// types can tell that, so the compiler evaluates it.
fn binding_assertion(handler: &HandlerSpec, source: &LitStr) -> Option<TokenStream> {
    let Unbound { param, misspelt } = handler.unbound.as_ref()?;
    let types = handler.extractors().map(|argument| &argument.ty);
    let name = &handler.handler.ident;
    let meant = misspelt.as_ref().map_or_else(String::new, |misspelt| {
        let argument = argument_name(&param.name);
        format!(" (did you mean `{argument}` by `{misspelt}`?)")
    });
    let message = format!(
        "no argument of `{name}` binds `{param}`{meant}; add the argument `{}`, or one that reads \
         every parameter: `web::Path<_>`, `HttpRequest`, or a type that implements \
         `route_runtime::ReadsParams`",
        as_argument(param)
    );
    Some(quote_spanned! {source.span()=>
        ::core::assert!(
            #(::route_runtime::__private::Probe::<#types>::READS_PARAMS)||*,
            #message
        );
    })
}

/// Generates the list of the extractors among the arguments, with the facts that their types tell.
fn arguments(spec: &RouteSpec, handler: &HandlerSpec) -> TokenStream {
    let promise = (handler.method == Method::Get)
        .then(|| promise(&spec.options))
        .flatten();
    let arguments = handler.extractors().map(|argument| {
        let ty = &argument.ty;
        let source = &argument.source;
        let kept = promise.map(|promise| {
            let promise = private(promise, mixed(ty));
            let probe = private("Probe", mixed(ty));
            quote_spanned! {mixed(ty)=>
                let _ = || <#ty as #promise<_>>::demand(#probe::<#ty>::EXTRACTOR);
            }
        });
        quote! {{
            #kept
            ::route_runtime::__private::Argument {
                source: #source,
                reads_request: !::route_runtime::__private::Probe::<#ty>::IS_STATIC,
                app_data: ::route_runtime::__private::Probe::<#ty>::APP_DATA,
            }
        }}
    });
    quote! { &[#(#arguments),*] }
}

/// Returns the trait that every extractor must implement if the options promise a cached response.
fn promise(options: &Options) -> Option<&'static str> {
    let dynamic = options.dynamic.as_ref().map(|given| given.value);
    let revalidate = options.revalidate.as_ref().map(|given| given.value);
    match (dynamic, revalidate) {
        (Some(Dynamic::ForceDynamic | Dynamic::ForceStatic), _) => None,
        (Some(Dynamic::Error), _) => Some("Static"),
        (_, Some(Revalidate::Never | Revalidate::After(1..))) => Some("Cacheable"),
        (_, Some(Revalidate::After(0)) | None) => None,
    }
}
