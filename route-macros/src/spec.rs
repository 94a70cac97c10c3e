//! A checked declaration, and the checks that need two of its parts.

use proc_macro2::Ident;
use syn::ext::IdentExt as _;
use syn::{LitStr, Type};

use crate::errors::{Errors, Problem, edit_distance, list, nearest};
use crate::method::Method;
use crate::options::{Options, Scope, Tag, TagPart};
use crate::pattern::{Param, ParamKind, Pattern};
use crate::signature::{Argument, Handler};

mod cached;

pub(crate) use cached::{CachedSpec, check_cached};

/// A checked declaration: everything that expansion needs. Expansion never gets an invalid one.
pub(crate) struct RouteSpec {
    pub(crate) kind: Kind,
    pub(crate) source: LitStr,
    pub(crate) pattern: Pattern,
    pub(crate) options: Options,
    pub(crate) handlers: Vec<HandlerSpec>,
}

/// The kind of a declaration. Expansion prints the variants' names, which are those of
/// `route_runtime`'s enum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Route,
    Page,
}

pub(crate) struct HandlerSpec {
    pub(crate) method: Method,
    pub(crate) handler: Handler,
    /// The origin of each argument, in the order of the arguments.
    pub(crate) origins: Vec<Origin>,
    pub(crate) unbound: Option<Unbound>,
}

/// A parameter that no argument binds by name. Some extractor must read it, and only types can tell
/// whether one does.
pub(crate) struct Unbound {
    pub(crate) param: Param,
    /// The argument that was perhaps meant to bind it.
    pub(crate) misspelt: Option<Ident>,
}

/// An argument whose name is almost that of a parameter.
struct Misspelt<'a> {
    name: &'a Ident,
    ty: &'a Type,
    param: &'a Param,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The parameter with this index.
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
        let handlers = handlers
            .into_iter()
            .map(|(method, handler)| HandlerSpec::new(method, handler, &pattern, &source, errors))
            .collect();
        Self {
            kind,
            source,
            pattern,
            options,
            handlers,
        }
    }
}

/// Checks the options against the methods and the pattern. An option may need GET, a request body
/// or parameters, and a tag may name only parameters of the pattern.
pub(crate) fn check_options(
    options: &Options,
    methods: Option<&[Method]>,
    pattern: Option<(&LitStr, &Pattern)>,
    errors: &mut Errors,
) {
    for (name, scope) in &options.names {
        if let Some(methods) = methods
            && !belongs(*scope, methods)
        {
            errors.push(misplaced(name, *scope, methods));
        } else if let (Scope::GetWithParams, Some((source, pattern))) = (scope, pattern)
            && !pattern.has_params()
        {
            let source = source.value();
            errors.push(
                Problem::new(
                    name,
                    format_args!(
                        "option `{name}` only applies to parameters, but `{source}` has none"
                    ),
                )
                .help("remove it, or name a parameter in the pattern, as in `[id]`"),
            );
        }
    }

    let Some((source, pattern)) = pattern else {
        return;
    };
    let lists_params = options.names.iter().any(|(it, _)| it == "static_params");
    if let Some(dynamic_params) = &options.dynamic_params
        && !lists_params
        && pattern.has_params()
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
    let is_given = |name: &str| options.names.iter().any(|(it, _)| it == name);
    if let Some(store) = &options.store
        && !store.value
        && pattern.has_params()
        && !["static_params", "revalidate", "dynamic"]
            .into_iter()
            .any(is_given)
    {
        errors.push(
            Problem::new(
                &store.source,
                format_args!(
                    "`store = false` on `{}`, which is rendered for every request",
                    source.value()
                ),
            )
            .help("say how long a response is fresh, as in `revalidate = 60`, or remove `store`")
            .note(
                "a route with parameters is cached with `revalidate`, `static_params`, or `dynamic = \
                 \"force-static\"` or `\"error\"`",
            ),
        );
    }
    let names: Vec<_> = pattern.params().map(|param| param.name.clone()).collect();
    let names = Names {
        noun: "a parameter",
        of: source.value(),
        names: &names,
    };
    for tag in options.tags.iter().flat_map(|given| &given.value) {
        names.check_tag(tag, errors);
    }
}

