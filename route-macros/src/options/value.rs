//! The readers of the options' values: tokens → values.

use syn::{Expr, ExprLit, Lit, Path};

use super::{Cdn, Dynamic, FetchCache, Revalidate};
use crate::errors::{Problem, nearest};
use crate::syntax::OptionArg;
use crate::text::text;

pub(super) fn dynamic(arg: &OptionArg) -> Result<Dynamic, Problem> {
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

pub(super) fn fetch_cache(arg: &OptionArg) -> Result<FetchCache, Problem> {
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

/// Returns the word that lacks its quotes.
fn unquoted(value: &Expr) -> Option<String> {
    match value {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        _ => None,
    }
}

/// Reads one of a fixed set of strings.
fn word<T: Copy>(arg: &OptionArg, words: &[(&'static str, T)]) -> Result<T, Problem> {
    let names = || words.iter().map(|&(name, _)| name);
    let all: Vec<_> = names().map(|name| format!("`\"{name}\"`")).collect();
    let note = format!("expected one of {}", all.join(", "));
    let quoted = string(&arg.value);
    if let Some(&(_, value)) = words
        .iter()
        .find(|&&(name, _)| Some(name) == quoted.as_deref())
    {
        return Ok(value);
    }
    let Some(found) = quoted.or_else(|| unquoted(&arg.value)) else {
        return Err(bad_value(arg).note(note));
    };
    // Next.js does not accept `"auto-dynamic"` anywhere, but its users write it.
    let meant = match &*found {
        "auto-dynamic" => Some("auto"),
        _ => nearest(&found, names()),
    };
    let problem = bad_value(arg);
    Err(match meant {
        Some(meant) => problem.help(format_args!("did you mean `\"{meant}\"`?")),
        None => problem,
    }
    .note(note))
}

pub(super) fn revalidate(arg: &OptionArg) -> Result<Revalidate, Problem> {
    const NOTE: &str = "expected a number of seconds, or `false` for never";
    match literal(&arg.value) {
        Some(Lit::Bool(lit)) if !lit.value => Ok(Revalidate::Never),
        Some(Lit::Bool(_)) => Err(bad_value(arg)
            .help("write the seconds, as in `revalidate = 10`")
            .note(NOTE)),
        _ => number(arg, NOTE).map(Revalidate::After),
    }
}

/// Reads the `revalidate` of a cached function. Unlike that of a route it cannot be `0`, because a
/// cached value is never for one request alone.
pub(super) fn lifetime(arg: &OptionArg) -> Result<Revalidate, Problem> {
    match revalidate(arg)? {
        Revalidate::After(0) => Err(bad_value(arg)
            .help("remove `#[cached]`: what is never fresh need not be kept")
            .note("expected a number of seconds, at least 1, or `false` for never")),
        value => Ok(value),
    }
}

pub(super) fn version(arg: &OptionArg) -> Result<u32, Problem> {
    number(arg, "expected a number, to be counted up by hand")
}

pub(super) fn seconds(arg: &OptionArg) -> Result<u32, Problem> {
    number(arg, "expected a number of seconds")
}

pub(super) fn positive_seconds(arg: &OptionArg) -> Result<u32, Problem> {
    const NOTE: &str = "expected a number of seconds, at least 1";
    match number(arg, NOTE)? {
        0 => Err(bad_value(arg).note(NOTE)),
        seconds => Ok(seconds),
    }
}

fn number(arg: &OptionArg, note: &str) -> Result<u32, Problem> {
    let name = &arg.name;
    let problem = bad_value(arg);
    Err(match &arg.value {
        Expr::Lit(ExprLit { lit, .. }) => match lit {
            Lit::Int(lit) if lit.suffix().is_empty() => match lit.base10_parse() {
                Ok(number) => return Ok(number),
                Err(_) => problem.help(format_args!("at most `{}`", u32::MAX)),
            },
            Lit::Int(lit) => problem.help(format_args!(
                "remove the suffix: `{name} = {}`",
                lit.base10_digits()
            )),
            Lit::Str(lit) => match lit.value().trim_end_matches('s').parse::<u32>() {
                Ok(number) => problem.help(format_args!("`{name} = {number}`")),
                Err(_) => problem,
            },
            _ => problem,
        },
        Expr::Unary(_) => problem.help("it cannot be negative"),
        Expr::Binary(_) | Expr::Path(_) => {
            problem.help("write the number itself: it is read before constants have a value")
        }
        _ => problem,
    }
    .note(note))
}

/// Reads a number of bytes, or a string of a number and a unit, which is a power of 1024.
pub(super) fn bytes(arg: &OptionArg) -> Result<u64, Problem> {
    const NOTE: &str = "expected a number of bytes, or a string like `\"64KB\"` or `\"1MB\"`";
    const UNITS: [(&str, u32); 4] = [("KB", 10), ("MB", 20), ("GB", 30), ("B", 0)];
    let number = match literal(&arg.value) {
        Some(Lit::Int(lit)) if lit.suffix().is_empty() => lit.base10_parse().ok(),
        Some(Lit::Str(lit)) => {
            let text = lit.value().to_ascii_uppercase();
            UNITS
                .iter()
                .find_map(|&(unit, shift)| Some((text.strip_suffix(unit)?, shift)))
                .and_then(|(digits, shift)| {
                    let digits: u64 = digits.trim().parse().ok()?;
                    digits.checked_mul(1 << shift)
                })
        }
        _ => None,
    };
    number.ok_or_else(|| bad_value(arg).note(NOTE))
}

pub(super) fn boolean(arg: &OptionArg) -> Result<bool, Problem> {
    match literal(&arg.value) {
        Some(Lit::Bool(lit)) => Ok(lit.value),
        Some(Lit::Str(lit)) if matches!(&*lit.value(), "true" | "false") => {
            let value = lit.value();
            Err(bad_value(arg).help(format_args!("remove the quotes: `{} = {value}`", arg.name)))
        }
        _ => Err(bad_value(arg).note("expected `true` or `false`")),
    }
}

pub(super) fn cdn(arg: &OptionArg) -> Result<Cdn, Problem> {
    const NOTE: &str = "expected `true`, `false` or `\"public\"`";
    let quoted = string(&arg.value);
    if quoted.as_deref() == Some("public") {
        return Ok(Cdn::Public);
    }
    match quoted.or_else(|| unquoted(&arg.value)).as_deref() {
        Some("true" | "false") | None => {}
        Some(found) => {
            let problem = bad_value(arg);
            return Err(match nearest(found, ["public"]) {
                Some(meant) => problem.help(format_args!("did you mean `\"{meant}\"`?")),
                None => problem,
            }
            .note(NOTE));
        }
    }
    match boolean(arg) {
        Ok(true) => Ok(Cdn::Yes),
        Ok(false) => Ok(Cdn::No),
        Err(problem) if string(&arg.value).is_some() => Err(problem),
        Err(_) => Err(bad_value(arg).note(NOTE)),
    }
}

pub(super) fn path(arg: &OptionArg) -> Result<Path, Problem> {
    const NOTE: &str = "expected the path of a function";
    let name = &arg.name;
    match &arg.value {
        Expr::Path(path) if path.qself.is_none() => Ok(path.path.clone()),
        Expr::Call(call) => Err(bad_value(arg).help(format_args!(
            "name the function, without calling it: `{name} = {}`",
            text(&call.func)
        ))),
        value => Err(match string(value) {
            Some(quoted) if syn::parse_str::<Path>(&quoted).is_ok() => {
                bad_value(arg).help(format_args!("remove the quotes: `{name} = {quoted}`"))
            }
            _ => bad_value(arg),
        }
        .note(NOTE)),
    }
}

/// Reads any expression but a literal. Whether it is a middleware, its type tells.
pub(super) fn middleware(arg: &OptionArg) -> Result<Expr, Problem> {
    const NOTE: &str =
        "expected a middleware, such as `Logger::default()`, or the path of a function";
    if literal(&arg.value).is_none() {
        return Ok(arg.value.clone());
    }
    let name = &arg.name;
    Err(match string(&arg.value) {
        Some(quoted) if syn::parse_str::<Expr>(&quoted).is_ok() => {
            bad_value(arg).help(format_args!("remove the quotes: `{name} = {quoted}`"))
        }
        _ => bad_value(arg),
    }
    .note(NOTE))
}

fn literal(value: &Expr) -> Option<&Lit> {
    match value {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        _ => None,
    }
}

pub(super) fn string(value: &Expr) -> Option<String> {
    match literal(value)? {
        Lit::Str(lit) => Some(lit.value()),
        _ => None,
    }
}

pub(super) fn bad_value(arg: &OptionArg) -> Problem {
    let OptionArg { name, value } = arg;
    Problem::new(
        value,
        format_args!("`{}` is not a value of `{name}`", text(value)),
    )
}
