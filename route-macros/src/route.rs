//! `#[route]`: parse, check, expand.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens as _, quote};
use syn::parse_quote;

use crate::declaration::Declaration;
use crate::errors::{Errors, Problem};
use crate::expand;
use crate::method::Method;
use crate::options::{self, Options};
use crate::signature::{self, Handler};
use crate::spec::{self, Kind, RouteSpec};
use crate::syntax::RouteArgs;

pub(crate) fn route(args: TokenStream, item: TokenStream) -> TokenStream {
    declare(Kind::Route, args, item)
}

/// What `#[route]` and `#[page]` share: all but which methods may be named.
pub(crate) fn declare(kind: Kind, args: TokenStream, item: TokenStream) -> TokenStream {
    match check(kind, args, item.clone()) {
        Ok((spec, Declaration::Function(function))) => {
            let generated = expand::function(&spec);
            let levels =
                Method::spelt(&function.sig.ident).then(|| quote! { #[allow(non_snake_case)] });
            quote! { #levels #item #generated }
        }
        Ok((spec, Declaration::Module(mut module))) => {
            let generated = expand::module(&spec);
            if let Some((_, items)) = &mut module.content {
                for item in items.iter_mut() {
                    if let syn::Item::Fn(function) = item
                        && Method::spelt(&function.sig.ident)
                    {
                        let levels = parse_quote! { #[allow(non_snake_case, unreachable_pub)] };
                        function.attrs.insert(0, levels);
                    }
                }
                items.push(syn::Item::Verbatim(generated));
            }
            module.into_token_stream()
        }
        Err(error) => {
            // The item survives every failure, so that nothing else is reported missing.
            let errors = error.into_compile_error();
            quote! { #item #errors }
        }
    }
}

fn check(
    kind: Kind,
    args: TokenStream,
    item: TokenStream,
) -> syn::Result<(RouteSpec, Declaration)> {
    let mut errors = Errors::default();
    let declaration = errors.absorb(Declaration::parse(item));
    let args = errors.absorb(syn::parse2::<RouteArgs>(args));
    let (written, literal, options) = match args {
        Some(args) => (args.method, Some(args.pattern), Some(args.options)),
        None => (None, None, None),
    };
    let pattern = literal
        .as_ref()
        .and_then(|literal| errors.absorb(spec::check_pattern(literal)));
    let options = options.map(|args| options::check(args, &mut errors));
    let speaks_of_get = options.as_ref().is_some_and(Options::speak_of_get);
    let handlers = declaration.as_ref().and_then(|declaration| {
        let written = written.as_ref();
        handlers(kind, declaration, written, speaks_of_get, &mut errors)
    });

    let spec = match (literal, pattern, options, handlers) {
        (Some(literal), Some(pattern), Some(options), Some(handlers)) => Some(RouteSpec::new(
            kind,
            literal,
            pattern,
            options,
            handlers,
            &mut errors,
        )),
        _ => None,
    };
    errors.finish(spec.zip(declaration))
}

/// Each handler with the method it answers.
fn handlers(
    kind: Kind,
    declaration: &Declaration,
    written: Option<&Ident>,
    speaks_of_get: bool,
    errors: &mut Errors,
) -> Option<Vec<(Method, Handler)>> {
    match (declaration, kind) {
        (Declaration::Function(function), Kind::Page) => {
            if let Some(written) = written {
                errors.push(
                    Problem::new(written, format_args!("a page answers GET, not `{written}`"))
                        .help("remove it, or write `#[route]`"),
                );
            }
            let handler = signature::check(function, errors)?;
            Some(vec![(Method::Get, handler)])
        }
        (Declaration::Function(function), Kind::Route) => {
            let method = match written {
                Some(written) => errors.absorb(Method::written(written)),
                None => Some(method_by_name(&function.sig.ident, speaks_of_get)),
            };
            let handler = signature::check(function, errors);
            Some(vec![method.zip(handler)?])
        }
        (Declaration::Module(module), Kind::Page) => {
            errors.push(
                Problem::new(&module.ident, "a page is one function")
                    .help("write `#[route]`, or put the attribute on an `async fn`"),
            );
            None
        }
        (Declaration::Module(module), Kind::Route) => {
            if let Some(written) = written {
                errors.push(
                    Problem::new(
                        written,
                        format_args!("method `{written}` before the pattern of a module"),
                    )
                    .help("remove it: the functions of the module are named by their methods"),
                );
            }
            Declaration::module_handlers(module, errors)
        }
    }
}

/// A function is named by its method in any case, but a `post` may also be an article: where an
/// option speaks of GET, a lower-case name is only a name.
fn method_by_name(function: &Ident, speaks_of_get: bool) -> Method {
    match Method::named(function) {
        Some(method) if function == method.name() || !speaks_of_get => method,
        _ => Method::Get,
    }
}
