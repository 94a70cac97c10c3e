use std::collections::BTreeSet;
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

/// Returns the text of every file below a folder.
fn files_below(path: &str) -> String {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)];
    let mut text = String::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                text.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    text
}

/// Checks that `is_there` holds for the name of every option.
#[track_caller]
fn check_each(what: &str, is_there: impl Fn(&str) -> bool) {
    let names = TABLE.iter().map(|rule| rule.name);
    let absent: Vec<_> = names.filter(|name| !is_there(name)).collect();
    assert!(absent.is_empty(), "{what}: nothing of {absent:?}");
}

/// Checks that the documentation has a row for every option. It is generated from the runtime's own
/// rows, so this also finds an option that only one of the two crates has.
#[test]
fn every_option_is_documented() {
    let table = file("route-runtime/docs/options.md");
    let documented = table
        .lines()
        .skip(2)
        .filter_map(|row| row.split('`').nth(1));
    let names: BTreeSet<_> = TABLE.iter().map(|rule| rule.name).collect();
    assert_eq!(documented.collect::<BTreeSet<_>>(), names);
}

#[test]
fn every_option_is_in_the_changelog_and_has_an_integration_test() {
    let changelog = file("CHANGELOG.md");
    check_each("CHANGELOG.md", |name| {
        changelog.contains(&format!("`{name}`"))
    });
    let tests = files_below("tests/integration");
    check_each("tests/integration", |name| {
        tests.contains(&format!(", {name} = ")) || tests.contains(&format!("\n    {name} = "))
    });
}

#[test]
fn a_given_option_is_recorded_with_its_scope() {
    for rule in TABLE {
        let sample = format!("{} = {}", rule.name, rule.right);
        let options = read(sample.parse().unwrap()).unwrap();
        let [(name, scope)] = options.names.as_slice() else {
            panic!("one option: {sample}")
        };
        assert_eq!((name.to_string().as_str(), *scope), (rule.name, rule.scope));
    }
}

#[test]
fn a_wrong_value_is_quoted_beside_the_name_of_its_option() {
    for rule in TABLE {
        let sample = format!("{} = {}", rule.name, rule.wrong);
        let Err(message) = read(sample.parse().unwrap()) else {
            panic!("{sample} is refused")
        };
        assert!(message.contains(&format!("`{}`", rule.name)), "{message}");
    }
}

/// The attributes of one GET and one POST that use all options of their scopes, below `path`.
fn all_options(path: &str) -> [String; 2] {
    [Method::Get, Method::Post].map(|method| {
        let rules = TABLE.iter().filter(|rule| rule.scope.covers(method));
        let options = rules.map(|rule| format!("    {} = {},\n", rule.name, rule.right));
        let options: String = options.collect();
        format!("#[route(\n    {method},\n    \"{path}/[user]\",\n{options})]")
    })
}

/// The fixture in which every option compiles, together with all others and under the strictest
/// lints.
fn pass_fixture() -> String {
    let [get, post] = all_options("/all");
    format!(
        "//! Every option compiles, with all others. Generated from the table of options.

#![forbid(unsafe_code, missing_debug_implementations, unused_imports)]
#![deny(warnings, missing_docs, unreachable_pub, unused, rust_2018_idioms, future_incompatible)]

use actix_web::Error;
use actix_web::body::BoxBody;
use actix_web::dev::{{ServiceRequest, ServiceResponse}};
use actix_web::middleware::Next;
use route_runtime::route;

async fn guard(request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse, Error> {{
    next.call(request).await
}}

async fn paths() -> [&'static str; 1] {{
    [\"ann\"]
}}

{get}
async fn get(user: String) -> String {{
    user
}}

{post}
async fn post(user: String) -> String {{
    user
}}

fn main() {{
    let routes = route_runtime::Routes::from_iter([get::ROUTE, post::ROUTE]).unwrap();
    assert_eq!(routes.iter().len(), 2);
}}
"
    )
}

/// The fixture in which a wrong value of every option is refused.
fn fail_fixture() -> String {
    let routes = TABLE.iter().map(|rule| {
        let Rule {
            name, scope, wrong, ..
        } = rule;
        let method = if scope.covers(Method::Get) { "GET" } else { "POST" };
        format!(
            "#[route({method}, \"/{name}/[user]\", {name} = {wrong})]\nasync fn {name}(user: String) -> String {{\n    user\n}}\n\n"
        )
    });
    let routes: String = routes.collect();
    format!(
        "//! A wrong value of every option is refused. Generated from the table of options.

use route_runtime::route;

{routes}fn main() {{}}
"
    )
}

/// Compares the generated fixtures with the table of options. With `UPDATE_FIXTURES` set, writes
/// them.
#[test]
fn every_option_is_compiled_and_refused() {
    for (path, expected) in [
        ("tests/ui/pass/options.rs", pass_fixture()),
        ("tests/ui/fail/option_values.rs", fail_fixture()),
    ] {
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            fs::write(&place, &expected).unwrap();
        }
        let found = fs::read_to_string(&place).unwrap_or_default();
        assert_eq!(found, expected, "{path}: run with `UPDATE_FIXTURES=1`");
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
