//! A checked declaration → code. Infallible, and what it prints holds no logic: each line names
//! the runtime's `__private` module, and nothing of the user's scope but what the user wrote.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Type, Visibility};

use crate::method::Method;
use crate::options::{Dynamic, Options, Revalidate, TagPart};
use crate::pattern::{Param, ParamKind, Segment};
use crate::spec::{HandlerSpec, Kind, Origin, RouteSpec, argument_name};

/// Stands after the function.
pub(crate) fn function(spec: &RouteSpec) -> TokenStream {
    let [handler] = spec.handlers.as_slice() else {
        unreachable!("the function form has one handler")
    };
    let claims = claims(spec, handler);
    let submit = submit(handler);
    let handle = handle(spec, handler, &segment_items(spec, &handler.handler.vis));
    quote! { #claims #handle #submit }
}

/// Stands in the module, after the user's items.
pub(crate) fn module(spec: &RouteSpec) -> TokenStream {
    let handlers = spec.handlers.iter().map(|handler| {
        let claims = claims(spec, handler);
        let submit = submit(handler);
        let handle = handle(spec, handler, &TokenStream::new());
        quote! { #claims #handle #submit }
    });
    let items = segment_items(spec, &syn::parse_quote!(pub));
    quote! { #(#handlers)* #items }
}

/// One exported macro for each method and path. A second one of the same name is an error of the
/// compiler's own, under `cargo check` and in the editor, that underlines both patterns.
fn claims(spec: &RouteSpec, handler: &HandlerSpec) -> TokenStream {
    let methods: &[Method] = match spec.kind {
        Kind::Page => &Method::ALL,
        Kind::Route => std::slice::from_ref(&handler.method),
    };
    let attributes = &handler.handler.attributes;
    let path = spec.pattern.mangled();
    let claims = methods.iter().map(|method| {
        let span = Span::call_site().located_at(spec.source.span());
        let name = Ident::new(&format!("route_{method}{path}"), span);
        quote! {
            #(#attributes)*
            #[doc(hidden)]
            #[allow(non_local_definitions)]
            #[macro_export]
            macro_rules! #name { () => {}; }
        }
    });
    quote! { #(#claims)* }
}

fn submit(handler: &HandlerSpec) -> TokenStream {
    let name = &handler.handler.ident;
    let attributes = &handler.handler.attributes;
    quote! {
        #(#attributes)*
        const _: () = { ::route_runtime::__private::submit! { #name::ROUTE } };
    }
}

/// The handle: a type of the function's name, which lives in another namespace.
fn handle(spec: &RouteSpec, handler: &HandlerSpec, items: &TokenStream) -> TokenStream {
    let name = &handler.handler.ident;
    let vis = &handler.handler.vis;
    let attributes = &handler.handler.attributes;
    let descriptor = descriptor(spec, handler);
    let doc = format!(
        "The {} `{} {}`, handled by the function of this name.",
        match spec.kind {
            Kind::Route => "route",
            Kind::Page => "page",
        },
        handler.method,
        spec.source.value()
    );
    quote! {
        #(#attributes)*
        #[doc = #doc]
        #[allow(non_camel_case_types)]
        #vis struct #name {}

        #(#attributes)*
        #[allow(dead_code)]
        impl #name {
            /// What the attribute declared, for `Routes::from_iter`.
            #vis const ROUTE: ::route_runtime::RouteDescriptor = #descriptor;
            #items
        }
    }
}

/// What belongs to the path and not to a method.
fn segment_items(spec: &RouteSpec, vis: &Visibility) -> TokenStream {
    let source = &spec.source;
    // GET's parameters are the ones a URL is built for.
    let bound = spec
        .handlers
        .iter()
        .find(|handler| handler.method == Method::Get)
        .or(spec.handlers.first());
    let mut arguments = Vec::new();
    let mut writes = Vec::new();
    for (index, param) in spec.pattern.params().enumerate() {
        let name: Ident = syn::parse_str(&argument_name(&param.name))
            .unwrap_or_else(|_| format_ident!("param{index}"));
        let ty = bound.and_then(|handler| bound_type(handler, index));
        let ty = ty.map_or_else(|| default_type(param), ToTokens::to_token_stream);
        if param.kind == ParamKind::Single {
            arguments.push(quote! { #name: impl ::route_runtime::PathArg<#ty> });
            writes.push(quote! { .single::<#ty>(#name) });
        } else {
            arguments.push(quote! { #name: impl ::route_runtime::PathArgs<#ty> });
            writes.push(quote! { .many::<#ty>(#name) });
        }
    }
    let segments = segments(spec);
    quote! {
        /// The pattern, as declared.
        #[allow(dead_code)]
        #vis const PATTERN: &'static str = #source;

        /// The path of these parameters, percent-encoded.
        #[allow(dead_code)]
        #[must_use]
        #vis fn path(#(#arguments),*) -> ::route_runtime::__private::String {
            ::route_runtime::__private::PathBuilder::new(#segments)#(#writes)*.finish()
        }
    }
}

fn bound_type(handler: &HandlerSpec, wanted: usize) -> Option<&Type> {
    let mut arguments = handler.handler.arguments.iter().zip(&handler.origins);
    arguments.find_map(|(argument, origin)| match origin {
        Origin::Param { index, .. } if *index == wanted => Some(&argument.ty),
        _ => None,
    })
}

/// The type of a parameter that an extractor reads.
fn default_type(param: &Param) -> TokenStream {
    let string = quote! { ::route_runtime::__private::String };
    match param.kind {
        ParamKind::Single => string,
        ParamKind::CatchAll | ParamKind::OptionalCatchAll => {
            quote! { ::route_runtime::__private::Vec<#string> }
        }
    }
}

fn segments(spec: &RouteSpec) -> TokenStream {
    let segments = spec.pattern.segments.iter().map(|segment| {
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

fn descriptor(spec: &RouteSpec, handler: &HandlerSpec) -> TokenStream {
    let kind = variant(spec.kind);
    let method = variant(handler.method);
    let source = &spec.source;
    let name = handler.handler.ident.to_string();
    let segments = segments(spec);
    let arguments = arguments(spec, handler);
    let bound = binding_assertion(handler, source);
    let config = config(spec, handler);
    let call = thunk(handler);
    quote! {{
        #[allow(unused_imports)]
        use ::route_runtime::__private::ProbeDefaults as _;
        #bound
        ::route_runtime::__private::RouteDescriptor {
            kind: ::route_runtime::__private::Kind::#kind,
            method: ::route_runtime::__private::Method::#method,
            pattern: #source,
            segments: #segments,
            arguments: #arguments,
            config: #config,
            handler: #name,
            source: ::route_runtime::__private::source!(),
            call: #call,
        }
    }}
}

/// Where only types can tell whether a parameter is read at all.
fn binding_assertion(handler: &HandlerSpec, source: &syn::LitStr) -> Option<TokenStream> {
    let unbound = handler.unbound.as_ref()?;
    let types = handler.extractors().map(|argument| &argument.ty);
    let message = format!(
        "no argument of `{}` binds `{unbound}`, and none is a `web::Path` or `HttpRequest`; an \
         extractor that reads parameters says so by `impl route_runtime::ReadsParams`",
        handler.handler.ident
    );
    Some(quote_spanned! {source.span()=>
        ::core::assert!(
            #(::route_runtime::__private::Probe::<#types>::READS_PARAMS)||*,
            #message
        );
    })
}

/// The extractors among the arguments, with what their types tell.
fn arguments(spec: &RouteSpec, handler: &HandlerSpec) -> TokenStream {
    let promise = (handler.method == Method::Get)
        .then(|| promise(&spec.options))
        .flatten();
    let arguments = handler.extractors().map(|argument| {
        let ty = &argument.ty;
        let source = &argument.source;
        let kept = promise.map(|promise| {
            let promise = Ident::new(promise, mixed(ty));
            quote_spanned! {mixed(ty)=> ::route_runtime::__private::#promise::<#ty>(); }
        });
        quote! {{
            #kept
            ::route_runtime::__private::Argument {
                source: #source,
                reads_request: !::route_runtime::__private::Probe::<#ty>::IS_STATIC,
                missing: ::route_runtime::__private::Probe::<#ty>::MISSING,
            }
        }}
    });
    quote! { &[#(#arguments),*] }
}

/// The bound under which a handler keeps what its options promise: a cached response.
fn promise(options: &Options) -> Option<&'static str> {
    let dynamic = options.dynamic.as_ref().map(|given| given.value);
    let revalidate = options.revalidate.as_ref().map(|given| given.value);
    match (dynamic, revalidate) {
        (Some(Dynamic::ForceDynamic | Dynamic::ForceStatic), _) => None,
        (Some(Dynamic::Error), _) => Some("must_be_static"),
        (_, Some(Revalidate::Never | Revalidate::After(1..))) => Some("must_be_cacheable"),
        (_, Some(Revalidate::After(0)) | None) => None,
    }
}

/// Only what was given; the rest is the runtime's default.
fn config(spec: &RouteSpec, handler: &HandlerSpec) -> TokenStream {
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
    } = &spec.options;
    let mut fields = TokenStream::new();
    let mut field = |name: &str, value: TokenStream| {
        let name = format_ident!("{name}");
        fields.extend(quote! { #name: #value, });
    };
    let some = |value: TokenStream| quote! { ::core::option::Option::Some(#value) };

    if handler.method == Method::Get {
        if let Some(given) = dynamic {
            let variant = variant(given.value);
            field(
                "dynamic",
                quote! { ::route_runtime::__private::Dynamic::#variant },
            );
        }
        if let Some(given) = revalidate {
            field(
                "revalidate",
                some(match given.value {
                    Revalidate::Never => quote! { ::route_runtime::__private::Revalidate::Never },
                    Revalidate::After(seconds) => {
                        quote! { ::route_runtime::__private::Revalidate::After(#seconds) }
                    }
                }),
            );
        }
        if let Some(given) = expire {
            field("expire", some(given.value.to_token_stream()));
        }
        if let Some(given) = static_params {
            let kinds = params_tuple(spec, handler);
            let path = &given.value;
            let at = path.span();
            field(
                "static_params",
                some(quote_spanned! {at=>
                    |request| ::route_runtime::__private::static_params::<#kinds, _, _>(#path, request)
                }),
            );
        }
        if let Some(given) = dynamic_params {
            field("dynamic_params", given.value.to_token_stream());
        }
        if let Some(given) = tags {
            let tags = given.value.iter().map(|tag| {
                let parts = tag.parts.iter().map(|part| match part {
                    TagPart::Literal(text) => {
                        quote! { ::route_runtime::__private::TagPart::Literal(#text) }
                    }
                    TagPart::Param(name) => {
                        let index = spec.pattern.param(name).map_or(0, |(index, _)| index);
                        quote! { ::route_runtime::__private::TagPart::Param(#index) }
                    }
                });
                quote! { &[#(#parts),*] }
            });
            field("tags", quote! { &[#(#tags),*] });
        }
        if let Some(given) = cdn {
            field("cdn", some(given.value.to_token_stream()));
        }
    }
    if let Some(given) = fetch_cache {
        let variant = variant(given.value);
        field(
            "fetch_cache",
            quote! { ::route_runtime::__private::FetchCache::#variant },
        );
    }
    if !wrap.is_empty() {
        let wraps = wrap.iter().map(|given| {
            let path = &given.value;
            quote_spanned! {path.span()=>
                |inner| ::route_runtime::__private::wrap(::route_runtime::__private::from_fn(#path), inner)
            }
        });
        field("wrap", quote! { &[#(#wraps),*] });
    }
    if let Some(given) = max_duration {
        field("max_duration", some(given.value.to_token_stream()));
    }
    if let Some(given) = body_limit.as_ref().filter(|_| handler.method.has_body()) {
        field("body_limit", some(given.value.to_token_stream()));
    }
    quote! {
        ::route_runtime::__private::Config {
            #fields
            ..::route_runtime::__private::Config::DEFAULT
        }
    }
}

/// The name of the runtime's variant, which is the same as ours.
fn variant(value: impl std::fmt::Debug) -> Ident {
    format_ident!("{}", format!("{value:?}"))
}

/// The parameters' types, as `static_params` must give them.
fn params_tuple(spec: &RouteSpec, handler: &HandlerSpec) -> TokenStream {
    let params = spec.pattern.params().enumerate().map(|(index, param)| {
        let ty = bound_type(handler, index)
            .map_or_else(|| default_type(param), ToTokens::to_token_stream);
        if param.kind == ParamKind::Single {
            quote! { ::route_runtime::__private::One<#ty> }
        } else {
            quote! { ::route_runtime::__private::Many<#ty> }
        }
    });
    quote! { (#(#params,)*) }
}

/// Extracts each argument in its order, calls the handler, makes its output a response.
fn thunk(handler: &HandlerSpec) -> TokenStream {
    let name = &handler.handler.ident;
    let call = Ident::new("call", Span::mixed_site());
    let mut reads = Vec::new();
    let mut locals = Vec::new();
    for (position, (argument, origin)) in handler
        .handler
        .arguments
        .iter()
        .zip(&handler.origins)
        .enumerate()
    {
        let ty = &argument.ty;
        let local = format_ident!("argument{position}", span = Span::mixed_site());
        // Located at the type, so that what is wrong with it is underlined there.
        let read = match origin {
            Origin::Param { index, kind } => {
                let reader = Ident::new(
                    match kind {
                        ParamKind::Single => "single",
                        ParamKind::CatchAll => "many",
                        ParamKind::OptionalCatchAll => "optional",
                    },
                    mixed(ty),
                );
                quote_spanned! {mixed(ty)=> #call.#reader::<#ty>(#index)? }
            }
            Origin::Extractor => quote_spanned! {mixed(ty)=> #call.extract::<#ty>().await? },
        };
        reads.push(quote! { let #local = #read; });
        locals.push(local);
    }
    let output = handler
        .handler
        .output
        .as_ref()
        .map_or_else(|| mixed(name), mixed);
    let respond = quote_spanned! {output=> #call.respond };
    quote! {
        |mut #call| ::route_runtime::__private::handle(async move {
            #(#reads)*
            #respond(#name(#(#locals),*).await)
        })
    }
}

/// Hygienic for locals, and on the user's own line.
fn mixed(tokens: &impl ToTokens) -> Span {
    Span::mixed_site().located_at(tokens.to_token_stream().span())
}
