//! The parser of an attribute's tokens. It finds their shape and spans, and no meaning.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{Expr, LitStr, Token, token};

use crate::errors::{Errors, Problem};
use crate::method::Method;
use crate::text::text;

mod cached;

pub(crate) use cached::{CachedArg, SKIP, SkipArg, parse_cached};

/// The arguments of a route or page: `[METHOD,] "pattern" [, name = value]*`.
#[derive(Default)]
pub(crate) struct RouteArgs {
    pub(crate) method: Option<Ident>,
    /// The pattern, or `None` if it is missing or malformed.
    pub(crate) pattern: Option<LitStr>,
    /// The method that stands where an option is expected.
    pub(crate) late_method: Option<Ident>,
    /// The options whose names could be read.
    pub(crate) options: Vec<WrittenOption>,
    /// True if the names of all options could be read.
    pub(crate) is_whole: bool,
}

/// An option `name = value`. The two stay together, so that an error can underline either.
pub(crate) struct OptionArg {
    pub(crate) name: Ident,
    pub(crate) value: Expr,
}

/// An option whose value may be an error. The error waits until the option is read, because an
/// unknown name must be reported first.
pub(crate) struct WrittenOption {
    pub(crate) name: Ident,
    value: syn::Result<Expr>,
}

/// Reads all arguments that can be read, and goes on after one that cannot.
pub(crate) fn parse(args: TokenStream, errors: &mut Errors) -> RouteArgs {
    let mut out = RouteArgs::default();
    let read = (|input: ParseStream<'_>| out.read(input, errors)).parse2(args);
    if let Err(error) = read {
        out.is_whole = false;
        errors.push(error);
    }
    out
}

impl RouteArgs {
    fn read(&mut self, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<()> {
        self.method = method(input)?;
        if let Some(option) = option_name(input) {
            skip_all(input);
            let problem = Problem::new(
                &option,
                format_args!("option `{option}` before the pattern"),
            )
            .help("the pattern comes first, as in `\"/api/posts/[id]\"`, then the options");
            return Err(problem.into());
        }
        self.pattern = errors.absorb(pattern(input, self.method.as_ref()));
        self.is_whole = true;
        while !input.is_empty() {
            if let Some(method) = late_method(input)? {
                self.late_method = Some(method);
                continue;
            }
            match option(input) {
                Ok(option) => self.options.extend(option),
                Err(error) => {
                    errors.push(error);
                    self.is_whole = false;
                    skip_to_comma(input);
                }
            }
        }
        Ok(())
    }
}

/// Reads the method: a word alone before the comma. If no pattern follows the word, it must be
/// spelt like a method, because it may as well be a constant.
fn method(input: ParseStream<'_>) -> syn::Result<Option<Ident>> {
    let ahead = input.fork();
    let Ok(word) = ahead.call(Ident::parse_any) else {
        return Ok(None);
    };
    let is_alone = ahead.is_empty() || ahead.peek(Token![,]);
    if !is_alone || !(ahead.peek2(LitStr) || Method::named(&word).is_some()) {
        return Ok(None);
    }
    let method = Ident::parse_any(input)?;
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    Ok(Some(method))
}

/// Reads a method that stands after a comma, where an option is expected.
fn late_method(input: ParseStream<'_>) -> syn::Result<Option<Ident>> {
    let ahead = input.fork();
    let has_comma = ahead.parse::<Token![,]>().is_ok();
    let Ok(word) = ahead.call(Ident::parse_any) else {
        return Ok(None);
    };
    let is_alone = ahead.is_empty() || ahead.peek(Token![,]);
    if !(has_comma && is_alone && Method::named(&word).is_some()) {
        return Ok(None);
    }
    input.parse::<Token![,]>()?;
    input.call(Ident::parse_any).map(Some)
}

fn pattern(input: ParseStream<'_>, method: Option<&Ident>) -> syn::Result<LitStr> {
    if input.is_empty() {
        let problem = match method {
            Some(method) => Problem::new(method, format_args!("no pattern after `{method}`")).help(
                format_args!("say which path is served, as in `{method}, \"/api/posts\"`"),
            ),
            // The span of the whole attribute: there is nothing narrower.
            None => Problem::at(Span::call_site(), "no pattern")
                .help("say which path is served, as in `\"/api/posts/[id]\"`"),
        };
        return Err(problem.into());
    }
    if !input.peek(LitStr) {
        let found: Expr = input.parse()?;
        let problem = Problem::new(
            &found,
            format_args!("the pattern is not a string literal: `{}`", text(&found)),
        )
        .help("write the path itself, as in `\"/api/posts/[id]\"`")
        .note("it is read at compile time, where constants and `concat!` have no value yet");
        return Err(problem.into());
    }
    let found: LitStr = input.parse()?;
    let is_method = Method::ALL
        .iter()
        .any(|method| found.value().eq_ignore_ascii_case(method.name()));
    if is_method && method.is_none() && input.peek2(LitStr) {
        input.parse::<Token![,]>()?;
        let pattern: LitStr = input.parse()?;
        let name = found.value().to_ascii_uppercase();
        let problem = Problem::new(&found, format_args!("method `{name}` in quotes"))
            .help(format_args!("`{name}, {}`", text(&pattern)));
        return Err(problem.into());
    }
    Ok(found)
}

/// Returns the `name` of `name = …`, without consuming it.
fn option_name(input: ParseStream<'_>) -> Option<Ident> {
    let name = input.fork().call(Ident::parse_any).ok()?;
    input.peek2(Token![=]).then_some(name)
}

/// Reads a comma and an option. A trailing comma has no option, which is `None`.
fn option(input: ParseStream<'_>) -> syn::Result<Option<WrittenOption>> {
    comma(input)?;
    if input.is_empty() {
        return Ok(None);
    }
    input.parse().map(Some)
}

fn comma(input: ParseStream<'_>) -> syn::Result<()> {
    if input.parse::<Option<Token![,]>>()?.is_some() {
        return Ok(());
    }
    let found: TokenTree = input.parse()?;
    let problem = Problem::new(&found, format_args!("no comma before `{}`", text(&found)))
        .help(format_args!("`, {}`", text(&found)));
    Err(problem.into())
}

impl Parse for WrittenOption {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitStr) {
            let found: LitStr = input.parse()?;
            let (text, what) = (text(&found), found.value());
            let problem = if what.starts_with('/') {
                Problem::new(&found, format_args!("a second pattern: `{text}`"))
                    .help("a route has one; declare another function for the other")
            } else {
                Problem::new(&found, format_args!("`{text}` is not an option"))
                    .help("options are written `name = value`, as in `revalidate = 10`")
            };
            return Err(problem.into());
        }
        if !input.peek(Ident::peek_any) {
            let found: TokenTree = input.parse()?;
            let problem = Problem::new(&found, format_args!("`{}` is not an option", text(&found)))
                .help("options are written `name = value`, as in `revalidate = 10`");
            return Err(problem.into());
        }
        let name = Ident::parse_any(input)?;
        let value = value(&name, input);
        if value.is_err() {
            skip_to_comma(input);
        }
        Ok(Self { name, value })
    }
}

