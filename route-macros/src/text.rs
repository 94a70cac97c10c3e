//! The text of tokens, spaced as a person would write it. The compiler's own printing puts spaces
//! between most tokens, and stable Rust gives the source text of single tokens only.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;

/// Returns the text of `node`, for messages and for the table of routes.
pub(crate) fn text(node: &(impl ToTokens + ?Sized)) -> String {
    let mut out = String::new();
    write(node.to_token_stream(), &mut out, &mut Before::Nothing);
    out
}

/// The kind of token that stands before the next one.
enum Before {
    /// The start, or a token that the next one follows without a space.
    Nothing,
    /// A word, a literal, or a closing delimiter.
    Operand,
    /// An operator, or a comma.
    Operator,
    /// The first half of an operator: `:` of `::`.
    Half,
}

fn write(tokens: TokenStream, out: &mut String, before: &mut Before) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{ ", " }"),
                    Delimiter::None => ("", ""),
                };
                let sticks = matches!(group.delimiter(), Delimiter::Parenthesis);
                match before {
                    Before::Nothing => {}
                    Before::Operand if sticks => {}
                    _ => out.push(' '),
                }
                out.push_str(open);
                *before = Before::Nothing;
                write(group.stream(), out, before);
                out.push_str(close);
                *before = Before::Operand;
            }
            TokenTree::Punct(punct) => {
                let c = punct.as_char();
                let is_unary = matches!(before, Before::Nothing | Before::Operator);
                let sticks = matches!(c, ',' | ';' | ':' | '.' | '<' | '>' | '!' | '?');
                match before {
                    Before::Nothing | Before::Half => {}
                    Before::Operand if sticks => {}
                    _ => out.push(' '),
                }
                out.push(c);
                *before = match c {
                    _ if punct.spacing() == Spacing::Joint => Before::Half,
                    ',' | ';' => Before::Operator,
                    ':' if out.ends_with("::") => Before::Nothing,
                    '>' if out.ends_with("->") || out.ends_with("=>") => Before::Operator,
                    '>' | '?' => Before::Operand,
                    '<' | '.' | '!' | '\'' | '#' => Before::Nothing,
                    '&' | '-' | '*' if is_unary => Before::Nothing,
                    _ => Before::Operator,
                };
            }
            word => {
                if matches!(before, Before::Operand | Before::Operator) {
                    out.push(' ');
                }
                out.push_str(&word.to_string());
                *before = Before::Operand;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_spaced_as_a_person_would_write_them() {
        for source in [
            "req: HttpRequest",
            "body: web::Json<Vec<Post>>",
            "pair: (u8, &'static str)",
            "path: web::Path<(u64, [u8; 4])>",
            "next: fn(u8) -> Option<u8>",
            "it: Box<dyn Fn(u8) -> u8>",
            "r#type: <A as B>::C",
            "ids()",
            "-1",
            "1 - 2",
            "10 * 60",
            "&[1, -2]",
            "include!(\"x\").len()",
            "\"a b\"",
        ] {
            let tokens: TokenStream = source.parse().unwrap();
            assert_eq!(text(&tokens), source);
        }
    }
}
