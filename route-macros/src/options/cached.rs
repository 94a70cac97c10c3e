//! The options of a cached function. They have a table of their own, but their values are read like
//! those of routes.

use syn::ext::IdentExt as _;
use syn::{Expr, Ident};

use super::{Given, Reader, Revalidate, Tag, read_once, repeated, tag, unknown, value};
use crate::errors::{Errors, Problem};
use crate::syntax::{CachedArg, SKIP, SkipArg, WrittenOption, ungroup};
use crate::text::text;

/// The options of a cached function. An option that was not given, or could not be read, is `None`.
#[derive(Default)]
pub(crate) struct CachedOptions {
    pub(crate) revalidate: Option<Given<Revalidate>>,
    pub(crate) tags: Option<Given<Vec<Tag>>>,
    pub(crate) store: Option<Given<bool>>,
    pub(crate) version: Option<Given<u32>>,
    pub(crate) skip: Option<Skip>,
}

/// The option `skip(db, client)`.
pub(crate) struct Skip {
    name: Ident,
    pub(crate) arguments: Vec<Ident>,
}

const TABLE: &[(&str, Reader<CachedOptions>)] = &[
    ("revalidate", read_once!(revalidate, value::lifetime)),
    ("tags", read_once!(tags, tag::tags)),
    ("store", read_once!(store, value::boolean)),
    ("version", read_once!(version, value::version)),
];

const NOTE: &str = "`skip(…)` names arguments that have no part in the value, as in `skip(db)`";

fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|&(name, _)| name).chain([SKIP])
}

/// Reads every option. An option that cannot be read is left out, and its error is pushed.
pub(crate) fn check(args: Vec<CachedArg>, errors: &mut Errors) -> CachedOptions {
    let mut options = CachedOptions::default();
    for arg in args {
        match arg {
            CachedArg::Skip(arg) => skip(arg, &mut options, errors),
            CachedArg::Option(arg) => {
                let result = option(arg, &mut options);
                errors.absorb(result);
            }
        }
    }
    options
}

fn option(arg: WrittenOption, options: &mut CachedOptions) -> syn::Result<()> {
    match TABLE.iter().find(|(name, _)| arg.name == name) {
        Some((_, read)) => read(arg.read()?, options)?,
        None if arg.name == SKIP => {
            let arg = arg.read()?;
            return Err(assigned(&arg.name, &arg.value).into());
        }
        None => return Err(unknown(&arg.name, names).into()),
    }
    Ok(())
}

fn skip(arg: SkipArg, options: &mut CachedOptions, errors: &mut Errors) {
    if let Some(first) = &options.skip {
        errors.push(repeated(&arg.name, &first.name));
        return;
    }
    if arg.arguments.is_empty() {
        errors.push(
            Problem::new(&arg.name, "option `skip` names no argument")
                .help("name one, as in `skip(db)`, or remove the option"),
        );
    }
    let mut arguments: Vec<Ident> = Vec::new();
    for found in arg.arguments {
        let Some(name) = errors.absorb(argument(&found)) else {
            continue;
        };
        match arguments.iter().find(|it| it.unraw() == name.unraw()) {
            Some(first) => errors.push(
                Problem::new(&name, format_args!("argument `{name}` is skipped twice"))
                    .help("remove one of the two")
                    .and(first, format_args!("`{name}` is first skipped here")),
            ),
            None => arguments.push(name),
        }
    }
    options.skip = Some(Skip {
        name: arg.name,
        arguments,
    });
}

fn argument(found: &Expr) -> Result<Ident, Problem> {
    let found = ungroup(found.clone());
    if let Expr::Path(path) = &found
        && let Some(name) = path.path.get_ident()
    {
        return Ok(name.clone());
    }
    let problem = Problem::new(
        &found,
        format_args!("`{}` is not the name of an argument", text(&found)),
    );
    Err(match value::string(&found) {
        Some(name) if syn::parse_str::<Ident>(&name).is_ok() => {
            problem.help(format_args!("remove the quotes: `{name}`"))
        }
        _ => problem,
    }
    .note(NOTE))
}

/// Makes the error for `skip = db` and `skip = [db, client]`.
fn assigned(name: &Ident, value: &Expr) -> Problem {
    let list = match value {
        Expr::Array(array) => text(&array.elems),
        value => text(value),
    };
    Problem::new(name, "option `skip` is a list in parentheses")
        .help(format_args!("`skip({})`", list.trim_matches('"')))
        .note(NOTE)
}

impl CachedOptions {
    /// Returns whether an argument is skipped, which means that it is not part of the key.
    pub(crate) fn skips(&self, argument: &Ident) -> bool {
        let mut skipped = self.skip.iter().flat_map(|skip| &skip.arguments);
        skipped.any(|it| it.unraw() == argument.unraw())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_documented() {
        let docs = include_str!("../../../route-runtime/docs/cached.md");
        let (_, table) = docs.split_once("# Options").unwrap();
        let rows = table.lines().filter(|line| line.starts_with("| `"));
        let documented = rows.filter_map(|row| row.split(['`', '(']).nth(1));
        assert!(documented.eq(names()));
    }
}
