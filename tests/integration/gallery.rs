//! The guide's page of error messages is what the compiler says, as the UI tests hold it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

const INTRODUCTION: &str = "\
What the compiler says when something is wrong with `#[route]`, `#[page]` or `#[cached]`: what is wrong,
then what to write instead, then what is allowed. Where types decide, rustc words the frame.

Each group is one rule, under the first message of it; what only the whole table shows comes after them.
The last section is about what clients are told.
";

const AT_START: &str = "\
What keeps a program from starting, and the command `check` from passing: all of it at once, with both
places. Two handlers for one path, and a page and a route at one path, are found so between crates;
the rest within a crate too.
";

const IN_A_REQUEST: &str = "\
If an argument of a handler cannot be read, the client is told its own mistake, in production too: in the
`detail` of a problem, or in the HTML of a page.

```text
POST /posts    {\"body\": \"…\"}
400 Bad Request
{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,
 \"detail\":\"in the body: missing field `title` at line 1 column 12\"}
```

| argument | examples of `detail` |
|---|---|
| `Json` | ``in the body: invalid type: string, expected u32 at line 2 column 15``; ``the header `Content-Type` must be `application/json` `` |
| `Form` | ``in the body: unknown variant, expected `draft` or `published` `` |
| `Query` | ``in the query: invalid digit found in string`` |
| `Bytes`, `String` | ``the body may have 1048576 bytes``; ``the body is not text in the charset of the header `Content-Type` `` |
| `Header` | ``a header is missing or cannot be read`` |
| `MultipartForm`, with the feature `multipart` | ``in the field `age`: number too large to fit in target type`` |

The `detail` names members, places, sizes and content types. It never repeats what the client has sent, not
even the name of an unknown member, and never names a type of the program. So it has only sentences of ours,
of serde and of the standard library. What a type says in words of its own, in `serde::de::Error::custom`,
`#[serde(try_from)]` or `#[serde(expecting)]`, may repeat a value and is left out. If nothing else is left, the
client is told ``a value is not accepted at line 1 column 15``. In development, `detail` is the whole text of
the error.

- A parameter of the path that does not parse is a 404 without a `detail`: there is nothing at that path.
- An extractor of your own, or of another crate, has the status and the headers of its error. Its text is for
  development only, because it may say anything. Return a [`Problem`](crate::Problem) to tell the client more.
- A response that your app makes itself, in the `error_handler` of `JsonConfig` and the like with
  `InternalError::from_response`, is sent as it is.
- A handler or a middleware that calls an extractor itself, as in `Query::from_query(…)?`, tells clients the
  same.
";

/// The subjects of rules, by how their names begin. The first that fits counts.
const SUBJECTS: [(&str, &[&str]); 10] = [
    ("Patterns", &["pattern_"]),
    ("Methods", &["method_"]),
    (
        "Parameters",
        &[
            "param",
            "catch_all_",
            "single_",
            "static_params_",
            "dynamic_params_",
        ],
    ),
    (
        "Options",
        &[
            "option_",
            "value_",
            "get_only_",
            "body_limit_",
            "no_body",
            "cdn_",
            "expire_",
            "revalidate_",
            "store_",
            "dynamic_error_",
            "tag_",
            "wrap_",
        ],
    ),
    (
        "Handlers",
        &[
            "no_function",
            "not_async",
            "generic",
            "unsafe_",
            "self_",
            "argument_",
            "borrowed_",
            "impl_trait_",
            "response_",
            "name_",
        ],
    ),
    ("Modules and pages", &["module_", "page_"]),
    ("Sections", &["section_"]),
    ("One path twice", &["duplicate_"]),
    ("Cached functions", &["cached_"]),
    ("Several mistakes at once", &["several_"]),
];

#[test]
fn the_page_of_errors_is_what_the_compiler_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fixtures = root.join("ui/fail");
    let named = |ending: &str| -> BTreeSet<String> {
        let files = fs::read_dir(&fixtures).unwrap();
        let files = files.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        files
            .filter_map(|file| Some(file.strip_suffix(ending)?.to_owned()))
            .collect()
    };
    let rules = named(".rs");
    assert_eq!(rules, named(".stderr"), "each rule says something");

    let mut page = INTRODUCTION.to_owned();
    for (subject, _) in SUBJECTS {
        write!(page, "\n# {subject}\n").unwrap();
        for rule in rules.iter().filter(|rule| subject_of(rule) == subject) {
            let said = fs::read_to_string(fixtures.join(format!("{rule}.stderr"))).unwrap();
            let said = said.replace(&format!("ui/fail/{rule}.rs"), "src/main.rs");
            // Where the library is, is nobody's matter.
            let mut said = said.replace("$WORKSPACE/", "").replace("$DIR/", "");
            said.truncate(said.trim_end().len());
            // The others say the same of the other methods that a page claims.
            if rule.starts_with("duplicate_") {
                said.truncate(said.find("\n\nerror").unwrap_or(said.len()));
            }
            let title = title(&said);
            write!(page, "\n## {title}\n\n```text\n{said}\n```\n").unwrap();
        }
    }
    let said = fs::read_to_string(root.join("fixtures/colliding.stderr")).unwrap();
    let said = said.trim_end();
    write!(
        page,
        "\n# When it starts\n\n{AT_START}\n```text\n{said}\n```\n\n# When a request is wrong\n\n{IN_A_REQUEST}"
    )
    .unwrap();
    let file = root.join("../route-runtime/docs/guide/errors.md");
    if env::var_os("UPDATE_GALLERY").is_some() {
        fs::write(&file, &page).unwrap();
    }
    let is_current = fs::read_to_string(&file).is_ok_and(|written| written == page);
    assert!(
        is_current,
        "messages have changed: `UPDATE_GALLERY=1 cargo test -p tests --test integration gallery`"
    );
}

fn subject_of(rule: &str) -> &'static str {
    let mut subjects = SUBJECTS.iter();
    let subject = subjects.find(|(_, begins)| begins.iter().any(|it| rule.starts_with(it)));
    subject
        .unwrap_or_else(|| panic!("`{rule}` has a subject"))
        .0
}

/// The first message, without what rustc files it under.
fn title(said: &str) -> &str {
    let line = said.lines().find(|line| line.starts_with("error"));
    let (_, message) = line
        .and_then(|line| line.split_once(": "))
        .expect("an error");
    let message = message
        .strip_prefix("evaluation panicked: ")
        .unwrap_or(message);
    // What follows is help.
    message.split_once("; ").map_or(message, |(what, _)| what)
}
