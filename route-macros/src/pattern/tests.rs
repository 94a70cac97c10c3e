use super::ErrorKind as E;
use super::*;

fn literal(text: &str) -> Segment {
    Segment::Literal(text.into())
}

fn param(name: &str, kind: ParamKind) -> Segment {
    Segment::Param(Param {
        name: name.into(),
        kind,
    })
}

#[test]
fn a_valid_pattern_is_split_into_segments() {
    use ParamKind::{CatchAll, OptionalCatchAll, Single};
    let check = |text: &str, expected: Vec<Segment>| {
        assert_eq!(parse(text).unwrap().segments, expected, "{text}");
    };
    check("/", vec![]);
    check("/api/posts", vec![literal("api"), literal("posts")]);
    check("/p/[id]", vec![literal("p"), param("id", Single)]);
    check("/[a]/[b]", vec![param("a", Single), param("b", Single)]);
    check("/[...slug]", vec![param("slug", CatchAll)]);
    check(
        "/docs/[[...slug]]",
        vec![literal("docs"), param("slug", OptionalCatchAll)],
    );
    check(
        "/(shop)/cart",
        vec![Segment::Group("shop".into()), literal("cart")],
    );
    check("/[type]", vec![param("type", Single)]);
    check("/data.json", vec![literal("data.json")]);
    check("/café au lait", vec![literal("café au lait")]);
    check("/100%", vec![literal("100%")]);
    check("/a(b)", vec![literal("a(b)")]);
    check("/@me", vec![literal("@me")]);
}

#[test]
fn an_error_names_the_broken_rule_and_the_fragment() {
    let check = |text: &str, kind: E, fragment: &str| {
        let error = parse(text).unwrap_err();
        assert_eq!(error.kind, kind, "{text}");
        assert_eq!(&text[error.range], fragment, "{text}");
    };
    let name = |name: &str| String::from(name);
    check("", E::Empty, "");
    check("api", E::NoLeadingSlash, "api");
    check("/api/", E::TrailingSlash, "/");
    check("//api", E::DoubleSlash, "//");
    check("/a//b", E::DoubleSlash, "//");
    check("/a?b=1", E::Query, "a?b=1");
    check("/a#b", E::Fragment, "a#b");
    check("/a/../b", E::DotSegment, "..");
    check("/.", E::DotSegment, ".");
    check("/a\\b", E::Backslash, "a\\b");
    check("/a\nb", E::Control, "a\nb");
    check(
        "/a%20b",
        E::Encoded {
            decoded: name("a b"),
        },
        "a%20b",
    );
    check("/posts/[id", E::Unclosed { close: "]" }, "[id");
    check("/posts/[[...s]", E::Unclosed { close: "]" }, "[[...s]");
    check("/posts/[[...s", E::Unclosed { close: "]]" }, "[[...s");
    check("/posts/id]", E::Unopened { open: "[" }, "id]");
    check("/posts/[...s]]", E::Unopened { open: "[" }, "[...s]]");
    check("/posts/id]]", E::Unopened { open: "[[" }, "id]]");
    check("/[]", E::NoName { named: "[id]" }, "[]");
    let path = "[...path]";
    check("/[...]", E::NoName { named: path }, "[...]");
    let path = "[[...path]]";
    check("/[[...]]", E::NoName { named: path }, "[[...]]");
    let invalid = |text: &str, ours: Option<&str>| {
        let kind = E::InvalidName {
            name: text[2..text.len() - 1].trim_start_matches('.').into(),
            ours: ours.map(Into::into),
        };
        check(text, kind, &text[1..]);
    };
    invalid("/[1d]", None);
    invalid("/[post-id]", Some("[post_id]"));
    invalid("/[...post id]", Some("[...post_id]"));
    invalid("/[self]", None);
    invalid("/[_]", None);
    invalid("/[-]", None);
    invalid("/[id:u64]", Some("[id]"));
    invalid("/[...post-id?]", Some("[[...post_id]]"));
    invalid("/[user.id]", None);
    invalid("/[$id]", None);
    check("/[..slug]", E::TwoDots { name: name("slug") }, "[..slug]");
    check("/post-[id]", E::Partial, "post-[id]");
    check("/[id].json", E::Partial, "[id].json");
    check("/x[id]y", E::Partial, "x[id]y");
    check("/[a][b]", E::Partial, "[a][b]");
    check("/[[id]]", E::OptionalSingle { name: name("id") }, "[[id]]");
    check("/[id?]", E::OptionalSingle { name: name("id") }, "[id?]");
    check("/[...a]/b", E::CatchAllNotLast, "b");
    check("/[[...a]]/(g)", E::CatchAllNotLast, "(g)");
    check("/[id]/[id]", E::RepeatedName, "[id]");
    check("/()", E::InvalidGroup, "()");
    check("/(a b)", E::InvalidGroup, "(a b)");
    check("/(a", E::Unclosed { close: ")" }, "(a");
    check("/(a)b", E::InvalidGroup, "(a)b");
    check("/[[[a]]]", E::Partial, "[[[a]]]");
    check("/]", E::Unopened { open: "[" }, "]");
    check("/[", E::Unclosed { close: "]" }, "[");
    check("/(.)photo", E::Intercepting, "(.)photo");
    check("/(...)photo", E::Intercepting, "(...)photo");
}

