//! The attribute `#[cached]`: parse, check, expand.

use proc_macro2::TokenStream;
use syn::{Item, ItemFn};

use crate::errors::{self, Errors, Problem};
use crate::expand;
use crate::options;
use crate::signature;
use crate::spec::{CachedSpec, check_cached};
use crate::syntax;

pub(crate) fn cached(args: TokenStream, item: TokenStream) -> TokenStream {
    let expanded =
        check(args, item.clone()).map(|(spec, function)| expand::cached(&spec, function));
    errors::or_item(expanded, item)
}

fn check(args: TokenStream, item: TokenStream) -> syn::Result<(CachedSpec, ItemFn)> {
    let mut errors = Errors::default();
    let args = syntax::parse_cached(args, &mut errors);
    let options = options::check_cached(args, &mut errors);
    let Some(item) = errors.absorb(function(item)) else {
        return errors.finish(None);
    };
    check_cached(&options, &item, &mut errors);
    let function = signature::check_cached(&item, |name| options.skips(name), &mut errors);
    let spec = function.map(|function| CachedSpec { function, options });
    errors.finish(spec.map(|spec| (spec, item)))
}

fn function(item: TokenStream) -> Result<ItemFn, Problem> {
    const HELP: &str = "the attribute stands on an `async fn`";
    match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Fn(item)) => Ok(item),
        Ok(_) => Err(Problem::new(item, "not a function").help(HELP)),
        Err(error) => {
            Err(Problem::at(error.span(), format_args!("not a function: {error}")).help(HELP))
        }
    }
}
