//! Routes of other crates: how they get into a program.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::env::current_exe;

use route_runtime::{Routes, link};

link!(linked, plugin, renamed);

#[test]
fn linked_crates_bring_their_routes() {
    let routes = Routes::collect().unwrap();
    let found: Vec<_> = routes
        .iter()
        .map(|it| (it.source().crate_name(), it.pattern()))
        .collect();
    let expected = [
        ("linked", "/linked"),
        ("linked", "/linked/[id]"),
        ("linked", "/linked/private"),
        ("plugin", "/plugin"),
        ("plugin", "/plugin/page"),
        ("renamed", "/renamed"),
        ("renamed", "/renamed/rest/[[...path]]"),
        ("renamed", "/renamed/[id]"),
    ];
    for route in expected {
        assert!(found.contains(&route), "{route:?} in {found:?}");
    }
    assert_eq!(found.len(), expected.len());
}

#[test]
fn handles_are_public_as_their_functions() {
    assert_eq!(linked::show::path(7), "/linked/7");
    assert_eq!(linked::list::PATTERN, "/linked");
}

/// Cargo has linked it before this test could run; here is that it did not only check it.
#[test]
fn a_dynamic_library_may_have_routes() {
    let library = format!("{DLL_PREFIX}plugin{DLL_SUFFIX}");
    assert!(current_exe().unwrap().with_file_name(library).is_file());
}
