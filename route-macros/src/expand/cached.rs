//! The expansion of a cached function: a function that goes through the cache, the user's function
//! nested inside it under another name, and a handle.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::{FnArg, ItemFn, Pat, Signature, parse_quote};

use super::handle_type;
use crate::options::{Tag, TagPart, print};
use crate::runtime::{mixed, private};
use crate::signature::NamedArgument;
use crate::spec::CachedSpec;
use crate::version::version;

pub(crate) fn cached(spec: &CachedSpec, mut function: ItemFn) -> TokenStream {
    let handle = handle(spec, &function);
    let body = body(spec, &function);
    function.block = parse_quote!(#body);
    for input in &mut function.sig.inputs {
        // Only the nested function changes an argument.
        if let FnArg::Typed(typed) = input
            && let Pat::Ident(pat) = &mut *typed.pat
        {
            pat.mutability = None;
        }
    }
    quote! { #function #handle }
}

/// Returns the user's function under another name. Its own name calls it through the cache, even
/// when the function calls itself.
fn written(function: &ItemFn) -> ItemFn {
    let name = &function.sig.ident;
    let mut sig = function.sig.clone();
    sig.ident = format_ident!("__{}", name.unraw(), span = mixed(name));
    ItemFn {
        attrs: Vec::new(),
        vis: syn::Visibility::Inherited,
        sig,
        block: function.block.clone(),
        ..function.clone()
    }
}

/// Generates the body of the function that goes through the cache.
///
/// Beside the arguments it declares only a local, which is hygienic. An item would hide an argument
/// of the same name.
fn body(spec: &CachedSpec, function: &ItemFn) -> TokenStream {
    let written = written(function);
    let caller = caller(spec, &function.sig, &written.sig.ident);
    let call = Ident::new("call", Span::mixed_site());
    let names = spec.function.arguments.iter().map(|it| &it.name);
    quote! {{
        let #call = {
            #written
            // The user's function does not see the names in this block.
            {
                #caller
                call
            }
        };
        #call(#(#names),*).await
    }}
}

/// Generates the function that makes the call through the cache.
///
/// It is not async. Inside an async function the compiler could not tell whether the futures of
/// functions that call each other are `Send`.
fn caller(spec: &CachedSpec, sig: &Signature, written: &Ident) -> TokenStream {
    let name = &sig.ident;
    let output = &spec.function.output;
    let arguments = &spec.function.arguments;
    let parameters = arguments
        .iter()
        .map(|NamedArgument { name, ty }| quote! { #name: #ty });
    let steps = arguments
        .iter()
        .map(|argument| match spec.options.skips(&argument.name) {
            true => skipped(argument),
            false => keyed(argument),
        });
    let tags = spec.options.tags.iter().flat_map(|given| &given.value);
    let tags = tags.map(|tag| tagged(spec, tag));
    let at = mixed(output);
    let returned = private("Returned", at);
    let shape = quote_spanned! {at=> #returned::<#output>::SHAPE };
    // Located at the function's name, so that an error about the future is underlined there.
    let at = mixed(name);
    let shared = shared(spec, written, at);
    let names = arguments.iter().map(|it| &it.name);
    let own = quote_spanned! {at=> move || #written(#(#names),*) };
    let method = Ident::new("run", at);
    let order = spec.keys().next().map(|_| use_order());
    quote! {
        fn call(#(#parameters),*) -> ::route_runtime::__private::BoxFuture<'static, #output> {
            use ::route_runtime::__private::ReturnsValue as _;
            #order
            ::route_runtime::__private::CachedCall::of(#name::FUNCTION)
                #(#steps)*
                #(#tags)*
                .#method(#shape, #shared, #own)
        }
    }
}

/// Generates the closure that calls the user's function with the arguments that are read back from
/// the key, and with clones of the arguments that are not part of the key.
fn shared(spec: &CachedSpec, written: &Ident, at: Span) -> TokenStream {
    let key = Ident::new("key", Span::mixed_site());
    let arguments = &spec.function.arguments;
    let is_skipped = |argument: &&NamedArgument| spec.options.skips(&argument.name);
    let clone = |NamedArgument { name, ty }: &NamedArgument| {
        quote_spanned! {mixed(ty)=> <#ty as ::core::clone::Clone>::clone(&#name) }
    };
    let kept = arguments.iter().filter(is_skipped).map(|argument| {
        let (name, clone) = (&argument.name, clone(argument));
        quote! { let #name = #clone; }
    });
    let values = arguments.iter().map(|argument| {
        if is_skipped(&argument) {
            return clone(argument);
        }
        let ty = &argument.ty;
        let at = mixed(ty);
        let read = Ident::new("read", at);
        quote_spanned! {at=> #key.#read::<#ty>()? }
    });
    quote_spanned! {at=>
        {
            #(#kept)*
            move |#key| ::core::option::Option::Some(#written(#(#values),*))
        }
    }
}

/// Generates the step for an argument that is not part of the key. It is located at the type, so
/// that an error about the type is underlined there.
fn skipped(argument: &NamedArgument) -> TokenStream {
    let NamedArgument { name, ty } = argument;
    let at = mixed(ty);
    let method = Ident::new("skipped", at);
    quote_spanned! {at=> .#method::<#ty>(&#name) }
}

/// Generates the step for an argument that is part of the key, located at the type as well.
fn keyed(argument: &NamedArgument) -> TokenStream {
    let NamedArgument { name, ty } = argument;
    let at = mixed(ty);
    let method = Ident::new("argument", at);
    let order = private("OrderIn", at);
    let text = name.unraw().to_string();
    quote_spanned! {at=> .#method::<#ty, _>(#text, &#name, #order::<#ty>::ORDER) }
}

/// Generates the import of the trait that gives most types their `OrderIn::<_>::ORDER`.
fn use_order() -> TokenStream {
    quote! { use ::route_runtime::__private::Ordered as _; }
}

fn tagged(spec: &CachedSpec, tag: &Tag) -> TokenStream {
    let at = tag.source.span();
    let mut format = String::new();
    let mut arguments = Vec::new();
    for part in &tag.parts {
        match part {
            TagPart::Literal(text) => format.push_str(text),
            TagPart::Param(name) => {
                format.push_str("{}");
                arguments.extend(spec.argument(name).map(|argument| {
                    let mut name = argument.name.clone();
                    name.set_span(name.span().located_at(at));
                    name
                }));
            }
        }
    }
    if arguments.is_empty() {
        return quote! { .tagged(#format) };
    }
    let at = Span::mixed_site().located_at(at);
    quote_spanned! {at=>
        .tagged(::route_runtime::__private::format!(#format, #(#arguments),*))
    }
}

/// Generates the handle: a type with the function's name. Types and functions have separate
/// namespaces.
fn handle(spec: &CachedSpec, function: &ItemFn) -> TokenStream {
    let name = &function.sig.ident;
    let vis = &function.vis;
    let attributes = &spec.function.attributes;
    let function = description(spec, function);
    let keys: Vec<_> = spec.keys().collect();
    let names = keys.iter().map(|argument| &argument.name);
    let types = keys.iter().map(|argument| &argument.ty);
    let arguments = keys.iter().map(|argument| keyed(argument));
    let order = keys.first().map(|_| use_order());
    let ty = handle_type(name, vis, &spec.function.hidden);
    quote! {
        #(#attributes)*
        /// The handle of the function of this name, whose values are cached.
        #ty

        #(#attributes)*
        impl #name {
            const FUNCTION: &'static ::route_runtime::__private::Function = &#function;

            /// Invalidates the value for these arguments, once awaited.
            #vis fn revalidate(#(#names: #types),*) -> ::route_runtime::Revalidation {
                #order
                ::route_runtime::__private::CachedCall::of(Self::FUNCTION)
                    #(#arguments)*
                    .revalidate()
            }
        }
    }
}

fn description(spec: &CachedSpec, function: &ItemFn) -> TokenStream {
    let name = function.sig.ident.unraw().to_string();
    let version = match &spec.options.version {
        Some(given) => given.value.to_string(),
        None => {
            let (sig, block) = (&function.sig, &function.block);
            version(quote! { #sig #block })
        }
    };
    let revalidate = match &spec.options.revalidate {
        Some(given) => print::some(print::lifetime(given.value)),
        None => quote! { ::core::option::Option::None },
    };
    let store = spec.options.store.as_ref().is_none_or(|it| it.value);
    quote! {
        ::route_runtime::__private::Function {
            name: ::core::concat!(::core::module_path!(), "::", #name),
            version: #version,
            revalidate: #revalidate,
            store: #store,
        }
    }
}
