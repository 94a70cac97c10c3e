//! The item that an attribute stands on: one function, or a module whose functions are named after
//! their methods.

use proc_macro2::{Ident, TokenStream};
use syn::{Item, ItemFn, ItemMod, Visibility};

use crate::errors::{Errors, Problem, list, nearest};
use crate::method::Method;
use crate::signature::{self, Handler};
use crate::spec::Kind;

pub(crate) enum Declaration {
    Function(Box<ItemFn>),
    Module(ItemMod),
}

/// A method that the declaration answers, and its handler, which is `None` if its signature has an
/// error.
pub(crate) type Endpoint = (Method, Option<Handler>);

impl Declaration {
    pub(crate) fn parse(item: TokenStream) -> Result<Self, Problem> {
        const HELP: &str = "the attribute stands on an `async fn`, or on an inline `mod` of them";
        match syn::parse2::<Item>(item.clone()) {
            Ok(Item::Fn(item)) => Ok(Self::Function(Box::new(item))),
            Ok(Item::Mod(item)) => Ok(Self::Module(item)),
            Ok(_) => Err(Problem::new(item, "neither a function nor a module").help(HELP)),
            Err(error) => Err(Problem::at(
                error.span(),
                format_args!("neither a function nor a module: {error}"),
            )
            .help(HELP)),
        }
    }

    /// Returns each method that the declaration answers, with its handler. Returns `None` if an
    /// error leaves the methods unknown.
    pub(crate) fn endpoints(
        &self,
        kind: Kind,
        written_method: Option<&Ident>,
        has_get_options: bool,
        errors: &mut Errors,
    ) -> Option<Vec<Endpoint>> {
        match (self, kind) {
            (Self::Function(function), Kind::Page) => {
                if let Some(written) = written_method {
                    errors.push(
                        Problem::new(written, format_args!("method `{written}` on a page"))
                            .help("remove it, or write `#[route]`: a page answers GET"),
                    );
                }
                Some(vec![(Method::Get, signature::check(function, errors))])
            }
            (Self::Function(function), Kind::Route) => {
                let method = match written_method {
                    Some(written) => errors.absorb(Method::written(written)),
                    None => Some(method_by_name(&function.sig.ident, has_get_options)),
                };
                let handler = signature::check(function, errors);
                Some(vec![(method?, handler)])
            }
            (Self::Module(module), Kind::Page) => {
                errors.push(
                    Problem::new(&module.ident, "a page is one function")
                        .help("write `#[route]`, or put the attribute on an `async fn`"),
                );
                None
            }
            (Self::Module(module), Kind::Route) => {
                if let Some(written) = written_method {
                    errors.push(
                        Problem::new(written, format_args!("method `{written}` on a module")).help(
                            "remove it: the functions of the module are named by their methods",
                        ),
                    );
                }
                module_endpoints(module, errors)
            }
        }
    }
}

/// Returns the method that a route function is named after, or GET if it is named after none.
///
/// The name may be in any case. But a function `post` may also be about an article: beside an
/// option that only GET can have, only an upper-case name selects a method.
fn method_by_name(function: &Ident, has_get_options: bool) -> Method {
    match Method::named(function) {
        Some(method) if function == method.name() || !has_get_options => method,
        _ => Method::Get,
    }
}

fn module_endpoints(module: &ItemMod, errors: &mut Errors) -> Option<Vec<Endpoint>> {
    let name = &module.ident;
    let Some((_, items)) = &module.content else {
        errors.push(
            Problem::new(module, format_args!("module `{name}` is in another file"))
                .help(format_args!("write it inline: `mod {name} {{ … }}`"))
                .note("the attribute sees only what stands between the braces"),
        );
        return None;
    };

    let mut endpoints: Vec<Endpoint> = Vec::new();
    let mut methods: Vec<(Method, &ItemFn)> = Vec::new();
    let mut is_whole = true;
    for item in items {
        let Item::Fn(function) = item else { continue };
        let name = &function.sig.ident;
        let Some(method) = errors.absorb(method_in_module(function)) else {
            is_whole = false;
            continue;
        };
        let Some(method) = method else { continue };
        // Functions under `#[cfg]` may be alternatives for one method. If two of them are left, the
        // compiler reports that.
        let is_same = |&(other, first): &(Method, &ItemFn)| {
            other == method
                && !signature::is_conditional(&first.attrs)
                && !signature::is_conditional(&function.attrs)
        };
        if let Some((_, first)) = methods.iter().copied().find(is_same) {
            is_whole = false;
            errors.push(
                Problem::new(name, format_args!("`{method}` is answered twice"))
                    .help("remove one of the two")
                    .and(
                        &first.sig.ident,
                        format_args!("`{method}` is first answered here"),
                    ),
            );
            continue;
        }
        methods.push((method, function));
        endpoints.push((method, signature::check(function, errors)));
    }
    if is_whole && endpoints.is_empty() {
        errors.push(
            Problem::new(name, format_args!("module `{name}` answers no method"))
                .help("add a handler, as in `pub async fn GET() -> impl Responder`")
                .note(format_args!("handlers are named {}", list(Method::ALL))),
        );
        return None;
    }
    is_whole.then_some(endpoints)
}

/// Returns the method that a function of a module is named after, or `None` for a helper.
fn method_in_module(function: &ItemFn) -> Result<Option<Method>, Problem> {
    let name = &function.sig.ident;
    let is_private = matches!(function.vis, Visibility::Inherited);
    match Method::named(name) {
        Some(method) if !is_private => Ok(Some(method)),
        // A private `get` is plausibly a helper, but a private `GET` lacks its `pub`.
        Some(method) if name == method.name() => Err(Problem::new(
            name,
            format_args!("handler `{name}` is private"),
        )
        .help(format_args!("`pub async fn {name}`"))),
        Some(_) => Ok(None),
        None if is_private || function.sig.asyncness.is_none() => Ok(None),
        None => {
            let problem = Problem::new(name, format_args!("`{name}` is not a method"));
            let found = name.to_string().to_ascii_uppercase();
            Err(match nearest(&found, Method::ALL.map(Method::name)) {
                Some(nearest) => problem.help(format_args!("did you mean `{nearest}`?")),
                None => problem.help("remove `pub` if it is a helper of this module"),
            }
            .note(format_args!("handlers are named {}", list(Method::ALL))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beside_get_options_only_an_upper_case_name_selects_a_method() {
        let check = |name: &str, plain: Method, beside_get_options: Method| {
            let name = syn::parse_str(name).unwrap();
            assert_eq!(method_by_name(&name, false), plain, "{name}");
            assert_eq!(method_by_name(&name, true), beside_get_options, "{name}");
        };
        check("POST", Method::Post, Method::Post);
        check("post", Method::Post, Method::Get);
        check("Delete", Method::Delete, Method::Get);
        check("get", Method::Get, Method::Get);
        check("r#patch", Method::Patch, Method::Get);
        check("posts", Method::Get, Method::Get);
        check("create_post", Method::Get, Method::Get);
    }
}
