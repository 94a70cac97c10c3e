//! Tokens of the attribute → shape and spans, no meaning.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, LitStr, Token};

use crate::errors::Problem;

/// `[METHOD,] "pattern" [, name = value]*`
pub(crate) struct RouteArgs {
    pub(crate) method: Option<Ident>,
    pub(crate) pattern: LitStr,
    pub(crate) options: Vec<OptionArg>,
}

/// `name = value`; the two stay together so that an error can underline either.
pub(crate) struct OptionArg {
    pub(crate) name: Ident,
    pub(crate) value: Expr,
}

impl Parse for RouteArgs {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let method = method(input)?;
        let pattern = pattern(input)?;
        let mut options = Vec::new();
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            options.push(input.parse()?);
        }
        Ok(Self {
            method,
            pattern,
            options,
        })
    }
}

/// An identifier that is followed by no `=`: `dynamic = "…"` before the pattern is no method.
fn method(input: ParseStream<'_>) -> syn::Result<Option<Ident>> {
    if !input.peek(Ident::peek_any) || input.peek2(Token![=]) || input.peek2(Token![!]) {
        return Ok(None);
    }
    let method = Ident::parse_any(input)?;
    if input.is_empty() {
        let problem = Problem::new(&method, format_args!("no pattern after `{method}`"))
            .help(format_args!("`{method}, \"/path\"`"));
        return Err(problem.into());
    }
    input.parse::<Token![,]>()?;
    Ok(Some(method))
}

fn pattern(input: ParseStream<'_>) -> syn::Result<LitStr> {
    if input.is_empty() {
        // The span of the whole attribute: there is nothing narrower.
        let problem = Problem::at(Span::call_site(), "no pattern")
            .help("say which path is served, as in `\"/api/posts/[id]\"`");
        return Err(problem.into());
    }
    if input.peek(LitStr) {
        return input.parse();
    }
    if input.peek(Ident::peek_any) && input.peek2(Token![=]) {
        let option = Ident::parse_any(input)?;
        let problem = Problem::new(
            &option,
            format_args!("option `{option}` before the pattern"),
        )
        .help("the pattern comes first, as in `\"/api/posts/[id]\"`, then the options");
        return Err(problem.into());
    }
    let found: Expr = input.parse()?;
    let problem = Problem::new(&found, "the pattern is no string literal")
        .help("write the path itself, as in `\"/api/posts/[id]\"`")
        .note("it is read at compile time, where constants and `concat!` have no value yet");
    Err(problem.into())
}

impl Parse for OptionArg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(Ident::peek_any) {
            let found: proc_macro2::TokenTree = input.parse()?;
            let problem = Problem::new(&found, format_args!("`{found}` is no option"))
                .help("options are written `name = value`, as in `revalidate = 10`");
            return Err(problem.into());
        }
        let name = Ident::parse_any(input)?;
        if !input.peek(Token![=]) {
            let problem = Problem::new(&name, format_args!("option `{name}` has no value"))
                .help(format_args!("`{name} = …`"));
            return Err(problem.into());
        }
        input.parse::<Token![=]>()?;
        if input.is_empty() || input.peek(Token![,]) {
            let problem = Problem::new(&name, format_args!("option `{name}` has no value"))
                .help(format_args!("write it after the `=`: `{name} = …`"));
            return Err(problem.into());
        }
        Ok(Self {
            name,
            value: input.parse()?,
        })
    }
}
