//! The values of `tags`: `["posts", "post:{id}"]`.

use syn::{Expr, ExprLit, Lit, LitStr};

use super::value::{bad_value, string};
use crate::errors::Problem;
use crate::syntax::{OptionArg, ungroup};

/// A tag and its parts: `post:{id}` is the literal `post:` and the parameter `id`.
pub(crate) struct Tag {
    pub(crate) source: LitStr,
    pub(crate) parts: Vec<TagPart>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TagPart {
    Literal(String),
    Param(String),
}

pub(super) fn tags(arg: &OptionArg) -> Result<Vec<Tag>, Problem> {
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
        }) = ungroup(element.clone())
        else {
            return Err(Problem::new(element, "a tag is not a string literal").note(NOTE));
        };
        if tags.iter().any(|tag| tag.source.value() == source.value()) {
            return Err(Problem::new(
                &source,
                format_args!("tag `{}` is given twice", source.value()),
            )
            .help("remove one of the two"));
        }
        let parts =
            tag_parts(&source.value()).map_err(|what| Problem::new(&source, what).note(NOTE))?;
        tags.push(Tag { source, parts });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_split_into_literals_and_parameters() {
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
}
