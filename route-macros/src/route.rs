//! The attribute `#[route]`: parse, check, expand.

use proc_macro2::{Ident, TokenStream};

use crate::declaration::Declaration;
use crate::errors::{self, Errors, Problem};
use crate::expand;
use crate::literal;
use crate::options;
use crate::spec::{self, Kind, RouteSpec};
use crate::syntax::{self, RouteArgs};
use crate::text::text;

pub(crate) fn route(args: TokenStream, item: TokenStream) -> TokenStream {
    declare(Kind::Route, args, item)
}

/// Parses, checks and expands `#[route]` or `#[page]`. The two share every stage, and differ in the
/// methods that may be named and in those that are claimed.
pub(crate) fn declare(kind: Kind, args: TokenStream, item: TokenStream) -> TokenStream {
    let expanded = check(kind, args, item.clone())
        .map(|(spec, declaration)| expand::declaration(&spec, declaration));
    errors::or_item(expanded, item)
}

/// Checks each part, even if another part has errors. A check that needs two parts runs only if
/// both are available.
fn check(
    kind: Kind,
    args: TokenStream,
    item: TokenStream,
) -> syn::Result<(RouteSpec, Declaration)> {
    let mut errors = Errors::default();
    let args = syntax::parse(args, &mut errors);
    let declaration = errors.absorb(Declaration::parse(item));
    let written_method = declaration
        .as_ref()
        .and_then(|declaration| written_method(kind, &args, declaration, &mut errors));
    let pattern = args
        .pattern
        .and_then(|literal| Some((errors.absorb(literal::check(&literal))?, literal)));
    let options = options::check(args.options, args.is_whole, &mut errors);
    let endpoints = declaration.as_ref().and_then(|declaration| {
        let has_get_options = options.has_get_options();
        declaration.endpoints(kind, written_method.as_ref(), has_get_options, &mut errors)
    });

    let methods: Option<Vec<_>> = endpoints
        .as_ref()
        .map(|endpoints| endpoints.iter().map(|&(method, _)| method).collect());
    let parsed = pattern
        .as_ref()
        .map(|(pattern, literal)| (literal, pattern));
    spec::check_options(&options, methods.as_deref(), parsed, &mut errors);
    let handlers: Option<Vec<_>> = endpoints.and_then(|endpoints| {
        let handlers = endpoints.into_iter();
        handlers
            .map(|(method, handler)| Some((method, handler?)))
            .collect()
    });
    let spec = pattern.zip(handlers).map(|((pattern, literal), handlers)| {
        RouteSpec::new(kind, literal, pattern, options, handlers, &mut errors)
    });
    errors.finish(spec.zip(declaration))
}

/// Returns the method that the attribute names, which belongs before the pattern.
///
/// A function of a route that names it after the pattern gets an error that moves it. A page or a
/// module may name no method at all, so this returns the method wherever it stands, and
/// [`Declaration::endpoints`] reports it.
fn written_method(
    kind: Kind,
    args: &RouteArgs,
    declaration: &Declaration,
    errors: &mut Errors,
) -> Option<Ident> {
    let Some(late) = &args.late_method else {
        return args.method.clone();
    };
    if kind == Kind::Page || matches!(declaration, Declaration::Module(_)) {
        return Some(args.method.as_ref().unwrap_or(late).clone());
    }
    let problem = Problem::new(late, format_args!("method `{late}` after the pattern"));
    let method = Ident::new(&late.to_string().to_ascii_uppercase(), late.span());
    errors.push(match (&args.method, &args.pattern) {
        (Some(_), _) => problem.help("remove it: a module of functions answers several"),
        (None, Some(pattern)) => problem.help(format_args!(
            "write it first: `{method}, {}`",
            text(pattern)
        )),
        (None, None) => problem.help("write it first"),
    });
    Some(args.method.clone().unwrap_or(method))
}