fn misplaced(name: &Ident, scope: Scope, methods: &[Method]) -> Problem {
    // Alternatives by `cfg` answer the same method.
    let mut answered: Vec<_> = Vec::new();
    for method in methods.iter().map(|method| method.name()) {
        if !answered.contains(&method) {
            answered.push(method);
        }
    }
    let this = if answered.len() == 1 {
        "handler"
    } else {
        "module"
    };
    let answered = answered.join(", ");
    let to = if scope.is_get() {
        "GET"
    } else {
        "methods with a body"
    };
    let problem = Problem::new(
        name,
        format_args!("option `{name}` only applies to {to}, but this {this} answers {answered}"),
    );
    if scope.is_get() {
        problem.help("move it to the handler of GET, or remove it")
    } else {
        problem
            .help("remove it")
            .note("POST, PUT, PATCH and DELETE can have a body")
    }
}

fn belongs(scope: Scope, methods: &[Method]) -> bool {
    methods.iter().any(|method| scope.covers(*method))
}

/// The names that a tag or `skip` may use.
struct Names<'a> {
    /// The word for one of them: `a parameter`.
    noun: &'static str,
    /// The pattern or the function that they belong to.
    of: String,
    names: &'a [String],
}

impl Names<'_> {
    fn check_tag(&self, tag: &Tag, errors: &mut Errors) {
        for part in &tag.parts {
            let TagPart::Param(found) = part else {
                continue;
            };
            if self.names.contains(found) {
                continue;
            }
            let (noun, of, tag_text) = (self.noun, &self.of, tag.source.value());
            let problem = Problem::new(
                &tag.source,
                format_args!("`{{{found}}}` in tag `{tag_text}` is not {noun} of `{of}`"),
            );
            errors.push(self.suggest(problem, found, |name| format!("{{{name}}}")));
        }
    }

    /// Adds to a problem the name that `found` was probably meant to be, and the list of all names.
    /// `written` writes a name as it would stand in place of `found`.
    fn suggest(&self, problem: Problem, found: &str, written: fn(&str) -> String) -> Problem {
        let problem = match nearest(found, self.names.iter().map(String::as_str)) {
            Some(meant) => problem.help(format_args!("did you mean `{}`?", written(meant))),
            None => problem,
        };
        if self.names.is_empty() {
            return problem.note(format_args!("`{}` has none", self.of));
        }
        let names = self.names.iter().map(|name| written(name));
        problem.note(format_args!("expected one of {}", list(names)))
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
        let names = handler.arguments.iter().map(|argument| {
            let name = argument.name.as_ref()?;
            Some(name.unraw().to_string())
        });
        let names: Vec<_> = names.collect();
        let origins = names.iter().map(|name| {
            let bound = name.as_ref().and_then(|name| {
                // `_id` is an unused `id`, unless another argument is called `id`.
                let unused = name
                    .strip_prefix('_')
                    .filter(|unused| !names.iter().flatten().any(|name| name == unused));
                pattern.param(name).or_else(|| pattern.param(unused?))
            });
            bound.map_or(Origin::Extractor, |(index, param)| Origin::Param {
                index,
                kind: param.kind,
            })
        });
        let origins = origins.collect();
        let mut spec = Self {
            method,
            handler,
            origins,
            unbound: None,
        };
        spec.check_bindings(pattern, source, errors);
        spec
    }

    /// Checks that every parameter is bound by an argument, or may be read by an extractor that
    /// sees them all.
    fn check_bindings(&mut self, pattern: &Pattern, source: &LitStr, errors: &mut Errors) {
        let unbound: Vec<_> = pattern
            .params()
            .enumerate()
            .filter(|&(index, _)| self.bound_to(index).is_none())
            .map(|(_, param)| param)
            .collect();
        let Some(first) = unbound.first() else { return };
        if self.extractors().next().is_none() {
            self.report_unbound(&unbound, errors);
            return;
        }

        let misspelt: Vec<_> = self.misspelt(&unbound).collect();
        // Any other extractor may be one that reads every parameter, and then nothing is misspelt.
        // But a number is never an extractor, whatever the others are.
        let are_all = misspelt.len() == self.extractors().count();
        let (certain, perhaps): (Vec<_>, Vec<_>) = misspelt
            .into_iter()
            .partition(|it| are_all || is_primitive(it.ty));
        for Misspelt { name, param, .. } in &certain {
            errors.push(
                Problem::new(
                    name,
                    format_args!(
                        "argument `{name}` is not a parameter of `{}`",
                        source.value()
                    ),
                )
                .help(format_args!(
                    "did you mean `{}`?",
                    argument_name(&param.name)
                ))
                .note("an argument is bound to the parameter of the same name"),
            );
        }
        if !certain.is_empty() {
            return;
        }
        let misspelt = perhaps.first();
        self.unbound = Some(Unbound {
            param: misspelt.map_or(*first, |it| it.param).clone(),
            misspelt: misspelt.map(|it| it.name.clone()),
        });
    }

    fn report_unbound(&self, unbound: &[&Param], errors: &mut Errors) {
        let function = &self.handler.ident;
        for param in unbound {
            errors.push(
                Problem::new(
                    function,
                    format_args!("no argument of `{function}` binds `{param}`"),
                )
                .help(format_args!("add the argument `{}`", as_argument(param)))
                .note("an argument is bound to the parameter of the same name"),
            );
        }
    }

    /// Returns the arguments whose names are almost those of unbound parameters. There are none if
    /// the type of any argument is spelt like an extractor that reads every parameter.
    fn misspelt<'a>(&'a self, unbound: &'a [&'a Param]) -> impl Iterator<Item = Misspelt<'a>> {
        let reads_params = self.extractors().any(|it| reads_params(&it.ty));
        let extractors = self.extractors().filter(move |_| !reads_params);
        extractors.filter_map(|Argument { name, ty, .. }| {
            let name = name.as_ref()?;
            let found = name.unraw().to_string();
            let mut unbound = unbound.iter();
            let param = unbound.find(|param| is_misspelling(&found, &param.name))?;
            Some(Misspelt { name, ty, param })
        })
    }

    /// Returns the argument that is bound to the parameter with this index.
    pub(crate) fn bound_to(&self, wanted: usize) -> Option<&Argument> {
        self.handler
            .arguments
            .iter()
            .zip(&self.origins)
            .find_map(|(argument, origin)| match origin {
                Origin::Param { index, .. } if *index == wanted => Some(argument),
                Origin::Param { .. } | Origin::Extractor => None,
            })
    }

    pub(crate) fn extractors(&self) -> impl Iterator<Item = &Argument> {
        self.handler
            .arguments
            .iter()
            .zip(&self.origins)
            .filter(|(_, origin)| **origin == Origin::Extractor)
            .map(|(argument, _)| argument)
    }
}

