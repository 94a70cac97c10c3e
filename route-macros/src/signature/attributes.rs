//! The attributes beside ours: what generated code shares, what cannot stand there.

use quote::quote;
use syn::punctuated::Punctuated;
use syn::{Attribute, ItemFn, Meta, MetaList, PatType, Token, parse_quote};

use super::Role;
use crate::errors::Problem;

/// The first attribute of one of these names, as it is written where nobody else's is meant.
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

/// `cfg` and lint levels, also those in a `cfg_attr`.
pub(super) fn forwarded(attributes: &[Attribute]) -> Vec<Attribute> {
    picked(attributes, |mut meta| {
        let name = meta.path().get_ident()?.to_string();
        match (&*name, &mut meta) {
            ("cfg" | "allow" | "warn" | "deny" | "forbid", _) => Some(meta),
            // What the function is expected to do, the code generated for it need not.
            ("expect", Meta::List(list)) => {
                list.path = parse_quote!(allow);
                Some(meta)
            }
            // Whoever calls it is told; the generated call is nobody's.
            ("deprecated", _) => Some(parse_quote!(allow(deprecated))),
            _ => None,
        }
    })
}

/// `doc(hidden)`: the handle of a function that is hidden would show in its place.
pub(super) fn hidden(attributes: &[Attribute]) -> Vec<Attribute> {
    picked(attributes, |meta| {
        let Meta::List(list) = meta else { return None };
        let is_hidden = list.path.is_ident("doc")
            && parts(&list).is_some_and(|mut parts| parts.any(|it| it.path().is_ident("hidden")));
        is_hidden.then(|| parse_quote!(doc(hidden)))
    })
}

/// Whether the attributes may configure away what they stand on.
pub(crate) fn is_conditional(attributes: &[Attribute]) -> bool {
    let cfg = picked(attributes, |meta| {
        meta.path().is_ident("cfg").then_some(meta)
    });
    !cfg.is_empty()
}

/// An argument that may be configured away: the function would lose it, the call would not.
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

/// What `pick` makes of each attribute, and of each part of a `cfg_attr`.
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
    fn generated_code_shares_what_has_a_meaning_for_it() {
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
