//! One handler, as whoever lists the table sees it.

use crate::descriptor::{Kind, Method, RouteDescriptor, Source};
use crate::rendering::Rendering;

/// One handler of the table.
#[derive(Clone, Copy)]
pub struct Route<'a> {
    pub(super) pattern: &'a str,
    pub(super) descriptor: &'a RouteDescriptor,
    pub(super) rendering: Rendering,
}

impl<'a> Route<'a> {
    /// The pattern, as declared, behind the prefix of [`Routes::at`](super::Routes::at).
    #[must_use]
    pub fn pattern(&self) -> &'a str {
        self.pattern
    }

    /// The method it answers.
    #[must_use]
    pub fn method(&self) -> Method {
        self.descriptor.method
    }

    /// Whether it is a route or a page.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.descriptor.kind
    }

    /// The function's name.
    #[must_use]
    pub fn handler(&self) -> &'a str {
        self.descriptor.handler
    }

    /// Where it is declared.
    #[must_use]
    pub fn source(&self) -> Source {
        self.descriptor.source
    }

    /// Whether it is rendered for each request, and why.
    #[must_use]
    pub fn rendering(&self) -> Rendering {
        self.rendering
    }
}
