//! A checked declaration, and the checks that need two of its parts.

use proc_macro2::Ident;
use syn::ext::IdentExt as _;
use syn::{LitStr, Type};

use crate::errors::{Errors, Problem, edit_distance, fragment_span};
use crate::method::Method;
use crate::options::{self, Dynamic, Options, Revalidate, Scope, TagPart};
use crate::pattern::{self, ErrorKind, ParamKind, Pattern, PatternError};
use crate::signature::Handler;

/// Everything expansion needs; there is no invalid one.
pub(crate) struct RouteSpec {
    pub(crate) kind: Kind,
    pub(crate) source: LitStr,
    pub(crate) pattern: Pattern,
    pub(crate) options: Options,
    pub(crate) handlers: Vec<HandlerSpec>,
}

/// The variants' names are those of `route_runtime`'s enum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Route,
    Page,
}

pub(crate) struct HandlerSpec {
    pub(crate) method: Method,
    pub(crate) handler: Handler,
    /// Where each argument comes from, in their order.
    pub(crate) origins: Vec<Origin>,
    /// A parameter that no argument binds by name: some extractor must read it, which only
    /// types can tell.
    pub(crate) unbound: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The parameter of this index.
    Param { index: usize, kind: ParamKind },
    /// The request, through `FromRequest`.
    Extractor,
}

impl RouteSpec {
    pub(crate) fn new(
        kind: Kind,
        source: LitStr,
        pattern: Pattern,
        options: Options,
        handlers: Vec<(Method, Handler)>,
        errors: &mut Errors,
    ) -> Self {
        let handlers: Vec<_> = handlers
            .into_iter()
            .map(|(method, handler)| HandlerSpec::new(method, handler, &pattern, &source, errors))
            .collect();
        let spec = Self {
            kind,
            source,
            pattern,
            options,
            handlers,
        };
        spec.check_scopes(errors);
        spec.check_lifetimes(errors);
        spec.check_params(errors);
        spec
    }

    /// Options that speak of GET or of a body, without either.
    fn check_scopes(&self, errors: &mut Errors) {
        let answers = |wanted: fn(Method) -> bool| {
            let mut methods = self.handlers.iter().map(|handler| handler.method);
            methods.any(wanted)
        };
        let methods: Vec<_> = self.handlers.iter().map(|h| h.method.name()).collect();
        let methods = methods.join(", ");
        let has_params = self.pattern.params().next().is_some();
        for name in self.options.given() {
            let scope = options::scope(name);
            let is_get_only = matches!(scope, Scope::Get | Scope::GetWithParams);
            if is_get_only && !answers(|method| method == Method::Get) {
                errors.push(
                    Problem::new(
                        name,
                        format_args!("option `{name}` speaks of GET, but this answers {methods}"),
                    )
                    .help("move it to the handler of GET, or remove it"),
                );
            } else if scope == Scope::GetWithParams && !has_params {
                errors.push(
                    Problem::new(
                        name,
                        format_args!(
                            "option `{name}` speaks of parameters, but `{}` has none",
                            self.source.value()
                        ),
                    )
                    .help("remove it, or name a parameter in the pattern, as in `[id]`"),
                );
            } else if scope == Scope::Body && !answers(Method::has_body) {
                errors.push(
                    Problem::new(
                        name,
                        format_args!(
                            "option `{name}` speaks of a body, but this answers {methods}"
                        ),
                    )
                    .help("remove it")
                    .note("POST, PUT, PATCH and DELETE can have a body"),
                );
            }
        }
    }

    /// `revalidate`, `expire` and `dynamic` against each other.
    fn check_lifetimes(&self, errors: &mut Errors) {
        let Options {
            dynamic,
            revalidate,
            expire,
            ..
        } = &self.options;
        if let (Some(dynamic), Some(revalidate)) = (dynamic, revalidate)
            && matches!(dynamic.value, Dynamic::ForceStatic | Dynamic::Error)
            && revalidate.value == Revalidate::After(0)
        {
            let word = match dynamic.value {
                Dynamic::Error => "\"error\"",
                _ => "\"force-static\"",
            };
            errors.push(
                Problem::new(
                    &revalidate.source,
                    format_args!(
                        "`revalidate = 0` renders for every request, but `dynamic = {word}` \
                         promises a cached response"
                    ),
                )
                .help("remove one of the two"),
            );
        }
        let Some(expire) = expire else { return };
        match revalidate.as_ref().map(|given| given.value) {
            Some(Revalidate::After(seconds)) if seconds > 0 => {
                if expire.value <= seconds {
                    errors.push(
                        Problem::new(
                            &expire.source,
                            format_args!(
                                "`expire = {}` is not after `revalidate = {seconds}`",
                                expire.value
                            ),
                        )
                        .help(format_args!("more than `{seconds}`, or remove `expire`"))
                        .note("an entry is fresh until `revalidate`, then stale until `expire`"),
                    );
                }
            }
            _ => errors.push(
                Problem::new(&expire.name, "`expire` without a `revalidate` of seconds")
                    .help(format_args!(
                        "say when an entry becomes stale, as in `revalidate = {}`",
                        (expire.value / 10).max(1)
                    ))
                    .note("`expire` ends the time in which a stale entry is still served"),
            ),
        }
    }

