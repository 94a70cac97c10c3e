//! The one table of options: what each is called, what it may be given, where it belongs.

use proc_macro2::Ident;
use quote::ToTokens as _;
use syn::{Expr, ExprLit, ExprUnary, Lit, Path, UnOp};

use crate::errors::{Errors, Problem, list, nearest};
use crate::syntax::OptionArg;

/// Every option that was given, read; `None` where it was not.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) dynamic: Option<Given<Dynamic>>,
    pub(crate) revalidate: Option<Given<Revalidate>>,
    pub(crate) expire: Option<Given<u32>>,
    pub(crate) static_params: Option<Given<Path>>,
    pub(crate) dynamic_params: Option<Given<bool>>,
    pub(crate) fetch_cache: Option<Given<FetchCache>>,
    pub(crate) tags: Option<Given<Vec<Tag>>>,
    pub(crate) cdn: Option<Given<bool>>,
    pub(crate) wrap: Vec<Given<Path>>,
    pub(crate) max_duration: Option<Given<u32>>,
    pub(crate) body_limit: Option<Given<u64>>,
}

/// A value with the tokens it was written as.
pub(crate) struct Given<T> {
    pub(crate) name: Ident,
    pub(crate) source: Expr,
    pub(crate) value: T,
}

/// The variants' names are those of `route_runtime`'s enum.
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

/// The variants' names are those of `route_runtime`'s enum.
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

/// `post:{id}` → `post:` and the parameter `id`.
pub(crate) struct Tag {
    pub(crate) source: syn::LitStr,
    pub(crate) parts: Vec<TagPart>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TagPart {
    Literal(String),
    Param(String),
}

/// Where an option has a meaning.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// On every handler.
    Any,
    /// Where GET is answered: it speaks of what GET's response is worth.
    Get,
    /// Where GET is answered, on a pattern with parameters.
    GetWithParams,
    /// Where a request body is expected.
    Body,
}

struct Rule {
    name: &'static str,
    scope: Scope,
    read: fn(OptionArg, &mut Options) -> Result<(), Problem>,
}

/// An option that may be given once.
macro_rules! once {
    ($field:ident, $scope:ident, $reader:path) => {
        Rule {
            name: stringify!($field),
            scope: Scope::$scope,
            read: |arg, options| {
                if let Some(first) = &options.$field {
                    return Err(repeated(&arg.name, &first.name));
                }
                let value = $reader(&arg)?;
                options.$field = Some(Given::new(arg, value));
                Ok(())
            },
        }
    };
}

const TABLE: &[Rule] = &[
    once!(dynamic, Get, dynamic),
    once!(revalidate, Get, revalidate),
    once!(expire, Get, seconds),
    once!(static_params, GetWithParams, path),
    once!(dynamic_params, GetWithParams, boolean),
    once!(fetch_cache, Any, fetch_cache),
    once!(tags, Get, tags),
    once!(cdn, Get, boolean),
    Rule {
        name: "wrap",
        scope: Scope::Any,
        read: |arg, options| {
            let value = path(&arg)?;
            options.wrap.push(Given::new(arg, value));
            Ok(())
        },
    },
    once!(max_duration, Any, positive_seconds),
    once!(body_limit, Body, bytes),
];

/// Where the option `name` of the table belongs.
pub(crate) fn scope(name: &Ident) -> Scope {
    TABLE
        .iter()
        .find(|rule| name == rule.name)
        .map_or(Scope::Any, |rule| rule.scope)
}

/// Reads every option; what cannot be read is pushed and left out.
pub(crate) fn check(args: Vec<OptionArg>, errors: &mut Errors) -> Options {
    let mut options = Options::default();
    for arg in args {
        let result = match TABLE.iter().find(|rule| arg.name == rule.name) {
            Some(rule) => (rule.read)(arg, &mut options),
            None => Err(unknown(&arg.name)),
        };
        errors.absorb(result);
    }
    options
}

impl Options {
    /// Whether an option was given that only GET can have.
    pub(crate) fn speak_of_get(&self) -> bool {
        let mut names = self.given().into_iter();
        names.any(|name| matches!(scope(name), Scope::Get | Scope::GetWithParams))
    }

