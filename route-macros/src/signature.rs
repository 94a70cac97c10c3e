//! The rules for the signature of a handler.

use syn::{Attribute, FnArg, Ident, ItemFn, Lifetime, Pat, ReturnType, Type, Visibility};

use crate::errors::{Errors, Problem};
use crate::text::text;

mod attributes;
mod borrowed;
mod cached;

pub(crate) use attributes::is_conditional;
use attributes::{attribute_of_ours, conditional_argument, forwarded, hidden};
use borrowed::Borrowed;
pub(crate) use cached::{CachedFn, NamedArgument, check as check_cached};

/// A function that can be called with arguments of known types, and awaited.
pub(crate) struct Handler {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) output: Option<Type>,
    /// The `cfg` and lint attributes, which all code generated for the function shares.
    pub(crate) attributes: Vec<Attribute>,
    /// The `#[doc(hidden)]`, which the function's handle shares.
    pub(crate) hidden: Vec<Attribute>,
}

/// An argument of a handler. Its name is `None` if the argument is `_` or is destructured.
pub(crate) struct Argument {
    pub(crate) name: Option<Ident>,
    pub(crate) ty: Type,
    /// The argument as the user wrote it: `req: HttpRequest`.
    pub(crate) source: String,
}

/// The role of a function, in the words of the messages.
struct Role {
    /// The name of the role: `handler`.
    noun: &'static str,
    /// The reason why the types must be concrete: `a route is one function`.
    why_concrete: &'static str,
    /// The word for the thing that an argument stands for: `extractor`.
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
        hidden: hidden(&function.attrs),
    })
}

impl Role {
    /// Returns everything that keeps a function from being called and awaited, apart from its
    /// arguments.
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
        // `safe fn` can only stand in an extern block, and our attributes never stand there.
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

/// Reports a route that is also `#[cached]`. Whichever attribute is expanded first sees the other.
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

fn argument(input: &FnArg) -> Result<Argument, Problem> {
    let typed = match input {
        FnArg::Receiver(receiver) => {
            return Err(Problem::new(receiver, "a handler cannot take `self`")
                .help("shared state is an argument: `state: web::Data<State>`"));
        }
        FnArg::Typed(typed) => typed,
    };
    if let Some(problem) = conditional_argument(typed, &HANDLER) {
        return Err(problem);
    }
    // `'static` is not borrowed from anyone. Any other name is undeclared, which the compiler
    // reports.
    let is_owned = |lifetime: &Lifetime| lifetime.ident != "_";
    if let Some(borrowed) = Borrowed::find(&typed.ty, true, is_owned) {
        return Err(not_concrete(&borrowed));
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

/// Makes the error for an argument that is `impl Trait` or borrowed: a request cannot be turned
/// into either.
fn not_concrete(found: &Borrowed<'_>) -> Problem {
    if let Borrowed::ImplTrait(found) = found {
        return Problem::new(found, "an argument of a handler cannot be `impl Trait`")
            .help("write the concrete type: it is what the request is turned into");
    }
    let problem = Problem::new(found, "an argument of a handler cannot be borrowed");
    match &*text(found) {
        "&str" => problem.help("take it by value: `String`"),
        _ => problem.help("take it by value"),
    }
    .note("it is made from the request, and belongs to the handler")
}
