//! The one table of options: the name of each, the values it may have, and where it belongs.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Expr, Path};

use crate::errors::{Errors, Problem, list, nearest};
use crate::method::Method;
use crate::syntax::{OptionArg, WrittenOption};

mod cached;
pub(crate) mod print;
mod tag;
mod value;

pub(crate) use cached::{CachedOptions, check as check_cached};
pub(crate) use print::Printing;
pub(crate) use tag::{Tag, TagPart};

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

/// A row of the table: everything that this crate knows of an option.
struct Rule {
    name: &'static str,
    /// The handlers on which the option has a meaning.
    scope: Scope,
    read: Reader<Options>,
    /// Prints the value, if the option was given.
    print: fn(&Options, &Printing<'_>) -> Option<TokenStream>,
    /// A value that tests use.
    #[cfg_attr(not(test), expect(dead_code, reason = "for tests"))]
    right: &'static str,
    /// A value that is refused.
    #[cfg_attr(not(test), expect(dead_code, reason = "for tests"))]
    wrong: &'static str,
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

/// Makes the reader of an option whose values add up.
macro_rules! read_each {
    ($field:ident, $reader:path) => {
        |arg, options| {
            let value = $reader(&arg)?;
            match &mut options.$field {
                Some(given) => given.value.push(value),
                None => options.$field = Some(Given::new(arg, vec![value])),
            }
            Ok(())
        }
    };
}

/// Makes the table, and the options that it reads into, of one row for each option: its name and
/// the type of its value; where it has a meaning; how it is read; how it is printed; a value that
/// is right, and one that is wrong.
macro_rules! options {
    ($($name:ident: $ty:ty, $scope:ident, $how:ident!($reader:path), $print:path, $right:literal, $wrong:literal;)*) => {
        /// Every option that was given, with its value; `None` for an option that was not given.
        #[derive(Default)]
        pub(crate) struct Options {
            $(pub(crate) $name: Option<Given<$ty>>,)*
            /// The name of each option that was given and that the table knows, with its scope. It
            /// is here even if its value could not be read.
            pub(crate) names: Vec<(Ident, Scope)>,
        }

        const TABLE: &[Rule] = &[$(Rule {
            name: stringify!($name),
            scope: Scope::$scope,
            read: $how!($name, $reader),
            print: |options, printing| {
                let given = options.$name.as_ref()?;
                Some($print(&given.value, printing))
            },
            right: $right,
            wrong: $wrong,
        }),*];
    };
}

options! {
    dynamic: Dynamic, Get, read_once!(value::dynamic), print::dynamic, "\"auto\"", "1";
    revalidate: Revalidate, Get, read_once!(value::revalidate), print::revalidate, "60", "true";
    expire: u32, Get, read_once!(value::seconds), print::number, "600", "-1";
    static_params: Path, GetWithParams, read_once!(value::path), print::static_params, "paths", "paths()";
    dynamic_params: bool, GetWithParams, read_once!(value::boolean), print::flag, "false", "0";
    fetch_cache: FetchCache, Any, read_once!(value::fetch_cache), print::fetch_cache, "\"force-cache\"", "\"cache\"";
    tags: Vec<Tag>, Get, read_once!(tag::tags), print::tags, "[\"posts\", \"user:{user}\"]", "\"posts\"";
    cdn: Cdn, Get, read_once!(value::cdn), print::cdn, "\"public\"", "\"yes\"";
    store: bool, Get, read_once!(value::boolean), print::flag, "false", "0";
    wrap: Vec<Expr>, Any, read_each!(value::middleware), print::wrap, "guard", "\"guard\"";
    max_duration: u32, Any, read_once!(value::positive_seconds), print::number, "5", "0";
    body_limit: u64, Body, read_once!(value::bytes), print::number, "\"64KB\"", "\"64\"";
}

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
        options.check_store(errors);
    }
    options
}

impl Options {
    /// Prints the options that were given and that have a meaning for a method, as fields of the
    /// runtime's `Config`.
    pub(crate) fn print(&self, method: Method, printing: &Printing<'_>) -> TokenStream {
        let rules = TABLE.iter().filter(|rule| rule.scope.covers(method));
        let fields = rules.filter_map(|rule| {
            let value = (rule.print)(self, printing)?;
            let name = format_ident!("{}", rule.name);
            Some(quote! { #name: #value, })
        });
        fields.collect()
    }

    fn read(&mut self, arg: WrittenOption) -> syn::Result<()> {
        let Some(rule) = TABLE.iter().find(|rule| arg.name == rule.name) else {
            if arg.name == "method" || arg.name == "methods" {
                return Err(method_is_no_option(&arg.name).into());
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
        if self.wrap.is_some() {
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

    /// Checks `store` against options by which no response is ever cached.
    fn check_store(&self, errors: &mut Errors) {
        let Some(store) = self.store.as_ref().filter(|store| !store.value) else {
            return;
        };
        let dynamic = self.dynamic.as_ref().map(|given| given.value);
        let revalidate = self.revalidate.as_ref().map(|given| given.value);
        let beside = match (dynamic, revalidate) {
            (Some(Dynamic::ForceDynamic), _) => "`dynamic = \"force-dynamic\"`",
            (_, Some(Revalidate::After(0))) => "`revalidate = 0`",
            _ => return,
        };
        errors.push(
            Problem::new(
                &store.source,
                format_args!("`store = false` beside {beside}"),
            )
            .help("remove `store`")
            .note("a response that is rendered for every request is not kept anywhere"),
        );
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
    /// Returns whether an option of this scope has a meaning for a method.
    pub(crate) fn covers(self, method: Method) -> bool {
        match self {
            Self::Any => true,
            Self::Get | Self::GetWithParams => method == Method::Get,
            Self::Body => method.has_body(),
        }
    }

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
fn method_is_no_option(name: &Ident) -> Problem {
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

/// A value of an option that is right, with the option's name and scope.
#[cfg(test)]
pub(crate) fn right_values() -> impl Iterator<Item = (&'static str, Scope, &'static str)> {
    TABLE.iter().map(|rule| (rule.name, rule.scope, rule.right))
}

#[cfg(test)]
mod tests;
