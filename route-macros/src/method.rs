//! The seven methods that a route can answer.

use std::fmt;

use proc_macro2::Ident;
use syn::ext::IdentExt as _;

use crate::errors::{Problem, list, nearest};

/// A method that a route can answer. Expansion prints the variants' names, which are those of
/// `route_runtime`'s enum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

impl Method {
    pub(crate) const ALL: [Self; 7] = [
        Self::Get,
        Self::Head,
        Self::Post,
        Self::Put,
        Self::Patch,
        Self::Delete,
        Self::Options,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }

    pub(crate) fn has_body(self) -> bool {
        matches!(self, Self::Post | Self::Put | Self::Patch | Self::Delete)
    }

    /// Returns the method that a function is named after, in any case.
    pub(crate) fn named(function: &Ident) -> Option<Self> {
        let name = function.unraw().to_string();
        Self::ALL
            .into_iter()
            .find(|method| name.eq_ignore_ascii_case(method.name()))
    }

    /// Reads the method that is written before the pattern, which must be in upper case.
    pub(crate) fn written(ident: &Ident) -> Result<Self, Problem> {
        if let Some(method) = Self::ALL.into_iter().find(|method| ident == method.name()) {
            return Ok(method);
        }
        let problem = Problem::new(ident, format_args!("`{ident}` is not a method"));
        let found = ident.to_string().to_ascii_uppercase();
        Err(match nearest(&found, Self::ALL.map(Self::name)) {
            Some(method) => problem.help(format_args!("did you mean `{method}`?")),
            None => problem,
        }
        .note(format_args!("expected one of {}", list(Self::ALL))))
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