    /// `static_params`, `dynamic_params` and `tags` against the pattern.
    fn check_params(&self, errors: &mut Errors) {
        let options = &self.options;
        if let (Some(dynamic_params), None) = (&options.dynamic_params, &options.static_params)
            && self.pattern.params().next().is_some()
        {
            errors.push(
                Problem::new(
                    &dynamic_params.name,
                    "`dynamic_params` without `static_params`",
                )
                .help("name the function that lists the paths, as in `static_params = ids`")
                .note("it says what becomes of the paths which that list does not name"),
            );
        }
        for tag in options.tags.iter().flat_map(|given| &given.value) {
            for part in &tag.parts {
                let TagPart::Param(name) = part else { continue };
                if self.pattern.param(name).is_none() {
                    let problem = Problem::new(
                        &tag.source,
                        format_args!(
                            "tag `{}` names no parameter: `{{{name}}}`",
                            tag.source.value()
                        ),
                    );
                    let params: Vec<_> = self
                        .pattern
                        .params()
                        .map(|param| format!("{{{}}}", param.name))
                        .collect();
                    errors.push(if params.is_empty() {
                        problem.note(format_args!("`{}` has none", self.source.value()))
                    } else {
                        problem.note(format_args!(
                            "expected one of {}",
                            crate::errors::list(params)
                        ))
                    });
                }
            }
        }
    }
}

impl HandlerSpec {
    fn new(
        method: Method,
        handler: Handler,
        pattern: &Pattern,
        source: &LitStr,
        errors: &mut Errors,
    ) -> Self {
        let origins: Vec<_> = handler
            .arguments
            .iter()
            .map(|argument| {
                argument
                    .name
                    .as_ref()
                    .and_then(|name| pattern.param(&name.unraw().to_string()))
                    .map_or(Origin::Extractor, |(index, param)| Origin::Param {
                        index,
                        kind: param.kind,
                    })
            })
            .collect();
        let mut spec = Self {
            method,
            handler,
            origins,
            unbound: None,
        };
        spec.check_bindings(pattern, source, errors);
        spec
    }

    /// Every parameter is bound by an argument, or read by one that sees them all.
    fn check_bindings(&mut self, pattern: &Pattern, source: &LitStr, errors: &mut Errors) {
        let is_bound = |wanted: usize| {
            let mut origins = self.origins.iter();
            origins.any(|origin| matches!(origin, Origin::Param { index, .. } if *index == wanted))
        };
        let unbound: Vec<_> = pattern
            .params()
            .enumerate()
            .filter(|&(index, _)| !is_bound(index))
            .map(|(_, param)| param)
            .collect();
        let extractors: Vec<_> = self.extractors().collect();
        let (Some(first), false) = (
            unbound.first(),
            extractors.iter().any(|argument| reads_params(&argument.ty)),
        ) else {
            return;
        };

        for param in &unbound {
            let misspelt = extractors
                .iter()
                .filter_map(|argument| argument.name.as_ref())
                .find(|name| edit_distance(&name.unraw().to_string(), &param.name) == 1);
            if let Some(name) = misspelt {
                errors.push(
                    Problem::new(
                        name,
                        format_args!("argument `{name}` is no parameter of `{}`", source.value()),
                    )
                    .help(format_args!(
                        "did you mean `{}`?",
                        argument_name(&param.name)
                    ))
                    .note("an argument is bound to the parameter of the same name"),
                );
                return;
            }
        }
        if extractors.is_empty() {
            let function = &self.handler.ident;
            for param in &unbound {
                let wanted = match param.kind {
                    ParamKind::Single => "String",
                    ParamKind::CatchAll | ParamKind::OptionalCatchAll => "Vec<String>",
                };
                errors.push(
                    Problem::new(
                        function,
                        format_args!("no argument of `{function}` binds `{param}`"),
                    )
                    .help(format_args!(
                        "add the argument `{}: {wanted}`",
                        argument_name(&param.name)
                    ))
                    .note("an argument is bound to the parameter of the same name"),
                );
            }
        } else {
            self.unbound = Some(first.to_string());
        }
    }

