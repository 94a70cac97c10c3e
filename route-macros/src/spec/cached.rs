//! A checked cached function: its options and its arguments fit each other.

use syn::ext::IdentExt as _;
use syn::{Ident, ItemFn};

use crate::errors::{Errors, Problem, list, nearest};
use crate::options::{CachedOptions, Tag, TagPart};
use crate::signature::{CachedFn, NamedArgument};

/// Everything expansion needs; there is no invalid one.
pub(crate) struct CachedSpec {
    pub(crate) function: CachedFn,
    pub(crate) options: CachedOptions,
}

impl CachedSpec {
    /// The argument that a tag names.
    pub(crate) fn argument(&self, name: &str) -> Option<&NamedArgument> {
        let mut arguments = self.function.arguments.iter();
        arguments.find(|argument| argument.name.unraw() == name)
    }

    /// Those that are part of the key.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &NamedArgument> {
        let arguments = self.function.arguments.iter();
        arguments.filter(|argument| !self.options.skips(&argument.name))
    }
}

/// What `skip` and `tags` name are arguments of the function.
pub(crate) fn check_cached(options: &CachedOptions, function: &ItemFn, errors: &mut Errors) {
    let names: Vec<_> = function
        .sig
        .inputs
        .iter()
        .filter_map(|input| match input {
            syn::FnArg::Typed(typed) => match &*typed.pat {
                syn::Pat::Ident(pat) => Some(pat.ident.unraw().to_string()),
                _ => None,
            },
            syn::FnArg::Receiver(_) => None,
        })
        .collect();
    let function = &function.sig.ident;
    for skipped in options.skip.iter().flat_map(|skip| &skip.arguments) {
        let found = skipped.unraw().to_string();
        if !names.contains(&found) {
            let problem = Problem::new(
                skipped,
                format_args!("`skip` names `{skipped}`, which is no argument of `{function}`"),
            );
            errors.push(suggest(problem, &found, &names, function, |name| {
                name.into()
            }));
        }
    }
    for tag in options.tags.iter().flat_map(|given| &given.value) {
        check_tag(tag, &names, function, errors);
    }
}

fn check_tag(tag: &Tag, names: &[String], function: &Ident, errors: &mut Errors) {
    for part in &tag.parts {
        let TagPart::Param(found) = part else {
            continue;
        };
        if names.contains(found) {
            continue;
        }
        let tag_text = tag.source.value();
        let problem = Problem::new(
            &tag.source,
            format_args!("`{{{found}}}` in tag `{tag_text}` is no argument of `{function}`"),
        );
        errors.push(suggest(problem, found, names, function, |name| {
            format!("{{{name}}}")
        }));
    }
}

fn suggest(
    problem: Problem,
    found: &str,
    names: &[String],
    function: &Ident,
    written: impl Fn(&str) -> String,
) -> Problem {
    let problem = match nearest(found, names.iter().map(String::as_str)) {
        Some(meant) => problem.help(format_args!("did you mean `{}`?", written(meant))),
        None => problem,
    };
    if names.is_empty() {
        return problem.note(format_args!("`{function}` has no arguments"));
    }
    let names = names.iter().map(|name| written(name));
    problem.note(format_args!("expected one of {}", list(names)))
}