    /// The name of every option that was given, in the table's order.
    pub(crate) fn given(&self) -> Vec<&Ident> {
        fn name<T>(given: Option<&Given<T>>) -> Option<&Ident> {
            given.map(|given| &given.name)
        }
        let mut names: Vec<_> = [
            name(self.dynamic.as_ref()),
            name(self.revalidate.as_ref()),
            name(self.expire.as_ref()),
            name(self.static_params.as_ref()),
            name(self.dynamic_params.as_ref()),
            name(self.fetch_cache.as_ref()),
            name(self.tags.as_ref()),
            name(self.cdn.as_ref()),
            name(self.max_duration.as_ref()),
            name(self.body_limit.as_ref()),
        ]
        .into_iter()
        .flatten()
        .collect();
        names.extend(self.wrap.iter().map(|given| &given.name));
        names
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

fn unknown(name: &Ident) -> Problem {
    let found = name.to_string();
    let problem = Problem::new(name, format_args!("unknown option `{found}`"));
    if matches!(&*found, "runtime" | "preferredRegion" | "preferred_region") {
        return problem.help(format_args!("`{found}` has no meaning here, remove it"));
    }
    let names = || TABLE.iter().map(|rule| rule.name);
    let snake = snake_case(&found);
    let meant = match &*snake {
        "generate_static_params" => Some("static_params"),
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

/// `dynamicParams` → `dynamic_params`
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

fn dynamic(arg: &OptionArg) -> Result<Dynamic, Problem> {
    word(
        arg,
        &[
            ("auto", Dynamic::Auto),
            ("force-dynamic", Dynamic::ForceDynamic),
            ("error", Dynamic::Error),
            ("force-static", Dynamic::ForceStatic),
        ],
    )
}

fn fetch_cache(arg: &OptionArg) -> Result<FetchCache, Problem> {
    word(
        arg,
        &[
            ("auto", FetchCache::Auto),
            ("default-cache", FetchCache::DefaultCache),
            ("only-cache", FetchCache::OnlyCache),
            ("force-cache", FetchCache::ForceCache),
            ("default-no-store", FetchCache::DefaultNoStore),
            ("force-no-store", FetchCache::ForceNoStore),
            ("only-no-store", FetchCache::OnlyNoStore),
        ],
    )
}

/// One of a fixed set of strings.
fn word<T: Copy>(arg: &OptionArg, words: &[(&'static str, T)]) -> Result<T, Problem> {
    let names = || words.iter().map(|&(name, _)| name);
    let quoted = || {
        let all: Vec<_> = names().map(|name| format!("`\"{name}\"`")).collect();
        format!("expected one of {}", all.join(", "))
    };
    let Some(found) = string(&arg.value) else {
        return Err(bad_value(arg).note(quoted()));
    };
    if let Some(&(_, value)) = words.iter().find(|&&(name, _)| name == found) {
        return Ok(value);
    }
    // Next.js accepts `"auto-dynamic"` nowhere, but its users write it.
    let meant = match &*found {
        "auto-dynamic" => Some("auto"),
        _ => nearest(&found, names()),
    };
    let problem = bad_value(arg);
    Err(match meant {
        Some(meant) => problem.help(format_args!("did you mean `\"{meant}\"`?")),
        None => problem,
    }
    .note(quoted()))
}

fn revalidate(arg: &OptionArg) -> Result<Revalidate, Problem> {
    const NOTE: &str = "expected a number of seconds, or `false` for never";
    match &arg.value {
        Expr::Lit(ExprLit {
            lit: Lit::Bool(lit),
            ..
        }) if !lit.value => Ok(Revalidate::Never),
        Expr::Lit(ExprLit {
            lit: Lit::Bool(_), ..
        }) => Err(bad_value(arg)
            .help("write the seconds, as in `revalidate = 10`")
            .note(NOTE)),
        _ => number(arg, NOTE).map(Revalidate::After),
    }
}

fn seconds(arg: &OptionArg) -> Result<u32, Problem> {
    number(arg, "expected a number of seconds")
}

fn positive_seconds(arg: &OptionArg) -> Result<u32, Problem> {
    const NOTE: &str = "expected a number of seconds, at least 1";
    match number(arg, NOTE)? {
        0 => Err(bad_value(arg).note(NOTE)),
        seconds => Ok(seconds),
    }
}

fn number(arg: &OptionArg, note: &str) -> Result<u32, Problem> {
    if let Some(text) = string(&arg.value)
        && text.parse::<u32>().is_ok()
    {
        return Err(bad_value(arg)
            .help(format_args!("remove the quotes: `{} = {text}`", arg.name))
            .note(note));
    }
    match &arg.value {
        Expr::Lit(ExprLit {
            lit: Lit::Int(lit), ..
        }) if lit.suffix().is_empty() => lit.base10_parse().map_err(|_| {
            bad_value(arg)
                .help(format_args!("at most `{}`", u32::MAX))
                .note(note)
        }),
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_), ..
        }) => Err(bad_value(arg).help("it cannot be negative").note(note)),
        Expr::Binary(_) | Expr::Path(_) => Err(bad_value(arg)
            .help("write the number itself: it is read before constants have a value")
            .note(note)),
        _ => Err(bad_value(arg).note(note)),
    }
}

/// A number of bytes, or a string of a number and a unit of 1024.
fn bytes(arg: &OptionArg) -> Result<u64, Problem> {
    const NOTE: &str = "expected a number of bytes, or a string like `\"64KB\"` or `\"1MB\"`";
    const UNITS: [(&str, u32); 4] = [("KB", 10), ("MB", 20), ("GB", 30), ("B", 0)];
    if let Expr::Lit(ExprLit {
        lit: Lit::Int(lit), ..
    }) = &arg.value
        && lit.suffix().is_empty()
    {
        return lit.base10_parse().map_err(|_| bad_value(arg).note(NOTE));
    }
    let Some(text) = string(&arg.value) else {
        return Err(bad_value(arg).note(NOTE));
    };
    let upper = text.to_ascii_uppercase();
    UNITS
        .iter()
        .find_map(|&(unit, shift)| Some((upper.strip_suffix(unit)?, shift)))
        .and_then(|(digits, shift)| {
            let digits: u64 = digits.trim().parse().ok()?;
            digits.checked_mul(1 << shift)
        })
        .ok_or_else(|| bad_value(arg).note(NOTE))
}

fn boolean(arg: &OptionArg) -> Result<bool, Problem> {
    match &arg.value {
        Expr::Lit(ExprLit {
            lit: Lit::Bool(lit),
            ..
        }) => Ok(lit.value),
        _ => Err(bad_value(arg).note("expected `true` or `false`")),
    }
}

fn path(arg: &OptionArg) -> Result<Path, Problem> {
    match &arg.value {
        Expr::Path(path) if path.qself.is_none() => Ok(path.path.clone()),
        Expr::Call(call) => Err(bad_value(arg).help(format_args!(
            "name the function, without calling it: `{} = {}`",
            arg.name,
            call.func.to_token_stream()
        ))),
        _ => Err(bad_value(arg).note("expected the path of a function")),
    }
}

fn tags(arg: &OptionArg) -> Result<Vec<Tag>, Problem> {
    const NOTE: &str = "expected a list of strings, as in `[\"posts\", \"post:{id}\"]`";
    const MOST: usize = 128;
    let Expr::Array(array) = &arg.value else {
        let problem = bad_value(arg);
        return Err(match string(&arg.value) {
            Some(text) => problem.help(format_args!("write it in brackets: `[\"{text}\"]`")),
            None => problem,
        }
        .note(NOTE));
    };
    if array.elems.is_empty() {
        return Err(bad_value(arg).help("name a tag, or remove the option"));
    }
    if array.elems.len() > MOST {
        return Err(bad_value(arg).note(format_args!("at most {MOST} tags")));
    }
    let mut tags: Vec<Tag> = Vec::new();
    for element in &array.elems {
        let Expr::Lit(ExprLit {
            lit: Lit::Str(source),
            ..
        }) = element
        else {
            return Err(Problem::new(element, "a tag is no string literal").note(NOTE));
        };
        if tags.iter().any(|tag| tag.source.value() == source.value()) {
            return Err(Problem::new(
                source,
                format_args!("tag `{}` is given twice", source.value()),
            )
            .help("remove one of the two"));
        }
        let parts =
            tag_parts(&source.value()).map_err(|what| Problem::new(source, what).note(NOTE))?;
        tags.push(Tag {
            source: source.clone(),
            parts,
        });
    }
    Ok(tags)
}

fn tag_parts(text: &str) -> Result<Vec<TagPart>, String> {
    const LONGEST: usize = 256;
    if text.is_empty() {
        return Err("empty tag".into());
    }
    if text.len() > LONGEST {
        return Err(format!("tag of {} bytes, at most {LONGEST}", text.len()));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.contains(',') {
        return Err(format!(
            "tag `{text}`: a tag is printable ASCII without spaces and commas, so that it fits \
             in a `Cache-Tag` header"
        ));
    }
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find(['{', '}']) {
        let (literal, tail) = rest.split_at(open);
        let Some((name, after)) = tail.strip_prefix('{').and_then(|tail| tail.split_once('}'))
        else {
            return Err(format!("tag `{text}`: a brace without its other half"));
        };
        if !literal.is_empty() {
            parts.push(TagPart::Literal(literal.into()));
        }
        parts.push(TagPart::Param(name.into()));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(TagPart::Literal(rest.into()));
    }
    Ok(parts)
}

fn string(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(lit), ..
        }) => Some(lit.value()),
        _ => None,
    }
}

fn bad_value(arg: &OptionArg) -> Problem {
    let OptionArg { name, value } = arg;
    Problem::new(
        value,
        format_args!("`{}` is no value of `{name}`", value.to_token_stream()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tokens: proc_macro2::TokenStream) -> Result<Options, String> {
        let mut errors = Errors::default();
        let options = check(vec![syn::parse2(tokens).unwrap()], &mut errors);
        errors.finish(Some(options)).map_err(|e| e.to_string())
    }

    #[test]
    fn reads_bytes() {
        let check = |value: &str, expected: Option<u64>| {
            let tokens = format!("body_limit = {value}").parse().unwrap();
            let found = read(tokens).ok().and_then(|o| o.body_limit);
            assert_eq!(found.map(|given| given.value), expected, "{value}");
        };
        check("1000", Some(1000));
        check("\"64KB\"", Some(64 << 10));
        check("\"1 mb\"", Some(1 << 20));
        check("\"2GB\"", Some(2 << 30));
        check("\"12B\"", Some(12));
        check("\"12\"", None);
        check("\"KB\"", None);
        check("\"99999999999999GB\"", None);
        check("-1", None);
        check("1u8", None);
    }

    #[test]
    fn splits_tags() {
        let literal = |text: &str| TagPart::Literal(text.into());
        let param = |name: &str| TagPart::Param(name.into());
        assert_eq!(tag_parts("posts"), Ok(vec![literal("posts")]));
        assert_eq!(
            tag_parts("a:{id}:{b}!"),
            Ok(vec![
                literal("a:"),
                param("id"),
                literal(":"),
                param("b"),
                literal("!")
            ])
        );
        for wrong in ["", "a b", "a,b", "{id", "id}", "é", &"x".repeat(257)] {
            assert!(tag_parts(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_option_is_reported_as_given() {
        let samples = [
            "dynamic = \"auto\"",
            "revalidate = 1",
            "expire = 2",
            "static_params = slugs",
            "dynamic_params = true",
            "fetch_cache = \"auto\"",
            "tags = [\"a\"]",
            "cdn = true",
            "wrap = auth",
            "max_duration = 1",
            "body_limit = 1",
        ];
        assert_eq!(samples.len(), TABLE.len());
        for (rule, sample) in TABLE.iter().zip(samples) {
            let options = read(sample.parse().unwrap()).unwrap();
            let given: Vec<_> = options.given().iter().map(ToString::to_string).collect();
            assert_eq!(given, [rule.name]);
        }
    }
}
