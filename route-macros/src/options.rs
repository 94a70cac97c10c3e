//! The one table of options: the name of each, the values it may have, and where it belongs.

use proc_macro2::Ident;
use syn::{Expr, Path};

use crate::errors::{Errors, Problem, list, nearest};
use crate::syntax::{OptionArg, WrittenOption};

mod cached;
mod tag;
mod value;

pub(crate) use cached::{CachedOptions, check as check_cached};
pub(crate) use tag::{Tag, TagPart};

/// The options of one declaration. An option that was not given, or could not be read, is `None`.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) dynamic: Option<Given<Dynamic>>,
    pub(crate) revalidate: Option<Given<Revalidate>>,
    pub(crate) expire: Option<Given<u32>>,
    pub(crate) static_params: Option<Given<Path>>,
    pub(crate) dynamic_params: Option<Given<bool>>,
    pub(crate) fetch_cache: Option<Given<FetchCache>>,
    pub(crate) tags: Option<Given<Vec<Tag>>>,
    pub(crate) cdn: Option<Given<Cdn>>,
    pub(crate) wrap: Vec<Given<Path>>,
    pub(crate) max_duration: Option<Given<u32>>,
    pub(crate) body_limit: Option<Given<u64>>,
    /// The name and the scope of each option that was given and is in the table, even if its value
    /// could not be read.
    pub(crate) names: Vec<(Ident, Scope)>,
}

/// The value of an option, with the tokens it was written as.
pub(crate) struct Given<T> {
    pub(crate) name: Ident,
    pub(crate) source: Expr,
    pub(crate) value: T,
}

/// A value of `dynamic`. Expansion prints the variants' names, which are those of `route_runtime`'s
/// enum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "the values are called so")]
pub(crate) enum Dynamic {
    Auto,
    ForceDynamic,
    Error,
    ForceStatic,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Revalidate {
    Never,
    After(u32),
}

/// A value of `fetch_cache`. Expansion prints the variants' names, which are those of
/// `route_runtime`'s enum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FetchCache {
    Auto,
    DefaultCache,
    OnlyCache,
    ForceCache,
    DefaultNoStore,
    ForceNoStore,
    OnlyNoStore,
}

/// A value of `cdn`. Expansion prints the variants' names, which are those of `route_runtime`'s
/// enum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cdn {
    No,
    Yes,
    Public,
}

/// The declarations on which an option has a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Every declaration.
    Any,
    /// Declarations that answer GET: the option is about the caching of GET's response.
    Get,
    /// Declarations that answer GET, on a pattern with parameters.
    GetWithParams,
    /// Declarations that answer a method with a request body.
    Body,
}

struct Rule {
    name: &'static str,
    scope: Scope,
    read: Reader<Options>,
}

type Reader<O> = fn(OptionArg, &mut O) -> Result<(), Problem>;

/// Makes the reader of an option that may be given only once.
macro_rules! read_once {
    ($field:ident, $reader:path) => {
        |arg, options| {
            if let Some(first) = &options.$field {
                return Err(repeated(&arg.name, &first.name));
            }
            let value = $reader(&arg)?;
            options.$field = Some(Given::new(arg, value));
            Ok(())
        }
    };
}
use read_once;

macro_rules! once {
    ($field:ident, $scope:ident, $reader:path) => {
        Rule {
            name: stringify!($field),
            scope: Scope::$scope,
            read: read_once!($field, $reader),
        }
    };
}

const TABLE: &[Rule] = &[
    once!(dynamic, Get, value::dynamic),
    once!(revalidate, Get, value::revalidate),
    once!(expire, Get, value::seconds),
    once!(static_params, GetWithParams, value::path),
    once!(dynamic_params, GetWithParams, value::boolean),
    once!(fetch_cache, Any, value::fetch_cache),
    once!(tags, Get, tag::tags),
    once!(cdn, Get, value::cdn),
    Rule {
        name: "wrap",
        scope: Scope::Any,
        read: |arg, options| {
            let value = value::path(&arg)?;
            options.wrap.push(Given::new(arg, value));
            Ok(())
        },
    },
    once!(max_duration, Any, value::positive_seconds),
    once!(body_limit, Body, value::bytes),
];

/// Reads every option. An option that cannot be read is left out, and its error is pushed.
///
/// Options are checked against each other only if all of them could be read. `args_are_whole` is
/// false if others were given that `args` lacks, because their names could not be read.
pub(crate) fn check(
    args: Vec<WrittenOption>,
    args_are_whole: bool,
    errors: &mut Errors,
) -> Options {
    let mut options = Options::default();
    let mut is_whole = args_are_whole;
    for arg in args {
        let result = options.read(arg);
        is_whole &= errors.absorb(result).is_some();
    }
    if is_whole {
        options.check_lifetimes(errors);
        options.check_cdn(errors);
    }
    options
}