/// Checks that a parameter of another framework is never a literal here, whatever its name.
#[test]
fn a_parameter_of_another_framework_is_refused() {
    let check = |text: &str, ours: Option<&str>| {
        let error = parse(text).unwrap_err();
        let ours = ours.map(Into::into);
        assert_eq!(error.kind, E::Foreign { ours }, "{text}");
        assert_eq!(&text[error.range], &text[1..]);
    };
    check("/:id", Some("[id]"));
    check("/:id?", Some("[id]"));
    check("/:id(\\d+)", Some("[id]"));
    check("/:slug*", Some("[...slug]"));
    check("/:post-id", Some("[post_id]"));
    check("/:post-id+", Some("[...post_id]"));
    check("/:a.json", None);
    check("/:1", None);
    check("/:", None);
    check("/*", Some("[...rest]"));
    check("/**", Some("[...rest]"));
    check("/*path", Some("[...path]"));
    check("/*.json", None);
    check("/{id}", Some("[id]"));
    check("/{id?}", Some("[id]"));
    check("/{post-id}", Some("[post_id]"));
    check("/{id:\\d+}", Some("[id]"));
    check("/{id:\\d*}", Some("[id]"));
    check("/{tail:.*}", Some("[...tail]"));
    check("/{tail:path}", Some("[...tail]"));
    check("/{*rest}", Some("[...rest]"));
    check("/{rest...}", Some("[...rest]"));
    check("/{1}", None);
    check("/{}", None);
    check("/<id>", Some("[id]"));
    check("/<int:id>", Some("[id]"));
    check("/<path:rest>", Some("[...rest]"));
    check("/<path..>", Some("[...path]"));
    check("/<post-id>", Some("[post_id]"));
    check("/<a.b>", None);
}

#[test]
fn mangling_loses_only_names_and_groups() {
    let mangled = |text: &str| parse(text).unwrap().mangled();
    assert_eq!(mangled("/api/posts/[id]"), "__api__posts___I");
    assert_eq!(mangled("/(g)/api/posts/[slug]"), "__api__posts___I");
    assert_eq!(mangled("/"), "");
    let apart = [
        "/a/b",
        "/a_b",
        "/a__b",
        "/a-b",
        "/[a]",
        "/[...a]",
        "/[[...a]]",
        "/I",
        "/_I",
        "/a_2fb",
        "/a b",
        "/__I",
    ];
    for (i, a) in apart.iter().enumerate() {
        for b in &apart[i + 1..] {
            assert_ne!(mangled(a), mangled(b), "{a} {b}");
        }
    }
}
