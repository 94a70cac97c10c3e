//! The search for borrowed parts of a type.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Lifetime, ParenthesizedGenericArguments, Type, TypeFnPtr, TypeImplTrait, TypeReference};

/// A part that the type of an owned value cannot have.
pub(super) enum Borrowed<'a> {
    ImplTrait(&'a TypeImplTrait),
    Reference(&'a TypeReference),
    Lifetime(&'a Lifetime),
}

impl<'a> Borrowed<'a> {
    /// Finds the first such part of a type. A lifetime for which `is_owned` holds is not such a
    /// part, and neither is a reference with that lifetime if `allows_references`.
    pub(super) fn find(
        ty: &'a Type,
        allows_references: bool,
        is_owned: fn(&Lifetime) -> bool,
    ) -> Option<Self> {
        let mut finder = Finder {
            allows_references,
            is_owned,
            found: None,
        };
        finder.visit_type(ty);
        finder.found
    }
}

impl ToTokens for Borrowed<'_> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::ImplTrait(found) => found.to_tokens(tokens),
            Self::Reference(found) => found.to_tokens(tokens),
            Self::Lifetime(found) => found.to_tokens(tokens),
        }
    }
}

struct Finder<'a> {
    allows_references: bool,
    is_owned: fn(&Lifetime) -> bool,
    found: Option<Borrowed<'a>>,
}

impl<'a> Visit<'a> for Finder<'a> {
    fn visit_type_impl_trait(&mut self, found: &'a TypeImplTrait) {
        self.found.get_or_insert(Borrowed::ImplTrait(found));
    }

    fn visit_type_reference(&mut self, found: &'a TypeReference) {
        if self.allows_references && found.lifetime.as_ref().is_some_and(self.is_owned) {
            visit::visit_type_reference(self, found);
        } else {
            self.found.get_or_insert(Borrowed::Reference(found));
        }
    }

    fn visit_lifetime(&mut self, found: &'a Lifetime) {
        if !(self.is_owned)(found) {
            self.found.get_or_insert(Borrowed::Lifetime(found));
        }
    }

    // The references in `fn(&str)` and `Fn(&str)` are not part of the value.
    fn visit_type_fn_ptr(&mut self, _: &'a TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments(&mut self, _: &'a ParenthesizedGenericArguments) {}
}
