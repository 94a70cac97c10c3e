//! What a handler function may look like.

use proc_macro2::TokenStream;
use quote::ToTokens as _;
use syn::visit::Visit;
use syn::{
    Attribute, FnArg, Ident, ItemFn, Meta, Pat, ReturnType, Type, TypeImplTrait, Visibility,
};

use crate::errors::{Errors, Problem};

/// A function that can be called with arguments of known types, and awaited.
pub(crate) struct Handler {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) output: Option<Type>,
    /// `cfg` and lint attributes, which everything generated for the function shares.
    pub(crate) attributes: Vec<Attribute>,
}

/// One argument; a name that is destructured away is `None`.
pub(crate) struct Argument {
    pub(crate) name: Option<Ident>,
    pub(crate) ty: Type,
    /// As the user wrote it: `req: HttpRequest`.
    pub(crate) source: String,
}

pub(crate) fn check(function: &ItemFn, errors: &mut Errors) -> Option<Handler> {
    let sig = &function.sig;
    let mut problems = Vec::new();

    if sig.asyncness.is_none() {
        let name = &sig.ident;
        problems.push(
            Problem::new(sig.fn_token, format_args!("handler `{name}` is not async"))
                .help(format_args!("`async fn {name}`")),
        );
    }
    if !sig.generics.params.is_empty() {
        problems.push(
            Problem::new(&sig.generics, "a handler cannot be generic")
                .help("write the concrete types: a route is one function"),
        );
    } else if let Some(clause) = &sig.generics.where_clause {
        problems.push(Problem::new(
            clause,
            "a handler cannot have a `where` clause",
        ));
    }
    if let Some(token) = &sig.constness {
        problems.push(Problem::new(token, "a handler cannot be const"));
    }
    // `safe fn` can only stand in an extern block, which is no item of ours.
    if !matches!(sig.safety, syn::Safety::Default) {
        problems.push(
            Problem::new(&sig.safety, "a handler cannot be unsafe")
                .help("keep the unsafe block inside"),
        );
    }
    if let Some(abi) = &sig.abi {
        problems.push(Problem::new(abi, "a handler cannot be extern"));
    }
    if let Some(variadic) = &sig.variadic {
        problems.push(Problem::new(variadic, "a handler cannot be variadic"));
    }

    let mut arguments = Vec::new();
    for input in &sig.inputs {
        match argument(input) {
            Ok(argument) => arguments.push(argument),
            Err(problem) => problems.push(problem),
        }
    }

    if !problems.is_empty() {
        problems
            .into_iter()
            .for_each(|problem| errors.push(problem));
        return None;
    }
    Some(Handler {
        ident: sig.ident.clone(),
        vis: function.vis.clone(),
        arguments,
        output: match &sig.output {
            ReturnType::Default => None,
            ReturnType::Type(_, ty) => Some((**ty).clone()),
        },
        attributes: forwarded(&function.attrs),
    })
}

fn argument(input: &FnArg) -> Result<Argument, Problem> {
    let typed = match input {
        FnArg::Receiver(receiver) => {
            return Err(Problem::new(receiver, "a handler cannot take `self`")
                .help("shared state is an argument: `state: web::Data<State>`"));
        }
        FnArg::Typed(typed) => typed,
    };
    let mut finder = ImplTrait(None);
    finder.visit_type(&typed.ty);
    if let Some(found) = finder.0 {
        return Err(
            Problem::new(found, "an argument of a handler cannot be `impl Trait`")
                .help("write the concrete type: it is what the request is turned into"),
        );
    }
    Ok(Argument {
        name: match &*typed.pat {
            Pat::Ident(pat) => Some(pat.ident.clone()),
            _ => None,
        },
        ty: (*typed.ty).clone(),
        source: format!("{}: {}", source(&typed.pat), source(&typed.ty)),
    })
}

/// Finds `impl Trait` anywhere in a type.
struct ImplTrait(Option<TokenStream>);

impl<'ast> Visit<'ast> for ImplTrait {
    fn visit_type_impl_trait(&mut self, found: &'ast TypeImplTrait) {
        self.0.get_or_insert(found.to_token_stream());
    }
}

/// The tokens, without the spaces that the compiler prints between them.
///
/// It has the user's own text for a single token only.
fn source(node: &(impl quote::ToTokens + ?Sized)) -> String {
    let mut text = node.to_token_stream().to_string();
    for (loose, tight) in [
        (" ::", "::"),
        (":: ", "::"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        ("& ", "&"),
        (" ,", ","),
    ] {
        text = text.replace(loose, tight);
    }
    text
}

/// `cfg` and lint levels, also where a `cfg_attr` holds nothing else.
fn forwarded(attributes: &[Attribute]) -> Vec<Attribute> {
    fn is_forwarded(meta: &Meta) -> bool {
        let path = meta.path();
        if path.is_ident("cfg_attr") {
            return conditional(meta).is_some_and(|inner| inner.iter().all(is_forwarded));
        }
        ["cfg", "allow", "expect", "warn", "deny", "forbid"]
            .iter()
            .any(|name| path.is_ident(name))
    }
    fn conditional(meta: &Meta) -> Option<Vec<Meta>> {
        let parser = syn::punctuated::Punctuated::<Meta, syn::Token![,]>::parse_terminated;
        let all = meta.require_list().ok()?.parse_args_with(parser).ok()?;
        Some(all.into_iter().skip(1).collect())
    }
    attributes
        .iter()
        .filter(|attribute| is_forwarded(&attribute.meta))
        .cloned()
        .collect()
}
