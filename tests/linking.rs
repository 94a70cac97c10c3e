//! Tests of how routes of other crates get into a program.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::env::current_exe;

use route_runtime::{Routes, link};

link!(linked, plugin, renamed);

#[test]
fn the_routes_of_linked_crates_are_collected() {
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
fn a_handle_is_as_public_as_its_function() {
    assert_eq!(linked::show::path(7), "/linked/7");
    assert_eq!(linked::list::PATTERN, "/linked");
}

/// Cargo has linked the library before this test runs. The file shows that it was not only checked.
#[test]
fn a_dynamic_library_with_routes_links() {
    let library = format!("{DLL_PREFIX}plugin{DLL_SUFFIX}");
    assert!(current_exe().unwrap().with_file_name(library).is_file());
}
