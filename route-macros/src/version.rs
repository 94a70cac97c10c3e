//! The version of a cached function: a hash of its signature and body.
//!
//! The hash is 128-bit FNV-1a over the tokens, so that comments, line breaks and spaces do not
//! count. The tokens are hashed one by one, because their text as a whole depends on the spacing of
//! the source and on the compiler. The hash only tells one version from the next, and need not
//! resist an attacker.

use proc_macro2::{Delimiter, Punct, Spacing, TokenStream, TokenTree};

/// Returns the hash, in 32 hexadecimal digits.
pub(crate) fn version(tokens: TokenStream) -> String {
    let mut hash = Hash(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
    hash.tokens(tokens);
    format!("{:032x}", hash.0)
}

struct Hash(u128);

impl Hash {
    fn tokens(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        Delimiter::Parenthesis => ("(", ")"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::Brace => ("{", "}"),
                        // An invisible group comes from a `macro_rules`, not from the source.
                        Delimiter::None => ("", ""),
                    };
                    self.word(open);
                    self.tokens(group.stream());
                    self.word(close);
                }
                TokenTree::Punct(punct) => {
                    let next = match tokens.peek() {
                        Some(TokenTree::Punct(next)) => Some(next),
                        _ => None,
                    };
                    self.bytes(punct.as_char().to_string().as_bytes());
                    if !is_half(&punct, next) {
                        self.bytes(&[0]);
                    }
                }
                TokenTree::Ident(ident) => self.word(&ident.to_string()),
                TokenTree::Literal(literal) => self.word(&literal.to_string()),
            }
        }
    }

    /// Hashes a token and its end, so that `ab c` is not `a bc`.
    fn word(&mut self, text: &str) {
        if !text.is_empty() {
            self.bytes(text.as_bytes());
            self.bytes(&[0]);
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
        for &byte in bytes {
            self.0 = (self.0 ^ u128::from(byte)).wrapping_mul(PRIME);
        }
    }
}

/// Returns whether a character forms an operator with the next one, as in `&&`, which is not `& &`.
/// Other characters may touch, as in `,&`, but that is a matter of spacing and does not count.
fn is_half(punct: &Punct, next: Option<&Punct>) -> bool {
    const OPERATORS: [&str; 21] = [
        "&&", "||", "<<", ">>", "+=", "-=", "*=", "/=", "%=", "^=", "&=", "|=", "==", "!=", ">=",
        "<=", "..", ".=", "::", "->", "=>",
    ];
    let Some(next) = next else { return false };
    let pair = [punct.as_char(), next.as_char()];
    punct.spacing() == Spacing::Joint
        && OPERATORS
            .iter()
            .any(|operator| operator.chars().eq(pair.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version_of(source: &str) -> String {
        version(source.parse().unwrap())
    }

    #[test]
    fn the_hash_is_128_bit_fnv_1a() {
        assert_eq!(version_of(""), "6c62272e07bb014262b821756295c58d");
        let mut hash = Hash(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        hash.bytes(b"a");
        assert_eq!(hash.0, 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
        // Stored values outlive a build, so an unchanged function must keep its version for good.
        assert_eq!(version_of("a"), "0880954519ab1be95aa0733055b70e0c");
    }

    #[test]
    fn spaces_and_comments_do_not_change_the_version() {
        for (a, b) in [
            ("f(a,&b)", "f( a , & b ) // c"),
            ("{ a+b }", "{\n    a + b\n}"),
            ("x::<Vec<Vec<u8>>>()", "x :: < Vec <Vec<u8>>> ()"),
            ("a=-1", "a = -1"),
        ] {
            assert_eq!(version_of(a), version_of(b), "{a}");
        }
    }

    #[test]
    fn any_other_difference_changes_the_version() {
        for (a, b) in [
            ("a && b", "a & &b"),
            ("ab c", "a bc"),
            ("(a)(b)", "(a b)"),
            ("(a)", "[a]"),
            ("\"a\"", "a"),
            ("1 + 2", "2 + 1"),
        ] {
            assert_ne!(version_of(a), version_of(b), "{a}");
        }
    }
}
