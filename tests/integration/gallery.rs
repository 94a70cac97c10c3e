//! The guide's page of error messages is what the compiler says, as the UI tests hold it.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

const INTRODUCTION: &str = "\
What the compiler says when something is wrong with `#[route]`, `#[page]` or `#[cached]`: what is wrong,
then what to write instead, then what is allowed. Where types decide, rustc words the frame.

Each group is one rule; what only the whole table shows comes last.
";

const AT_START: &str = "\
What keeps a program from starting, and the command `check` from passing: all of it at once, with both
places. Two handlers for one path, and a page and a route at one path, are found so between crates;
the rest within a crate too.
";

#[test]
fn the_page_of_errors_is_what_the_compiler_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut rules: Vec<_> = fs::read_dir(root.join("ui/fail"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "stderr")
        })
        .collect();
    rules.sort();
    let mut page = INTRODUCTION.to_owned();
    for path in rules {
        let rule = path.file_stem().unwrap().to_str().unwrap();
        let said = fs::read_to_string(&path).unwrap();
        let said = said.replace(&format!("ui/fail/{rule}.rs"), "src/main.rs");
        let title = rule.replace('_', " ");
        write!(page, "\n# {title}\n\n```text\n{}\n```\n", said.trim_end()).unwrap();
    }
    let said = fs::read_to_string(root.join("fixtures/colliding.stderr")).unwrap();
    let said = said.trim_end();
    write!(
        page,
        "\n# When it starts\n\n{AT_START}\n```text\n{said}\n```\n"
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
