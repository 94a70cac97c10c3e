//! The rules for the signature of a cached function: its arguments are a key, and its value is
//! kept.

use syn::{
    Attribute, FnArg, Ident, ItemFn, Lifetime, Pat, PatType, ReturnType, Type, TypeImplTrait,
    TypeReference,
};

use super::{Borrowed, Role, cached_route, conditional_argument, forwarded, hidden};
use crate::errors::{Errors, Problem};
use crate::text::text;

const CACHED: Role = Role {
    noun: "cached function",
    why_concrete: "its values are kept under one name",
    argument: "thing that tells values apart",
};

/// A function whose arguments tell its calls apart, and whose value can be kept.
pub(crate) struct CachedFn {
    pub(crate) arguments: Vec<NamedArgument>,
    pub(crate) output: Type,
    /// The `cfg` and lint attributes, which all code generated for the function shares.
    pub(crate) attributes: Vec<Attribute>,
    /// The `#[doc(hidden)]`, which the function's handle shares.
    pub(crate) hidden: Vec<Attribute>,
}

/// An argument of a cached function, which always has a name.
pub(crate) struct NamedArgument {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
}

/// Checks the signature of a cached function. `is_skipped` says which arguments are not part of the
/// key.
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
        hidden: hidden(&function.attrs),
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
    if let Some(problem) = conditional_argument(typed, &CACHED) {
        return Err(problem);
    }
    let name = name(typed)?;
    let is_skipped = is_skipped(name);
    Place::Argument { is_skipped }.check(&typed.ty)?;
    Ok(NamedArgument {
        name: name.clone(),
        ty: (*typed.ty).clone(),
    })
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
    Place::Output.check(ty)?;
    Ok(ty.clone())
}

#[derive(Clone, Copy)]
enum Place {
    Argument { is_skipped: bool },
    Output,
}

impl Place {
    /// Reports the first part of a type that cannot be kept beyond a call.
    fn check(self, ty: &Type) -> Result<(), Problem> {
        // The caller's own `&'static` lives forever, but no key can be read back as a reference.
        let allows_references = matches!(self, Self::Argument { is_skipped: true });
        let is_owned = |lifetime: &Lifetime| lifetime.ident == "static";
        match Borrowed::find(ty, allows_references, is_owned) {
            None => Ok(()),
            Some(Borrowed::ImplTrait(found)) => Err(self.impl_trait(found)),
            Some(Borrowed::Reference(found)) => Err(self.reference(found)),
            Some(Borrowed::Lifetime(found)) => Err(self
                .borrowed(found)
                .help("write a type that owns its data")
                .note(self.why())),
        }
    }

    fn impl_trait(self, found: &TypeImplTrait) -> Problem {
        match self {
            Self::Argument { .. } => Problem::new(
                found,
                "an argument of a cached function cannot be `impl Trait`",
            )
            .help("write the concrete type: it is what tells values apart"),
            Self::Output => Problem::new(found, "a cached function cannot return `impl Trait`")
                .help("write the concrete type: it is what is kept, and read again"),
        }
    }

    fn reference(self, found: &TypeReference) -> Problem {
        let problem = self.borrowed(found);
        match (self, &*found.elem) {
            (_, Type::Path(path)) if path.path.is_ident("str") => problem.help("`String`"),
            (_, Type::Slice(slice)) => problem.help(format_args!("`Vec<{}>`", text(&slice.elem))),
            (Self::Argument { is_skipped: true }, elem) if !is_shared(elem) => {
                let elem = text(elem);
                problem.help(format_args!(
                    "share it: `web::Data<{elem}>` or `Arc<{elem}>`"
                ))
            }
            (_, elem) => problem.help(format_args!("`{}`", text(elem))),
        }
        .note(self.why())
    }

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
            Self::Argument { is_skipped: true } => {
                "a value may be made anew when its caller is long gone"
            }
            Self::Argument { is_skipped: false } => {
                "the function is given what is read back from the key, which owns its data"
            }
            Self::Output => "a value that was kept is read back, and owns its data",
        }
    }
}

/// Returns whether a clone of a value of this type is another handle to the same value.
fn is_shared(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path
        .segments
        .last()
        .is_some_and(|last| last.ident == "Data" || last.ident == "Arc")
}
