//! What an attribute stands on: one function, or a module of functions named by their methods.

use proc_macro2::TokenStream;
use syn::{Item, ItemFn, ItemMod, Visibility};

use crate::errors::{Errors, Problem, list};
use crate::method::Method;
use crate::signature::{self, Handler};

pub(crate) enum Declaration {
    Function(Box<ItemFn>),
    Module(ItemMod),
}

impl Declaration {
    pub(crate) fn parse(item: TokenStream) -> Result<Self, Problem> {
        let function = "`async fn` or an inline `mod` of them";
        match syn::parse2::<Item>(item.clone()) {
            Ok(Item::Fn(item)) => Ok(Self::Function(Box::new(item))),
            Ok(Item::Mod(item)) => Ok(Self::Module(item)),
            Ok(_) => Err(Problem::new(item, "no function")
                .help(format_args!("the attribute stands on an {function}"))),
            Err(error) => Err(Problem::at(
                error.span(),
                format_args!("this is neither an {function}: {error}"),
            )),
        }
    }

    /// The module's handlers, each with the method it is named by.
    pub(crate) fn module_handlers(
        module: &ItemMod,
        errors: &mut Errors,
    ) -> Option<Vec<(Method, Handler)>> {
        let name = &module.ident;
        let Some((_, items)) = &module.content else {
            errors.push(
                Problem::new(module, format_args!("module `{name}` is in another file"))
                    .help(format_args!("write it inline: `mod {name} {{ … }}`"))
                    .note("the attribute sees only what stands between the braces"),
            );
            return None;
        };

        let mut handlers: Vec<(Method, Handler)> = Vec::new();
        let mut is_whole = true;
        for item in items {
            let Item::Fn(function) = item else { continue };
            match handler(function, &handlers, errors) {
                Ok(None) => {}
                Ok(Some(handler)) => handlers.push(handler),
                Err(()) => is_whole = false,
            }
        }
        if is_whole && handlers.is_empty() {
            errors.push(
                Problem::new(name, format_args!("module `{name}` answers no method"))
                    .help("add a handler, as in `pub async fn GET() -> impl Responder`")
                    .note(format_args!("handlers are named {}", list(Method::ALL))),
            );
            return None;
        }
        is_whole.then_some(handlers)
    }
}

/// A helper is `Ok(None)`, a handler that cannot be one `Err`.
fn handler(
    function: &ItemFn,
    before: &[(Method, Handler)],
    errors: &mut Errors,
) -> Result<Option<(Method, Handler)>, ()> {
    let name = &function.sig.ident;
    let is_private = matches!(function.vis, Visibility::Inherited);
    let Some(method) = Method::named(name) else {
        if is_private || function.sig.asyncness.is_none() {
            return Ok(None);
        }
        let nearest = crate::errors::nearest(
            &name.to_string().to_ascii_uppercase(),
            Method::ALL.map(Method::name),
        );
        let problem = Problem::new(name, format_args!("`{name}` is no method"));
        errors.push(
            match nearest {
                Some(nearest) => problem.help(format_args!("did you mean `{nearest}`?")),
                None => problem.help("remove `pub` if it is a helper of this module"),
            }
            .note(format_args!("handlers are named {}", list(Method::ALL))),
        );
        return Err(());
    };
    if is_private {
        // A helper called `get` is plausible; one called `GET` is a forgotten `pub`.
        if name != method.name() {
            return Ok(None);
        }
        errors.push(
            Problem::new(name, format_args!("handler `{name}` is private"))
                .help(format_args!("`pub async fn {name}`")),
        );
        return Err(());
    }
    if let Some((_, first)) = before.iter().find(|(other, _)| *other == method) {
        errors.push(
            Problem::new(name, format_args!("`{method}` is answered twice"))
                .help("remove one of the two")
                .and(
                    &first.ident,
                    format_args!("`{method}` is first answered here"),
                ),
        );
        return Err(());
    }
    let handler = signature::check(function, errors).ok_or(())?;
    Ok(Some((method, handler)))
}
