//! What a handler function may look like.

use quote::quote;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{
    Attribute, FnArg, Ident, ItemFn, Lifetime, Meta, Pat, ReturnType, Token, Type, TypeImplTrait,
    TypeReference, Visibility,
};

use crate::errors::{Errors, Problem};
use crate::text::text;

mod cached;

pub(crate) use cached::{CachedFn, NamedArgument, check as check_cached};

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

/// What a function is to be, in words.
struct Role {
    /// `handler`
    noun: &'static str,
    /// Why its types are known: `a route is one function`.
    why_concrete: &'static str,
    /// What to write for each argument.
    argument: &'static str,
}

const HANDLER: Role = Role {
    noun: "handler",
    why_concrete: "a route is one function",
    argument: "extractor",
};

pub(crate) fn check(function: &ItemFn, errors: &mut Errors) -> Option<Handler> {
    let sig = &function.sig;
    let mut problems = HANDLER.problems(function);
    problems.extend(cached_route(function, &["cached"]));

    let mut arguments = Vec::new();
    for input in &sig.inputs {
        match argument(input) {
            Ok(argument) => arguments.push(argument),
            Err(problem) => problems.push(problem),
        }
    }

    let is_handler = problems.is_empty();
    problems.into_iter().for_each(|it| errors.push(it));
    is_handler.then(|| Handler {
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

impl Role {
    /// What keeps a function from being called and awaited, whatever its arguments are.
    fn problems(&self, function: &ItemFn) -> Vec<Problem> {
        let sig = &function.sig;
        let noun = self.noun;
        let mut problems = Vec::new();
        if sig.asyncness.is_none() {
            let name = &sig.ident;
            problems.push(
                Problem::new(sig.fn_token, format_args!("{noun} `{name}` is not async"))
                    .help(format_args!("`async fn {name}`")),
            );
        }
        if !sig.generics.params.is_empty() {
            problems.push(
                Problem::new(&sig.generics, format_args!("a {noun} cannot be generic")).help(
                    format_args!("write the concrete types: {}", self.why_concrete),
                ),
            );
        } else if let Some(clause) = &sig.generics.where_clause {
            problems.push(
                Problem::new(
                    clause,
                    format_args!("a {noun} cannot have a `where` clause"),
                )
                .help(format_args!(
                    "remove it: the types of a {noun} are concrete"
                )),
            );
        }
        if let Some(token) = &sig.constness {
            problems.push(
                Problem::new(token, format_args!("a {noun} cannot be const"))
                    .help("remove `const`"),
            );
        }
        // `safe fn` can only stand in an extern block, which is no item of ours.
        if !matches!(sig.safety, syn::Safety::Default) {
            problems.push(
                Problem::new(&sig.safety, format_args!("a {noun} cannot be unsafe"))
                    .help("keep the unsafe block inside"),
            );
        }
        if let Some(abi) = &sig.abi {
            problems.push(
                Problem::new(abi, format_args!("a {noun} cannot be extern"))
                    .help(format_args!("remove `{}`", text(abi))),
            );
        }
        if let Some(variadic) = &sig.variadic {
            problems.push(
                Problem::new(variadic, format_args!("a {noun} cannot be variadic")).help(
                    format_args!("write one argument for each {}", self.argument),
                ),
            );
        }
        problems
    }
}

/// A route that is also `#[cached]`: whichever attribute is expanded first sees the other.
fn cached_route(function: &ItemFn, other: &[&str]) -> Option<Problem> {
    let attribute = attribute_of_ours(function, other)?;
    Some(
        Problem::new(attribute, "a route is cached by its own options")
            .help("remove `#[cached]`, and write `revalidate = …` into the attribute of the route")
            .note(
                "what routes have in common is fetched by a function of its own, with `#[cached]`",
            ),
    )
}

/// The first attribute of one of these names, as it is written where nobody else's is meant.
fn attribute_of_ours<'a>(function: &'a ItemFn, names: &[&str]) -> Option<&'a Attribute> {
    function.attrs.iter().find(|attribute| {
        let mut path = attribute.path().segments.iter().rev();
        let Some(name) = path.next() else {
            return false;
        };
        let module = path.next();
        names.iter().any(|it| name.ident == it)
            && module.is_none_or(|module| module.ident == "route_runtime")
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
    let mut finder = NotConcrete(None);
    finder.visit_type(&typed.ty);
    if let Some(problem) = finder.0 {
        return Err(problem);
    }
    Ok(Argument {
        name: match &*typed.pat {
            Pat::Ident(pat) => Some(pat.ident.clone()),
            _ => None,
        },
        ty: (*typed.ty).clone(),
        source: format!("{}: {}", text(&typed.pat), text(&typed.ty)),
    })
}

/// Finds in a type what a request cannot be turned into: `impl Trait`, what is borrowed.
struct NotConcrete(Option<Problem>);

impl<'ast> Visit<'ast> for NotConcrete {
    fn visit_type_impl_trait(&mut self, found: &'ast TypeImplTrait) {
        self.0.get_or_insert_with(|| {
            Problem::new(found, "an argument of a handler cannot be `impl Trait`")
                .help("write the concrete type: it is what the request is turned into")
        });
    }

    fn visit_type_reference(&mut self, found: &'ast TypeReference) {
        if found.lifetime.is_none() {
            self.borrowed(found);
        }
        visit::visit_type_reference(self, found);
    }

    fn visit_lifetime(&mut self, found: &'ast Lifetime) {
        if found.ident == "_" {
            self.borrowed(found);
        }
    }

    // Their references are no argument's: `fn(&str)`, `Fn(&str)`.
    fn visit_type_fn_ptr(&mut self, _: &'ast syn::TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments(
        &mut self,
        _: &'ast syn::ParenthesizedGenericArguments,
    ) {
    }
}

impl NotConcrete {
    fn borrowed(&mut self, found: &impl quote::ToTokens) {
        self.0.get_or_insert_with(|| {
            let found_text = text(found);
            let problem = Problem::new(found, "an argument of a handler cannot be borrowed");
            match &*found_text {
                "&str" => problem.help("take it by value: `String`"),
                _ => problem.help("take it by value"),
            }
            .note("it is made from the request, and belongs to the handler")
        });
    }
}

/// `cfg` and lint levels, also in a `cfg_attr` that holds nothing else.
fn forwarded(attributes: &[Attribute]) -> Vec<Attribute> {
    let forward = |attribute: &Attribute| {
        let mut attribute = attribute.clone();
        attribute.meta = forwarded_meta(attribute.meta)?;
        Some(attribute)
    };
    attributes.iter().filter_map(forward).collect()
}

fn forwarded_meta(mut meta: Meta) -> Option<Meta> {
    let name = meta.path().get_ident()?.to_string();
    match (&*name, &mut meta) {
        ("cfg" | "allow" | "warn" | "deny" | "forbid", _) => Some(meta),
        // What the function is expected to do, the code generated for it need not.
        ("expect", Meta::List(list)) => {
            list.path = syn::parse_quote!(allow);
            Some(meta)
        }
        // Whoever calls it is told; the generated call is nobody's.
        ("deprecated", _) => Some(syn::parse_quote!(allow(deprecated))),
        ("cfg_attr", Meta::List(list)) => {
            let parser = Punctuated::<Meta, Token![,]>::parse_terminated;
            let mut parts = list.parse_args_with(parser).ok()?.into_iter();
            let condition = parts.next()?;
            let forwarded: Vec<_> = parts.map(forwarded_meta).collect::<Option<_>>()?;
            list.tokens = quote! { #condition, #(#forwarded),* };
            Some(meta)
        }
        _ => None,
    }
}
