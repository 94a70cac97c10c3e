//! What a cached function may look like: its arguments are a key, its value is kept.

use syn::visit::{self, Visit};
use syn::{
    Attribute, FnArg, Ident, ItemFn, Lifetime, Pat, PatType, ReturnType, Type, TypeImplTrait,
    TypeReference,
};

use super::{Role, cached_route, forwarded};
use crate::errors::{Errors, Problem};
use crate::text::text;

const CACHED: Role = Role {
    noun: "cached function",
    why_concrete: "its values are kept under one name",
    argument: "thing that tells values apart",
};

/// A function whose calls can be told apart by its arguments, and whose value can be kept.
pub(crate) struct CachedFn {
    pub(crate) arguments: Vec<NamedArgument>,
    pub(crate) output: Type,
    /// As of a handler.
    pub(crate) attributes: Vec<Attribute>,
}

/// One argument, which has a name.
pub(crate) struct NamedArgument {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
}

/// `is_skipped` says which arguments are no part of the key.
pub(crate) fn check(
    function: &ItemFn,
    is_skipped: impl Fn(&Ident) -> bool,
    errors: &mut Errors,
) -> Option<CachedFn> {
    let mut problems = CACHED.problems(function);
    problems.extend(cached_route(function, &["route", "page"]));
    let mut arguments = Vec::new();
    for input in &function.sig.inputs {
        match argument(input, &is_skipped) {
            Ok(argument) => arguments.push(argument),
            Err(problem) => problems.push(problem),
        }
    }
    let output = match output(function) {
        Ok(output) => Some(output),
        Err(problem) => {
            problems.push(problem);
            None
        }
    };

    let is_cacheable = problems.is_empty();
    problems.into_iter().for_each(|it| errors.push(it));
    output.filter(|_| is_cacheable).map(|output| CachedFn {
        arguments,
        output,
        attributes: forwarded(&function.attrs),
    })
}

fn argument(input: &FnArg, is_skipped: impl Fn(&Ident) -> bool) -> Result<NamedArgument, Problem> {
    let typed = match input {
        FnArg::Receiver(receiver) => {
            return Err(
                Problem::new(receiver, "a cached function cannot take `self`")
                    .help("take what the value depends on by itself, as in `id: u64`"),
            );
        }
        FnArg::Typed(typed) => typed,
    };
    let name = name(typed)?;
    let mut finder = NotKept {
        place: Place::Argument {
            is_skipped: is_skipped(name),
        },
        problem: None,
    };
    finder.visit_type(&typed.ty);
    match finder.problem {
        Some(problem) => Err(problem),
        None => Ok(NamedArgument {
            name: name.clone(),
            ty: (*typed.ty).clone(),
        }),
    }
}

fn name(typed: &PatType) -> Result<&Ident, Problem> {
    match &*typed.pat {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => Ok(&pat.ident),
        pat => {
            let pattern = text(pat);
            let problem = Problem::new(pat, format_args!("argument `{pattern}` has no name"));
            Err(match pat {
                Pat::Wild(_) => problem.help("name it, as in `_id`"),
                _ => problem.help(format_args!(
                    "name it, and take it apart in the body: `let {pattern} = …;`"
                )),
            })
        }
    }
}

fn output(function: &ItemFn) -> Result<Type, Problem> {
    let name = &function.sig.ident;
    let nothing = format!("cached function `{name}` returns nothing");
    let help = "return what is to be kept, as in `-> Vec<String>`, or remove `#[cached]`";
    let ty = match &function.sig.output {
        ReturnType::Default => return Err(Problem::new(name, nothing).help(help)),
        ReturnType::Type(_, ty) => &**ty,
    };
    match ty {
        Type::Tuple(tuple) if tuple.elems.is_empty() => {
            return Err(Problem::new(tuple, nothing).help(help));
        }
        Type::Never(never) => return Err(Problem::new(never, nothing).help(help)),
        _ => {}
    }
    let mut finder = NotKept {
        place: Place::Output,
        problem: None,
    };
    finder.visit_type(ty);
    match finder.problem {
        Some(problem) => Err(problem),
        None => Ok(ty.clone()),
    }
}

/// Finds in a type what cannot be kept beyond a call: what is borrowed, `impl Trait`.
struct NotKept {
    place: Place,
    problem: Option<Problem>,
}

#[derive(Clone, Copy)]
enum Place {
    Argument { is_skipped: bool },
    Output,
}

impl<'ast> Visit<'ast> for NotKept {
    fn visit_type_impl_trait(&mut self, found: &'ast TypeImplTrait) {
        let place = self.place;
        self.problem.get_or_insert_with(|| match place {
            Place::Argument { .. } => Problem::new(
                found,
                "an argument of a cached function cannot be `impl Trait`",
            )
            .help("write the concrete type: it is what tells values apart"),
            Place::Output => Problem::new(found, "a cached function cannot return `impl Trait`")
                .help("write the concrete type: it is what is kept, and read again"),
        });
    }

    fn visit_type_reference(&mut self, found: &'ast TypeReference) {
        let is_static = found
            .lifetime
            .as_ref()
            .is_some_and(|it| it.ident == "static");
        match self.place {
            // Whoever calls has it for ever, and a key can be made of it.
            Place::Argument { .. } if is_static => visit::visit_type_reference(self, found),
            _ => self.borrowed(found, &found.elem),
        }
    }

    fn visit_lifetime(&mut self, found: &'ast Lifetime) {
        if found.ident != "static" {
            let place = self.place;
            self.problem.get_or_insert_with(|| {
                let problem = place.borrowed(found);
                problem
                    .help("write a type that owns its data")
                    .note(place.why())
            });
        }
    }

    // Their references are nobody's value: `fn(&str)`, `Fn(&str)`.
    fn visit_type_fn_ptr(&mut self, _: &'ast syn::TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments(
        &mut self,
        _: &'ast syn::ParenthesizedGenericArguments,
    ) {
    }
}

impl NotKept {
    fn borrowed(&mut self, found: &TypeReference, elem: &Type) {
        let place = self.place;
        self.problem.get_or_insert_with(|| {
            let problem = place.borrowed(found);
            match (place, elem) {
                (_, Type::Path(path)) if path.path.is_ident("str") => problem.help("`String`"),
                (_, Type::Slice(slice)) => {
                    problem.help(format_args!("`Vec<{}>`", text(&slice.elem)))
                }
                (Place::Argument { is_skipped: true }, elem) if !is_shared(elem) => {
                    let elem = text(elem);
                    problem.help(format_args!(
                        "share it: `web::Data<{elem}>` or `Arc<{elem}>`"
                    ))
                }
                (_, elem) => problem.help(format_args!("`{}`", text(elem))),
            }
            .note(place.why())
        });
    }
}

impl Place {
    fn borrowed(self, found: &impl quote::ToTokens) -> Problem {
        let found_text = text(found);
        match self {
            Self::Argument { .. } => Problem::new(
                found,
                format_args!("an argument of a cached function cannot be borrowed: `{found_text}`"),
            ),
            Self::Output => Problem::new(
                found,
                format_args!("a cached function cannot return what is borrowed: `{found_text}`"),
            ),
        }
    }

    fn why(self) -> &'static str {
        match self {
            Self::Argument { .. } => "a value may be made anew when its caller is long gone",
            Self::Output => "a value that was kept is read back, and owns its data",
        }
    }
}

/// Whether a clone of it is another handle to the same.
fn is_shared(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path
        .segments
        .last()
        .is_some_and(|last| last.ident == "Data" || last.ident == "Arc")
}
