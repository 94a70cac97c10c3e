use std::fs;
use std::path::Path;

use super::*;

/// Reads a single option.
fn read(tokens: proc_macro2::TokenStream) -> Result<Options, String> {
    let mut errors = Errors::default();
    let options = check(vec![syn::parse2(tokens).unwrap()], false, &mut errors);
    errors.finish(Some(options)).map_err(|e| e.to_string())
}

#[test]
fn a_number_of_bytes_may_have_a_unit_in_a_string() {
    let check = |value: &str, expected: Option<u64>| {
        let tokens = format!("body_limit = {value}").parse().unwrap();
        let found = read(tokens).ok().and_then(|o| o.body_limit);
        assert_eq!(found.map(|given| given.value), expected, "{value}");
    };
    check("1000", Some(1000));
    check("\"64KB\"", Some(64 << 10));
    check("\"1 mb\"", Some(1 << 20));
    check("\"2GB\"", Some(2 << 30));
    check("\"12B\"", Some(12));
    check("\"12\"", None);
    check("\"KB\"", None);
    check("\"99999999999999GB\"", None);
    check("-1", None);
    check("1u8", None);
}

fn file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the text of every file in a folder, except the files named in `without`.
fn folder(path: &str, without: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    let files = fs::read_dir(root).unwrap().map(|file| file.unwrap().path());
    let files = files.filter(|path| path.is_file() && !without.iter().any(|it| path.ends_with(it)));
    files
        .map(|path| fs::read_to_string(path).unwrap())
        .collect()
}

/// Checks that `is_there` holds for the name of every option.
#[track_caller]
fn check_each(what: &str, is_there: impl Fn(&str) -> bool) {
    let names = TABLE.iter().map(|rule| rule.name);
    let absent: Vec<_> = names.filter(|name| !is_there(name)).collect();
    assert!(absent.is_empty(), "{what}: nothing of {absent:?}");
}

/// Checks that README and the guides mention every option. README's "Adding an option" says what
/// this test notices if it is forgotten, and what no test notices.
#[test]
fn every_option_is_documented() {
    let table = file("route-runtime/docs/options.md");
    let documented = table
        .lines()
        .skip(2)
        .filter_map(|row| row.split('`').nth(1));
    let names: Vec<_> = TABLE.iter().map(|rule| rule.name).collect();
    assert_eq!(documented.collect::<Vec<_>>(), names);
    assert!(file("README.md").contains(&table), "README has that table");

    // Without the page of errors, which is generated from the messages.
    let guides = folder("route-runtime/docs/guide", &["errors.md"]);
    check_each("the guides", |name| {
        guides.contains(&format!("`{name}`")) || guides.contains(&format!("`{name} = "))
    });
}

/// The options that `Routes::to_json` leaves out on purpose. `dynamic` shows in `rendering` and
/// `reason`, and the rest do not describe a response.
const UNLISTED: [&str; 5] = [
    "dynamic",
    "fetch_cache",
    "wrap",
    "max_duration",
    "body_limit",
];

#[test]
fn every_option_is_listed_or_is_not_on_purpose() {
    let source = folder("route-runtime/src/routes", &[]);
    let members = source
        .split_once("struct Json<")
        .expect("a struct of members");
    let members = members.1.split_once("\n}").expect("its end").0;
    check_each("`Routes::to_json`", |name| {
        members.contains(&format!("    {name}: ")) != UNLISTED.contains(&name)
    });
}

#[test]
fn every_option_is_compiled_and_refused() {
    for used in [
        "tests/ui/pass/every_option.rs",
        "tests/ui/pass/strict_lints.rs",
        "route-macros/src/expand/tests.rs",
    ] {
        let text = file(used);
        check_each(used, |name| text.contains(&format!("{name} = ")));
    }
    check_each("tests/ui/fail", |name| {
        let fixture = format!("tests/ui/fail/value_{name}.rs");
        file(&fixture).contains(&format!("{name} = "))
    });
}

#[test]
fn a_given_option_is_recorded_with_its_scope() {
    let samples = [
        "dynamic = \"auto\"",
        "revalidate = 1",
        "expire = 2",
        "static_params = slugs",
        "dynamic_params = true",
        "fetch_cache = \"auto\"",
        "tags = [\"a\"]",
        "cdn = true",
        "wrap = auth",
        "max_duration = 1",
        "body_limit = 1",
    ];
    assert_eq!(samples.len(), TABLE.len());
    for (rule, sample) in TABLE.iter().zip(samples) {
        let options = read(sample.parse().unwrap()).unwrap();
        let [(name, scope)] = options.names.as_slice() else {
            panic!("one option: {sample}")
        };
        assert_eq!((name.to_string().as_str(), *scope), (rule.name, rule.scope));
    }
}

#[test]
fn an_unreadable_revalidate_beside_expire_is_one_error() {
    let args = ["revalidate = \"10\"", "expire = 60"];
    let args = args.map(|arg| syn::parse_str(arg).unwrap());
    let mut errors = Errors::default();
    check(args.into(), true, &mut errors);
    let error = errors.finish(Some(())).unwrap_err();
    assert_eq!(error.into_iter().count(), 1);
}
