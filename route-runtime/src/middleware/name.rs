//! The names of middleware, as the table of routes shows them.

use std::any::type_name;

/// The name of a middleware's type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MiddlewareName {
    /// The type or the function.
    Known {
        /// The name without modules and generic arguments.
        short: String,
        /// The name by which one is told from another: of a function the whole path, of a type what
        /// it is made of, without modules, which a new version of another crate may change.
        lasting: String,
    },
    /// A closure has no name.
    Closure,
}

impl MiddlewareName {
    /// Returns the name of a `Transform`. One that was made by `from_fn` has the name of its
    /// function.
    pub(super) fn of_transform<M>() -> Self {
        let name = type_name::<M>();
        let lasting = without_modules(name);
        match name.split_once('<') {
            Some((_, function)) if lasting.starts_with("MiddlewareFn<") => {
                Self::of_function_named(first_argument(function))
            }
            _ => Self::Known {
                short: without_arguments(&lasting).into(),
                lasting,
            },
        }
    }

    pub(super) fn of_function<F>() -> Self {
        Self::of_function_named(type_name::<F>())
    }

    fn of_function_named(name: &str) -> Self {
        if name.ends_with(CLOSURE) {
            return Self::Closure;
        }
        Self::Known {
            short: without_arguments(&without_modules(name)).into(),
            lasting: name.into(),
        }
    }

    /// Returns the name without modules and generic arguments, or `closure`.
    pub(crate) fn short(&self) -> &str {
        match self {
            Self::Known { short, .. } => short,
            Self::Closure => "closure",
        }
    }

    /// Returns the name by which one middleware is told from another, or `closure`.
    pub(crate) fn lasting(&self) -> &str {
        match self {
            Self::Known { lasting, .. } => lasting,
            Self::Closure => "closure",
        }
    }
}

/// The compiler's name for a closure.
const CLOSURE: &str = "{{closure}}";

/// Returns the name of a type with every path in it cut down to its last segment.
fn without_modules(name: &str) -> String {
    let mut short = String::new();
    let mut path = 0;
    for c in name.chars() {
        if c == ':' {
            // `<A as B>::c` is no path of modules.
            match short.ends_with(['>', ':']) {
                true => short.push(c),
                false => short.truncate(path),
            }
            path = short.len();
            continue;
        }
        short.push(c);
        if !(c.is_alphanumeric() || matches!(c, '_' | '{' | '}')) {
            path = short.len();
        }
    }
    short
}

/// Returns a name without the generic arguments at its end.
fn without_arguments(name: &str) -> &str {
    match name.find('<') {
        Some(at) if at > 0 => &name[..at],
        _ => name,
    }
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
    use actix_web::body::{BoxBody, MessageBody};
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
        factory.name().short().to_owned()
    }

    fn wrapped<Kind, M: Middleware<Kind>>(_: M) -> String {
        M::name().short().to_owned()
    }

    #[test]
    fn a_middleware_has_the_name_of_its_type_or_function_without_modules() {
        assert_eq!(name(Logger::default), "Logger");
        assert_eq!(name(guard), "guard");
        assert_eq!(name(|| guard), "guard");
        assert_eq!(name(|| from_fn(guard)), "guard");
        assert_eq!(
            name(|| Condition::new(true, Logger::default())),
            "Condition"
        );
        assert_eq!(wrapped(Logger::default()), "Logger");
        assert_eq!(wrapped(guard), "guard");
    }

    async fn only<Role: 'static>(
        request: ServiceRequest,
        next: Next<impl MessageBody>,
    ) -> actix_web::Result<ServiceResponse<impl MessageBody>> {
        assert_ne!(type_name::<Role>(), "");
        next.call(request).await
    }

    mod other {
        pub(super) use super::guard as same;

        pub(super) async fn guard(
            request: super::ServiceRequest,
            next: super::Next<super::BoxBody>,
        ) -> actix_web::Result<super::ServiceResponse> {
            next.call(request).await
        }
    }

    trait Guarding {
        async fn check(
            request: ServiceRequest,
            next: Next<BoxBody>,
        ) -> actix_web::Result<ServiceResponse> {
            next.call(request).await
        }
    }

    struct Admin;
    struct Anyone;
    impl Guarding for Admin {}
    impl Guarding for Anyone {}

    #[test]
    fn two_functions_have_two_lasting_names() {
        fn lasting<Kind>(factory: impl MiddlewareFactory<Kind>) -> String {
            factory.name().lasting().to_owned()
        }
        let names = [
            lasting(guard),
            lasting(other::guard),
            lasting(only::<Admin>),
            lasting(only::<Anyone>),
            lasting(|| from_fn(only::<Option<Admin>>)),
            lasting(Admin::check),
            lasting(Anyone::check),
        ];
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{names:#?}");
        assert_eq!(lasting(other::same), names[0]);
        let nested = lasting(|| Condition::new(true, Logger::default()));
        assert_eq!(nested, "Condition<Logger>");
        assert_eq!(name(only::<Admin>), "only");
        assert_eq!(name(Admin::check), "<Admin as Guarding>::check");
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
