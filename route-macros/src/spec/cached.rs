//! A checked cached function: its options and its arguments fit each other.

use syn::ItemFn;
use syn::ext::IdentExt as _;

use super::Names;
use crate::errors::{Errors, Problem};
use crate::options::CachedOptions;
use crate::signature::{CachedFn, NamedArgument};

/// A checked cached function: everything that expansion needs. Expansion never gets an invalid one.
pub(crate) struct CachedSpec {
    pub(crate) function: CachedFn,
    pub(crate) options: CachedOptions,
}

impl CachedSpec {
    /// Returns the argument that a tag names.
    pub(crate) fn argument(&self, name: &str) -> Option<&NamedArgument> {
        let mut arguments = self.function.arguments.iter();
        arguments.find(|argument| argument.name.unraw() == name)
    }

    /// Returns the arguments that are part of the key.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &NamedArgument> {
        let arguments = self.function.arguments.iter();
        arguments.filter(|argument| !self.options.skips(&argument.name))
    }
}

/// Checks that the names in `skip` and `tags` are arguments of the function.
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
    let names = Names {
        noun: "an argument",
        of: function.to_string(),
        names: &names,
    };
    for skipped in options.skip.iter().flat_map(|skip| &skip.arguments) {
        let found = skipped.unraw().to_string();
        if !names.names.contains(&found) {
            let problem = Problem::new(
                skipped,
                format_args!("`skip` names `{skipped}`, which is not an argument of `{function}`"),
            );
            errors.push(names.suggest(problem, &found, str::to_owned));
        }
    }
    for tag in options.tags.iter().flat_map(|given| &given.value) {
        names.check_tag(tag, errors);
    }
}
