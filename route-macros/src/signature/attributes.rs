//! The attributes beside ours: those that generated code shares, and those that cannot stand there.

use quote::quote;
use syn::punctuated::Punctuated;
use syn::{Attribute, ItemFn, Meta, MetaList, PatType, Token, parse_quote};

use super::Role;
use crate::errors::Problem;

/// Finds the first attribute with one of these names. The name stands alone or behind
/// `route_runtime::`, since any other path is another crate's attribute.
pub(super) fn attribute_of_ours<'a>(function: &'a ItemFn, names: &[&str]) -> Option<&'a Attribute> {
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

/// Returns the attributes that generated code shares: `cfg` and lint levels, also in a `cfg_attr`.
pub(super) fn forwarded(attributes: &[Attribute]) -> Vec<Attribute> {
    picked(attributes, |mut meta| {
        let name = meta.path().get_ident()?.to_string();
        match (&*name, &mut meta) {
            ("cfg" | "allow" | "warn" | "deny" | "forbid", _) => Some(meta),
            // The lint is expected in the function, but the generated code need not trigger it.
            ("expect", Meta::List(list)) => {
                list.path = parse_quote!(allow);
                Some(meta)
            }
            // The warning is meant for people who call the function, not for the generated call.
            ("deprecated", _) => Some(parse_quote!(allow(deprecated))),
            _ => None,
        }
    })
}

/// Returns the `doc(hidden)` of a function. Without it, the handle of a hidden function would show
/// in the documentation in place of the function.
pub(super) fn hidden(attributes: &[Attribute]) -> Vec<Attribute> {
    picked(attributes, |meta| {
        let Meta::List(list) = meta else { return None };
        let is_hidden = list.path.is_ident("doc")
            && parts(&list).is_some_and(|mut parts| parts.any(|it| it.path().is_ident("hidden")));
        is_hidden.then(|| parse_quote!(doc(hidden)))
    })
}

/// Returns whether the attributes may configure away the item that they stand on.
pub(crate) fn is_conditional(attributes: &[Attribute]) -> bool {
    let cfg = picked(attributes, |meta| {
        meta.path().is_ident("cfg").then_some(meta)
    });
    !cfg.is_empty()
}

/// Reports an argument that may be configured away: the function would lose it, but the generated
/// call would not.
pub(super) fn conditional_argument(argument: &PatType, role: &Role) -> Option<Problem> {
    let is_found = |it: &&Attribute| is_conditional(std::slice::from_ref(*it));
    let attribute = argument.attrs.iter().find(is_found)?;
    let noun = role.noun;
    Some(
        Problem::new(
            attribute,
            format_args!("an argument of a {noun} cannot be `#[cfg]`"),
        )
        .help(format_args!(
            "write two functions, with the `#[cfg]` of each on the {noun}"
        )),
    )
}

/// Applies `pick` to each attribute and to each part of a `cfg_attr`, and returns the results.
fn picked(attributes: &[Attribute], pick: impl Fn(Meta) -> Option<Meta>) -> Vec<Attribute> {
    let attribute = |attribute: &Attribute| {
        let mut attribute = attribute.clone();
        attribute.meta = picked_meta(attribute.meta, &pick)?;
        Some(attribute)
    };
    attributes.iter().filter_map(attribute).collect()
}

fn picked_meta(meta: Meta, pick: &impl Fn(Meta) -> Option<Meta>) -> Option<Meta> {
    let mut list = match meta {
        Meta::List(list) if list.path.is_ident("cfg_attr") => list,
        meta => return pick(meta),
    };
    let mut parts = parts(&list)?;
    let condition = parts.next()?;
    let picked: Vec<_> = parts.filter_map(|it| picked_meta(it, pick)).collect();
    list.tokens = quote! { #condition, #(#picked),* };
    (!picked.is_empty()).then_some(Meta::List(list))
}

fn parts(list: &MetaList) -> Option<impl Iterator<Item = Meta> + use<>> {
    let parser = Punctuated::<Meta, Token![,]>::parse_terminated;
    Some(list.parse_args_with(parser).ok()?.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::text;

    fn texts(attributes: &[Attribute]) -> Vec<String> {
        attributes.iter().map(|it| text(&it.meta)).collect()
    }

    #[test]
    fn generated_code_shares_cfg_lint_levels_and_doc_hidden() {
        let check = |function: ItemFn, shared: &[&str], is_hidden: &[&str], conditional: bool| {
            let attributes = &function.attrs;
            assert_eq!(texts(&forwarded(attributes)), shared);
            assert_eq!(texts(&hidden(attributes)), is_hidden);
            assert_eq!(is_conditional(attributes), conditional);
        };
        check(
            parse_quote! {
                /// Documented.
                #[inline]
                #[allow(dead_code)]
                #[expect(unused)]
                #[deprecated = "old"]
                fn f() {}
            },
            &["allow(dead_code)", "allow(unused)", "allow(deprecated)"],
            &[],
            false,
        );
        check(
            parse_quote! { #[cfg(unix)] #[doc(hidden)] #[doc(alias = "g")] fn f() {} },
            &["cfg(unix)"],
            &["doc(hidden)"],
            true,
        );
        check(
            parse_quote! { #[cfg_attr(unix, inline, deny(unused), doc(hidden))] fn f() {} },
            &["cfg_attr(unix, deny(unused))"],
            &["cfg_attr(unix, doc(hidden))"],
            false,
        );
        check(
            parse_quote! { #[cfg_attr(unix, cfg_attr(test, cfg(a)))] #[cfg_attr(a, inline)] fn f() {} },
            &["cfg_attr(unix, cfg_attr(test, cfg(a)))"],
            &[],
            true,
        );
    }
}