impl Options {
    fn read(&mut self, arg: WrittenOption) -> syn::Result<()> {
        let Some(rule) = TABLE.iter().find(|rule| arg.name == rule.name) else {
            if arg.name == "method" || arg.name == "methods" {
                return Err(method(&arg.name).into());
            }
            return Err(unknown(&arg.name, || TABLE.iter().map(|rule| rule.name)).into());
        };
        if !self.names.iter().any(|(name, _)| *name == arg.name) {
            self.names.push((arg.name.clone(), rule.scope));
        }
        (rule.read)(arg.read()?, self)?;
        Ok(())
    }

    /// Returns whether an option was given that only GET can have.
    pub(crate) fn has_get_options(&self) -> bool {
        self.names.iter().any(|(_, scope)| scope.is_get())
    }

    /// Checks `cdn` against `wrap`.
    fn check_cdn(&self, errors: &mut Errors) {
        let Some(cdn) = self.cdn.as_ref().filter(|cdn| cdn.value == Cdn::Yes) else {
            return;
        };
        if !self.wrap.is_empty() {
            errors.push(
                Problem::new(&cdn.source, "`cdn = true` beside `wrap`")
                    .help(
                        "`cdn = \"public\"`, if the middleware does not decide who may read the \
                         response; otherwise remove `cdn`",
                    )
                    .note("a shared cache outside answers without asking the middleware"),
            );
        }
    }

    /// Checks `revalidate`, `expire` and `dynamic` against each other.
    fn check_lifetimes(&self, errors: &mut Errors) {
        if let (Some(dynamic), Some(revalidate)) = (&self.dynamic, &self.revalidate)
            && revalidate.value == Revalidate::After(0)
            && let Some(word) = match dynamic.value {
                Dynamic::Error => Some("error"),
                Dynamic::ForceStatic => Some("force-static"),
                Dynamic::Auto | Dynamic::ForceDynamic => None,
            }
        {
            errors.push(
                Problem::new(
                    &revalidate.source,
                    format_args!(
                        "`revalidate = 0` renders for every request, but `dynamic = \"{word}\"` \
                         promises a cached response"
                    ),
                )
                .help("remove one of the two"),
            );
        }

        let Some(expire) = &self.expire else { return };
        let revalidate = self.revalidate.as_ref().map(|given| given.value);
        let Some(Revalidate::After(seconds @ 1..)) = revalidate else {
            errors.push(
                Problem::new(&expire.name, "`expire` without a `revalidate` of seconds")
                    .help(format_args!(
                        "say when an entry becomes stale, as in `revalidate = {}`",
                        (expire.value / 10).max(1)
                    ))
                    .note("`expire` ends the time in which a stale entry is still served"),
            );
            return;
        };
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
}

impl Scope {
    pub(crate) fn is_get(self) -> bool {
        matches!(self, Self::Get | Self::GetWithParams)
    }
}

impl<T> Given<T> {
    fn new(arg: OptionArg, value: T) -> Self {
        Self {
            name: arg.name,
            source: arg.value,
            value,
        }
    }
}

fn repeated(name: &Ident, first: &Ident) -> Problem {
    Problem::new(name, format_args!("option `{name}` is given twice"))
        .help("remove one of the two")
        .and(first, format_args!("option `{name}` is first given here"))
}

/// Makes the error for `method = "POST"`.
fn method(name: &Ident) -> Problem {
    Problem::new(name, format_args!("unknown option `{name}`"))
        .help("write the method before the pattern, as in `POST, \"/api/posts\"`")
        .note("a module of functions answers several methods")
}

fn unknown<I: Iterator<Item = &'static str>>(name: &Ident, names: impl Fn() -> I) -> Problem {
    let found = name.to_string();
    let problem = Problem::new(name, format_args!("unknown option `{found}`"));
    if matches!(&*found, "runtime" | "preferredRegion" | "preferred_region") {
        return problem.help(format_args!("`{found}` has no meaning here, remove it"));
    }
    let snake = snake_case(&found);
    let meant = match &*snake {
        "generate_static_params" => names().find(|&name| name == "static_params"),
        _ => names()
            .find(|&name| name == snake)
            .or_else(|| nearest(&found, names())),
    };
    match meant {
        Some(meant) => problem.help(format_args!("did you mean `{meant}`?")),
        None => problem,
    }
    .note(format_args!("expected one of {}", list(names())))
}

/// Converts a name to snake case: `dynamicParams` → `dynamic_params`.
fn snake_case(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests;
