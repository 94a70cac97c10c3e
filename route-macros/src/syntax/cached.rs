//! The arguments of `#[cached]`: options only, one of which is a list.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Expr, LitStr, Token, parenthesized, token};

use super::{WrittenOption, comma, skip_to_comma};
use crate::errors::{Errors, Problem, nearest};
use crate::text::text;

/// The option that is a list in parentheses.
pub(crate) const SKIP: &str = "skip";

pub(crate) enum CachedArg {
    Option(WrittenOption),
    Skip(SkipArg),
}

/// The option `skip(a, b)`.
pub(crate) struct SkipArg {
    pub(crate) name: Ident,
    pub(crate) arguments: Vec<Expr>,
}

/// Reads all arguments that can be read, and goes on after one that cannot.
pub(crate) fn parse_cached(args: TokenStream, errors: &mut Errors) -> Vec<CachedArg> {
    let mut out = Vec::new();
    let read = (|input: ParseStream<'_>| {
        while !input.is_empty() {
            match arg(input) {
                Ok(arg) => out.push(arg),
                Err(error) => {
                    errors.push(error);
                    skip_to_comma(input);
                }
            }
            if !input.is_empty()
                && let Err(error) = comma(input)
            {
                errors.push(error);
                skip_to_comma(input);
                input.parse::<Option<Token![,]>>()?;
            }
        }
        Ok(())
    })
    .parse2(args);
    errors.absorb(read);
    out
}

fn arg(input: ParseStream<'_>) -> syn::Result<CachedArg> {
    if input.peek(LitStr) {
        let found: LitStr = input.parse()?;
        let found_text = text(&found);
        let problem = Problem::new(&found, format_args!("`{found_text}` is not an option"));
        return Err(if found.value().starts_with('/') {
            problem.help("remove it: a cached function has no path of its own")
        } else {
            problem.help(format_args!("to tag its values: `tags = [{found_text}]`"))
        }
        .into());
    }
    let ahead = input.fork();
    let Ok(name) = ahead.call(Ident::parse_any) else {
        return input.parse().map(CachedArg::Option);
    };
    if name != SKIP {
        let is_list = ahead.peek(token::Paren);
        if is_list && nearest(&name.to_string(), [SKIP]).is_some() {
            let problem = Problem::new(&name, format_args!("unknown option `{name}`"))
                .help(format_args!("did you mean `{SKIP}`?"));
            return Err(problem.into());
        }
        return input.parse().map(CachedArg::Option);
    }
    if ahead.peek(Token![=]) {
        return input.parse().map(CachedArg::Option);
    }
    let name = Ident::parse_any(input)?;
    if !input.peek(token::Paren) {
        let problem = Problem::new(&name, "option `skip` names no argument")
            .help("name one, as in `skip(db)`");
        return Err(problem.into());
    }
    let content;
    parenthesized!(content in input);
    let arguments = Punctuated::<Expr, Token![,]>::parse_terminated(&content)?;
    Ok(CachedArg::Skip(SkipArg {
        name,
        arguments: arguments.into_iter().collect(),
    }))
}