/// Returns whether a type is spelt like an extractor that reads every parameter. Then the names of
/// arguments prove nothing, and the generated code asks what the type really is.
fn reads_params(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path
        .segments
        .last()
        .is_some_and(|last| last.ident == "Path" || last.ident == "HttpRequest")
}

/// Returns whether a type is a number, `bool` or `char`, into which no request can be turned.
fn is_primitive(ty: &Type) -> bool {
    const NAMES: [&str; 16] = [
        "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16",
        "u32", "u64", "u128", "usize",
    ];
    let Type::Path(path) = ty else { return false };
    let name = path.path.get_ident();
    name.is_some_and(|name| NAMES.iter().any(|it| name == it))
}

/// Returns whether an argument's name is a parameter's name with one typing mistake. The
/// parameter's name must have three letters or more: `ip` is not an `id`.
fn is_misspelling(argument: &str, param: &str) -> bool {
    param.chars().count() > 2 && edit_distance(argument, param) == 1
}

/// Returns the argument that would bind a parameter, as the user would write it.
pub(crate) fn as_argument(param: &Param) -> String {
    let ty = match param.kind {
        ParamKind::Single => "String",
        ParamKind::CatchAll | ParamKind::OptionalCatchAll => "Vec<String>",
    };
    format!("{}: {ty}", argument_name(&param.name))
}

/// Returns a parameter's name as it is written for an argument: `r#type` for `type`.
pub(crate) fn argument_name(param: &str) -> String {
    if syn::parse_str::<Ident>(param).is_ok() {
        param.into()
    } else {
        format!("r#{param}")
    }
}
