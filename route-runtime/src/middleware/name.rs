//! The names of middleware, as the table of routes shows them.

use std::any::type_name;
use std::fmt;

/// The name of a middleware's type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MiddlewareName {
    /// The type or the function, without its modules.
    Known(String),
    /// A closure has no name.
    Closure,
}

impl MiddlewareName {
    /// Returns the name of a `Transform`. One that was made by `from_fn` has the name of its
    /// function.
    pub(super) fn of_transform<M>() -> Self {
        let name = without_modules(type_name::<M>());
        let function = name
            .strip_prefix("MiddlewareFn<")
            .map(|rest| first_argument(rest).to_owned());
        match function {
            Some(function) => Self::of_function_named(&function),
            None => Self::Known(name),
        }
    }

    pub(super) fn of_function<F>() -> Self {
        Self::of_function_named(&without_modules(type_name::<F>()))
    }

    fn of_function_named(name: &str) -> Self {
        // The arguments of a generic function are types of bodies, which say nothing.
        match name.split('<').next() {
            Some(name) if !name.is_empty() && name != CLOSURE => Self::Known(name.into()),
            _ => Self::Closure,
        }
    }
}

impl fmt::Display for MiddlewareName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Known(name) => name,
            Self::Closure => "closure",
        })
    }
}

/// What the compiler calls a closure.
const CLOSURE: &str = "{{closure}}";

/// Returns the name of a type with every path in it cut down to its last segment.
fn without_modules(name: &str) -> String {
    let mut short = String::new();
    let mut path = 0;
    for c in name.chars() {
        if c == ':' {
            short.truncate(path);
            continue;
        }
        short.push(c);
        if !(c.is_alphanumeric() || matches!(c, '_' | '{' | '}')) {
            path = short.len();
        }
    }
    short
}

/// Returns the first of the generic arguments that begin a text.
fn first_argument(text: &str) -> &str {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' | ',' if depth == 0 => return &text[..at],
            '>' | ')' | ']' => depth -= 1,
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody;
    use actix_web::dev::{ServiceRequest, ServiceResponse};
    use actix_web::middleware::{Condition, Logger, Next, from_fn};

    use super::*;
    use crate::middleware::{Middleware, MiddlewareFactory};

    async fn guard(
        request: ServiceRequest,
        next: Next<impl MessageBody>,
    ) -> actix_web::Result<ServiceResponse<impl MessageBody>> {
        next.call(request).await
    }

    fn name<Kind>(factory: impl MiddlewareFactory<Kind>) -> String {
        factory.name().to_string()
    }

    fn wrapped<Kind, M: Middleware<Kind>>(_: M) -> String {
        M::name().to_string()
    }

    #[test]
    fn a_middleware_has_the_name_of_its_type_or_function_without_modules() {
        assert_eq!(name(Logger::default), "Logger");
        assert_eq!(name(guard), "guard");
        assert_eq!(name(|| guard), "guard");
        assert_eq!(name(|| from_fn(guard)), "guard");
        assert_eq!(
            name(|| Condition::new(true, Logger::default())),
            "Condition<Logger>"
        );
        assert_eq!(wrapped(Logger::default()), "Logger");
        assert_eq!(wrapped(guard), "guard");
    }

    #[test]
    fn a_closure_has_no_name() {
        let pass = async |request: ServiceRequest, next: Next<_>| next.call(request).await;
        assert_eq!(name(pass), "closure");
        assert_eq!(name(move || from_fn(pass)), "closure");
    }

    #[test]
    fn every_path_in_a_type_is_cut_down() {
        for (long, short) in [
            ("a::B", "B"),
            ("a::B<c::D<e::F>, (g::H, i::J)>", "B<D<F>, (H, J)>"),
            ("a::B<c::main::{{closure}}>", "B<{{closure}}>"),
            ("&'static [a::B; 3]", "&'static [B; 3]"),
            (
                "a::B<dyn c::D<e::F> + core::marker::Send>",
                "B<dyn D<F> + Send>",
            ),
        ] {
            assert_eq!(without_modules(long), short);
        }
    }
}