impl WrittenOption {
    /// Returns the option, or the error in its value.
    pub(crate) fn read(self) -> syn::Result<OptionArg> {
        Ok(OptionArg {
            name: self.name,
            value: self.value?,
        })
    }
}

fn value(name: &Ident, input: ParseStream<'_>) -> syn::Result<Expr> {
    let problem = Problem::new(name, format_args!("option `{name}` has no value"));
    if !input.peek(Token![=]) {
        let value = misplaced_value(input).unwrap_or_else(|| "…".into());
        return Err(problem.help(format_args!("`{name} = {value}`")).into());
    }
    input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        let help = format_args!("write it after the `=`: `{name} = …`");
        return Err(problem.help(help).into());
    }
    input.parse().map(ungroup)
}

/// Takes a value out of the invisible group in which it stands if it comes from a `macro_rules` of
/// the user.
pub(crate) fn ungroup(value: Expr) -> Expr {
    match value {
        Expr::Group(group) => ungroup(*group.expr),
        value => value,
    }
}

/// Reads the value of `name(value)` or `name: value`.
fn misplaced_value(input: ParseStream<'_>) -> Option<String> {
    if input.peek(token::Paren) {
        let group: Group = input.parse().ok()?;
        return Some(text(&group.stream()));
    }
    input.parse::<Token![:]>().ok()?;
    input.parse::<Expr>().ok().map(|value| text(&value))
}

fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) && input.parse::<TokenTree>().is_ok() {}
}

fn skip_all(input: ParseStream<'_>) {
    while input.parse::<TokenTree>().is_ok() {}
}
