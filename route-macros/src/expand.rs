//! A checked declaration → code. Infallible, and what it prints holds no logic: each line names
//! the runtime's `__private` module, and nothing of the user's scope but what the user wrote.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Attribute, Item, ItemFn, Visibility, parse_quote};

use crate::declaration::Declaration;
use crate::method::Method;
use crate::pattern::{Param, ParamKind};
use crate::signature::is_conditional;
use crate::spec::{HandlerSpec, Kind, RouteSpec, argument_name};

mod cached;
mod call;
mod config;
mod descriptor;

pub(crate) use cached::cached;

/// The user's item, and after it, or in it, what is generated.
pub(crate) fn declaration(spec: &RouteSpec, item: Declaration) -> TokenStream {
    match item {
        Declaration::Function(mut function) => {
            let [handler] = spec.handlers.as_slice() else {
                unreachable!("the function form has one handler")
            };
            allow_name(&mut function);
            let items = segment_items(spec, &handler.handler.vis);
            let generated = declared(spec, handler, &items);
            quote! { #function #generated }
        }
        Declaration::Module(mut module) => {
            if let Some((_, items)) = &mut module.content {
                for item in items.iter_mut() {
                    if let Item::Fn(function) = item {
                        allow_method(function);
                    }
                }
                let nothing = TokenStream::new();
                let handlers = spec.handlers.iter();
                items.extend(handlers.map(|it| Item::Verbatim(declared(spec, it, &nothing))));
                items.push(Item::Verbatim(segment_items(spec, &parse_quote!(pub))));
            }
            module.into_token_stream()
        }
    }
}

/// A function that is named `GET` is named as we ask for. No other is allowed anything: the user may
/// have forbidden it.
fn allow_name(function: &mut ItemFn) {
    let name = &function.sig.ident;
    let is_upper = name.to_string().contains(char::is_uppercase);
    if is_upper && Method::named(name).is_some() {
        function.attrs.push(parse_quote!(#[allow(non_snake_case)]));
    }
}

/// In a module it is also `pub` as we ask for, in any case.
fn allow_method(function: &mut ItemFn) {
    allow_name(function);
    let is_public = matches!(function.vis, Visibility::Public(_));
    if is_public && Method::named(&function.sig.ident).is_some() {
        function.attrs.push(parse_quote!(#[allow(unreachable_pub)]));
    }
}

/// What one handler leaves: its claims, its handle with `items`, its descriptor.
fn declared(spec: &RouteSpec, handler: &HandlerSpec, items: &TokenStream) -> TokenStream {
    let claims = claims(spec, handler);
    let handle = handle(spec, handler, items);
    let name = &handler.handler.ident;
    let attributes = &handler.handler.attributes;
    quote! {
        #claims
        #handle
        #(#attributes)*
        const _: () = {
            ::route_runtime::__private::submit! { #name::ROUTE }
        };
    }
}

/// One exported macro for each method and path. A second one of the same name is an error of the
/// compiler's own, under `cargo check` and in the editor, that underlines both patterns. (Two pages
/// of one path are reported for each method: each is claimed, so that no route can answer it.)
fn claims(spec: &RouteSpec, handler: &HandlerSpec) -> TokenStream {
    let methods: &[Method] = match spec.kind {
        Kind::Page => &Method::ALL,
        Kind::Route => std::slice::from_ref(&handler.method),
    };
    let attributes = &handler.handler.attributes;
    let path = spec.pattern.mangled();
    let span = spec.source.span();
    let claims = methods.iter().map(|method| {
        let name = Ident::new(&format!("route_{method}{path}"), span);
        let claim = quote_spanned! {span=> macro_rules! #name { () => {}; } };
        quote! {
            #(#attributes)*
            #[doc(hidden)]
            // The one lint that generated code is not spared: routes may stand in functions.
            #[allow(non_local_definitions)]
            #[macro_export]
            #claim
        }
    });
    quote! { #(#claims)* }
}

/// The handle: a type of the function's name, which lives in another namespace.
fn handle(spec: &RouteSpec, handler: &HandlerSpec, items: &TokenStream) -> TokenStream {
    let name = &handler.handler.ident;
    let vis = &handler.handler.vis;
    let attributes = &handler.handler.attributes;
    let descriptor = descriptor::descriptor(spec, handler);
    let doc = format!(
        " The {} `{} {}`, handled by the function of this name.",
        match spec.kind {
            Kind::Route => "route",
            Kind::Page => "page",
        },
        handler.method,
        spec.source.value()
    );
    let ty = handle_type(name, vis, &handler.handler.hidden);
    quote! {
        #(#attributes)*
        #[doc = #doc]
        #ty

        #(#attributes)*
        impl #name {
            /// What the attribute declared, for `Routes::from_iter`.
            #vis const ROUTE: ::route_runtime::RouteDescriptor = #descriptor;
            #items
        }
    }
}

/// A type of the function's name, which lives in another namespace; hidden where the function is.
///
/// Its name is generated, which lints leave alone, and stands where the function's does, should it
/// be taken. An `#[allow]` in its place would be an error under a `#![forbid]`.
fn handle_type(name: &Ident, vis: &Visibility, hidden: &[Attribute]) -> TokenStream {
    let at = Span::call_site().located_at(name.span());
    let mut name = name.clone();
    name.set_span(at);
    let ty = quote_spanned! {at=> struct #name {} };
    quote! {
        #(#hidden)*
        #vis #ty
    }
}

/// What belongs to the path and not to a method.
fn segment_items(spec: &RouteSpec, vis: &Visibility) -> TokenStream {
    let source = &spec.source;
    let handlers = typing_handlers(spec);
    let paths = handlers.iter().map(|handler| {
        // One of several alternatives is left, as its handler is.
        let attributes = match handlers.len() {
            1 => &[],
            _ => handler.handler.attributes.as_slice(),
        };
        path_items(spec, handler, attributes, vis)
    });
    quote! {
        /// The pattern, as declared.
        #vis const PATTERN: &'static ::core::primitive::str = #source;

        #(#paths)*
    }
}

/// The handlers whose parameters a path is built of: GET's, which are the ones a URL is built for.
/// One that cannot be configured away comes first; where there is none, all that answer the method.
fn typing_handlers(spec: &RouteSpec) -> Vec<&HandlerSpec> {
    let is_get = |it: &&HandlerSpec| it.method == Method::Get;
    let is_certain = |it: &&HandlerSpec| !is_conditional(&it.handler.attributes);
    let handlers = || spec.handlers.iter();
    let certain = handlers().filter(is_certain).find(is_get);
    if let Some(certain) = certain.or_else(|| handlers().find(is_certain)) {
        return vec![certain];
    }
    let first = handlers().find(is_get).or_else(|| handlers().next());
    let of_method = |it: &&HandlerSpec| first.is_some_and(|first| first.method == it.method);
    handlers().filter(of_method).collect()
}

fn path_items(
    spec: &RouteSpec,
    handler: &HandlerSpec,
    attributes: &[Attribute],
    vis: &Visibility,
) -> TokenStream {
    let mut arguments = Vec::new();
    let mut writes = Vec::new();
    for (index, param) in spec.pattern.params().enumerate() {
        let name: Ident = syn::parse_str(&argument_name(&param.name))
            .unwrap_or_else(|_| format_ident!("param{index}"));
        let ty = param_type(handler, index, param);
        if param.kind == ParamKind::Single {
            arguments.push(quote! { #name: impl ::route_runtime::PathArg<#ty> });
            writes.push(quote! { .single::<#ty>(#name) });
        } else {
            arguments.push(quote! { #name: impl ::route_runtime::PathArgs<#ty> });
            writes.push(quote! { .many::<#ty>(#name) });
        }
    }
    let segments = descriptor::segments(&spec.pattern);
    let built = quote! {
        ::route_runtime::__private::PathBuilder::new(#segments)#(#writes)*.finish()
    };
    // Only what answers GET is ever cached.
    let answers_get = spec.handlers.iter().any(|it| it.method == Method::Get);
    let revalidate = answers_get.then(|| {
        quote! {
            /// Throws away the cached response of the path of these parameters, once awaited.
            #(#attributes)*
            #vis fn revalidate(#(#arguments),*) -> ::route_runtime::Revalidation {
                ::route_runtime::__private::revalidate_route(#built)
            }
        }
    });
    quote! {
        /// The path of these parameters, percent-encoded.
        #(#attributes)*
        #[must_use]
        #vis fn path(#(#arguments),*) -> ::route_runtime::__private::String {
            #built
        }

        #revalidate
    }
}

/// The type of a parameter: that of the argument bound to it, if there is one.
fn param_type(handler: &HandlerSpec, index: usize, param: &Param) -> TokenStream {
    match handler.bound_to(index) {
        Some(argument) => argument.ty.to_token_stream(),
        None => default_type(param),
    }
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

/// A path into the runtime, at the place that an error is to underline.
fn private(name: &str, at: Span) -> TokenStream {
    let name = Ident::new(name, at);
    quote_spanned! {at=> ::route_runtime::__private::#name }
}

/// The variant of one of the runtime's enums, which is called as ours.
fn variant(of: &str, value: impl std::fmt::Debug) -> TokenStream {
    let of = format_ident!("{of}");
    let value = format_ident!("{}", format!("{value:?}"));
    quote! { ::route_runtime::__private::#of::#value }
}

/// Hygienic for locals, and on the user's own line.
fn mixed(tokens: &impl ToTokens) -> Span {
    let span = syn::spanned::Spanned::span(tokens);
    Span::mixed_site().located_at(span)
}

#[cfg(test)]
mod tests;
