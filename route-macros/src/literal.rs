//! The string literal of a pattern: its parsing, and the wording of its errors.

use syn::{Ident, LitStr, Type};

use crate::errors::{Problem, fragment_span};
use crate::pattern::{self, ErrorKind, Pattern, PatternError};
use crate::text;

/// Parses the pattern. An error quotes the fragment that is wrong.
pub(crate) fn check(literal: &LitStr) -> Result<Pattern, Problem> {
    let text = literal.value();
    pattern::parse(&text).map_err(|error| problem(literal, &text, error))
}

fn problem(literal: &LitStr, text: &str, error: PatternError) -> Problem {
    let fragment = &text[error.range.clone()];
    let at = fragment_span(literal, error.range);
    let problem = |what: &str| Problem::at(at, format_args!("{what} in `{text}`"));
    let quoted = |what: &str| problem(&format!("{what} `{fragment}`"));
    match error.kind {
        ErrorKind::Empty => {
            Problem::at(at, "empty pattern").help("`\"/\"` for the root of the site")
        }
        ErrorKind::NoLeadingSlash => {
            let problem = Problem::at(
                at,
                format_args!("pattern `{text}` does not start with a slash"),
            );
            match text.split_once("://") {
                Some(_) => problem.help("write the path alone, without scheme and host"),
                None => problem.help(format_args!("`\"/{}\"`", text.trim_matches('/'))),
            }
        }
        ErrorKind::TrailingSlash => problem("trailing slash")
            .help(format_args!("`\"/{}\"`", text.trim_matches('/')))
            .note("a request with a trailing slash is redirected to the path without"),
        ErrorKind::DoubleSlash => quoted("empty segment").help("write one slash"),
        ErrorKind::Query => quoted("query in segment")
            .help("remove it, and read it in the handler: `req.search_params()`"),
        ErrorKind::Fragment => {
            quoted("fragment in segment").help("remove it: a browser never sends what follows `#`")
        }
        ErrorKind::DotSegment => quoted("dot segment")
            .help("write the path it leads to")
            .note("clients and proxies resolve `.` and `..` before they send a path"),
        ErrorKind::Backslash => quoted("backslash in segment").help("segments end with `/`"),
        ErrorKind::Control => {
            Problem::at(at, format_args!("control character in pattern {text:?}")).help("remove it")
        }
        ErrorKind::Encoded { decoded } => quoted("percent-encoded segment")
            .help(format_args!("write it decoded: `{decoded}`"))
            .note("a request is decoded before it is matched"),
        ErrorKind::Unclosed { close } => {
            quoted("unclosed segment").help(format_args!("`{fragment}{close}`"))
        }
        ErrorKind::Unopened { open } => {
            quoted("unopened parameter").help(format_args!("`{open}{fragment}`"))
        }
        ErrorKind::NoName { named } => {
            quoted("parameter without a name").help(format_args!("name it, as in `{named}`"))
        }
        ErrorKind::InvalidName { name, ours } => {
            let problem = quoted(&format!("`{name}` is not a Rust identifier, parameter"));
            match ours {
                Some(ours) => problem.help(format_args!("did you mean `{ours}`?")),
                None => problem.help("give the parameter another name"),
            }
            .note(match typed(fragment) {
                Some(argument) => {
                    format!("its type is that of the handler's argument: `{argument}`")
                }
                None => "an argument of the handler has the parameter's name".into(),
            })
        }
        ErrorKind::Partial => quoted("text beside a parameter, in segment")
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
        ErrorKind::InvalidGroup => quoted("malformed group").note(
            "a group is a whole segment, a name in parentheses as in `(shop)`, and no part of the \
             URL",
        ),
        ErrorKind::Intercepting => quoted("intercepting segment")
            .help("remove it: it has no meaning for what is served over HTTP"),
        ErrorKind::Foreign { ours } => {
            let problem = quoted("foreign parameter");
            match ours {
                Some(ours) => problem.help(format_args!("did you mean `{ours}`?")),
                None => problem.help("a parameter is a segment in brackets, as in `[id]`"),
            }
        }
    }
}

/// Returns the argument that a parameter with a type means: `id: u64` for `[id:u64]`.
fn typed(fragment: &str) -> Option<String> {
    let inner = fragment.strip_prefix('[')?.strip_suffix(']')?;
    let (name, ty) = inner.split_once(':')?;
    let name: Ident = syn::parse_str(name).ok()?;
    let ty: Type = syn::parse_str(ty).ok()?;
    Some(format!("{name}: {}", text::text(&ty)))
}

#[cfg(test)]
mod fuzzing;