    pub(crate) fn extractors(&self) -> impl Iterator<Item = &crate::signature::Argument> {
        self.handler
            .arguments
            .iter()
            .zip(&self.origins)
            .filter(|(_, origin)| **origin == Origin::Extractor)
            .map(|(argument, _)| argument)
    }
}

/// Whether a type is spelt like one that sees every parameter. What it really is, an alias say,
/// the generated code asks.
fn reads_params(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path
        .segments
        .last()
        .is_some_and(|last| last.ident == "Path" || last.ident == "HttpRequest")
}

/// How a parameter's name is written as an argument.
pub(crate) fn argument_name(param: &str) -> String {
    if syn::parse_str::<Ident>(param).is_ok() {
        param.into()
    } else {
        format!("r#{param}")
    }
}

/// Parses the pattern; an error quotes the fragment that is wrong.
pub(crate) fn check_pattern(literal: &LitStr) -> Result<Pattern, Problem> {
    let text = literal.value();
    pattern::parse(&text).map_err(|PatternError { kind, range }| {
        let fragment = &text[range.clone()];
        let at = fragment_span(literal, range);
        let problem = |what: &str| Problem::at(at, format_args!("{what} in `{text}`"));
        let quoted = |what: &str| problem(&format!("{what} `{fragment}`"));
        match kind {
            ErrorKind::NoLeadingSlash => Problem::at(
                at,
                format_args!("pattern `{text}` does not start with a slash"),
            )
            .help(format_args!("`\"/{}\"`", text.trim_matches('/'))),
            ErrorKind::TrailingSlash => problem("trailing slash")
                .help(format_args!("`\"/{}\"`", text.trim_matches('/')))
                .note("a request with a trailing slash is redirected to the path without"),
            ErrorKind::DoubleSlash => quoted("empty segment").help("write one slash"),
            ErrorKind::Query => quoted("query in segment")
                .help("remove it, and read it in the handler: `req.search_params()`"),
            ErrorKind::Fragment => quoted("fragment in segment")
                .help("remove it: a browser never sends what follows `#`"),
            ErrorKind::DotSegment => quoted("dot segment")
                .help("write the path it leads to")
                .note("clients and proxies resolve `.` and `..` before they send a path"),
            ErrorKind::Backslash => quoted("backslash in segment").help("segments end with `/`"),
            ErrorKind::Control => {
                Problem::at(at, format_args!("control character in pattern {text:?}"))
            }
            ErrorKind::Encoded { decoded } => quoted("percent-encoded segment")
                .help(format_args!("write it decoded: `{decoded}`"))
                .note("a request is decoded before it is matched"),
            ErrorKind::Unclosed { close } => {
                quoted("unclosed segment").help(format_args!("`{fragment}{close}`"))
            }
            ErrorKind::Unopened => quoted("unopened parameter").help(format_args!("`[{fragment}`")),
            ErrorKind::NoName => quoted("parameter without a name").help("name it, as in `[id]`"),
            ErrorKind::InvalidName => quoted("no Rust identifier in parameter")
                .note("an argument of the handler has the parameter's name"),
            ErrorKind::Partial => quoted("parameter beside text in segment")
                .help("a parameter is a whole segment: bind it all and split it in the handler"),
            ErrorKind::OptionalSingle { name } => quoted("optional single parameter").help(
                format_args!("`[[...{name}]]` for any number of segments, `[{name}]` for one"),
            ),
            ErrorKind::TwoDots { name } => {
                quoted("two dots in parameter").help(format_args!("did you mean `[...{name}]`?"))
            }
            ErrorKind::CatchAllNotLast => quoted("segment after a catch-all:")
                .help("end the pattern with the catch-all: it takes all that follows"),
            ErrorKind::RepeatedName => quoted("repeated parameter").help("give it another name"),
            ErrorKind::InvalidGroup => quoted("malformed group")
                .note("a group is a name in parentheses, as in `(shop)`, and no part of the URL"),
            ErrorKind::Intercepting => quoted("intercepting segment")
                .help("remove it: it has no meaning for what is served over HTTP"),
            ErrorKind::Foreign { ours } => {
                quoted("foreign parameter").help(format_args!("did you mean `{ours}`?"))
            }
        }
    })
}
