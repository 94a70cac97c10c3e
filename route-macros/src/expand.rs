//! The expansion of a checked declaration into code. It cannot fail. The code it prints holds no
//! logic: it calls the runtime by absolute paths, mostly into its `__private` module, and it names
//! nothing from the user's scope except what the user wrote.

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

/// Returns the user's item with the generated code, which stands after a function or inside a
/// module.
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

/// Allows the capitals of a function that is named after a method, such as `GET`, because we ask
/// for such names.
///
/// No other function gets an `#[allow]`: the user may have forbidden the lint, and then an
/// `#[allow]` is an error.
fn allow_name(function: &mut ItemFn) {
    let name = &function.sig.ident;
    let is_upper = name.to_string().contains(char::is_uppercase);
    if is_upper && Method::named(name).is_some() {
        function.attrs.push(parse_quote!(#[allow(non_snake_case)]));
    }
}

/// Allows the name of a handler in a module, and its `pub`, which we ask for whatever the case of
/// the name.
fn allow_method(function: &mut ItemFn) {
    allow_name(function);
    let is_public = matches!(function.vis, Visibility::Public(_));
    if is_public && Method::named(&function.sig.ident).is_some() {
        function.attrs.push(parse_quote!(#[allow(unreachable_pub)]));
    }
}

/// Generates the code of one handler: its claims, its handle with `items`, and the submission of
/// its descriptor.
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
            // In brackets it is a type and nothing else: if a module has taken the name, this is
            // the same error as that of the `impl`, and the compiler reports it once.
            ::route_runtime::__private::submit! { <#name>::ROUTE }
        };
    }
}

/// Generates the claims of a handler: one exported macro for each method and path.
///
/// A second macro of the same name is an error from the compiler itself, under `cargo check` and in
/// the editor, and it underlines both patterns. A page claims every method, so that no route can
/// answer another method of its path. Two pages of one path are therefore reported once per method.
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
            // The only lint that applies to generated code as well. It fires if the route is
            // declared inside a function.
            #[allow(non_local_definitions)]
            #[macro_export]
            #claim
        }
    });
    quote! { #(#claims)* }
}

/// Generates the handle: a type with the function's name. Types and functions have separate
/// namespaces.
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
            /// The declaration, for `Routes::from_iter`.
            #vis const ROUTE: ::route_runtime::RouteDescriptor = #descriptor;
            #items
        }
    }
}

/// Generates a type with the function's name, hidden from the documentation if the function is.
///
/// The type's name has the span of generated code, which lints ignore. An `#[allow]` instead would
/// be an error under a `#![forbid]`. The span is located at the function's name, so that an error
/// points there if another type has that name.
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

/// Generates the items that belong to the path and not to a method: `PATTERN`, `path` and
/// `revalidate`.
fn segment_items(spec: &RouteSpec, vis: &Visibility) -> TokenStream {
    let source = &spec.source;
    let handlers = typing_handlers(spec);
    let paths = handlers.iter().map(|handler| {
        // Several handlers are alternatives by `#[cfg]`. The items of each repeat its attributes,
        // so that only those of the remaining handler are left.
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

/// Returns the handlers whose arguments give the parameters of a path their types.
///
/// This is one handler that cannot be configured away: GET's if possible, because URLs are built
/// for GET. If every handler can be configured away, these are all alternatives of one method: GET
/// if it is answered, or else the first.
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
    // Only responses to GET are ever cached.
    let answers_get = spec.handlers.iter().any(|it| it.method == Method::Get);
    let revalidate = answers_get.then(|| {
        quote! {
            /// Invalidates the cached response of the path of these parameters, once awaited.
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

/// Returns the type of a parameter: that of the argument bound to it, or else the default.
fn param_type(handler: &HandlerSpec, index: usize, param: &Param) -> TokenStream {
    match handler.bound_to(index) {
        Some(argument) => argument.ty.to_token_stream(),
        None => default_type(param),
    }
}

/// Returns the type of a parameter that no argument is bound to: an extractor reads it.
fn default_type(param: &Param) -> TokenStream {
    let string = quote! { ::route_runtime::__private::String };
    match param.kind {
        ParamKind::Single => string,
        ParamKind::CatchAll | ParamKind::OptionalCatchAll => {
            quote! { ::route_runtime::__private::Vec<#string> }
        }
    }
}

#[cfg(test)]
mod tests;
