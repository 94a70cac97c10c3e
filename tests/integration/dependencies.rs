//! Checks of the packages that this project brings into a program: their source, their licence,
//! and the Rust version that they need.
//!
//! They read only what is on this machine, and so need no network.

use std::collections::BTreeSet;
use std::process::Command;

use serde::Deserialize;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    /// The registry that the package is from; `None` for a package of this workspace.
    source: Option<String>,
    rust_version: Option<String>,
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

fn packages() -> Vec<Package> {
    let version = run(Command::new("rustc").arg("-vV"));
    let mut lines = version.lines();
    let host = lines.find_map(|line| line.strip_prefix("host: ")).unwrap();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["metadata", "--format-version=1", "--locked", "--offline"])
        .args(["--filter-platform", host])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    let metadata: Metadata = serde_json::from_str(&run(&mut cargo)).unwrap();
    assert!(metadata.packages.len() > 100, "all that is depended on");
    metadata.packages
}

/// Asserts that `problem` finds nothing wrong with any package.
fn check(problem: impl Fn(&Package) -> Option<String>) {
    let packages = packages();
    let problems = packages.iter().filter_map(|package| {
        let problem = problem(package)?;
        Some(format!("{} {}: {problem}", package.name, package.version))
    });
    let problems: Vec<_> = problems.collect();
    assert!(problems.is_empty(), "{problems:#?}");
}

/// The accepted licences. None asks more of a program than to be named in it.
const LICENCES: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "LLVM-exception",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

#[test]
fn every_package_has_an_accepted_licence() {
    let known: BTreeSet<_> = LICENCES.into_iter().chain(["AND", "OR", "WITH"]).collect();
    check(|package| {
        let licence = package.license.as_deref().unwrap_or("none");
        let mut words = licence.split([' ', '/', '(', ')']);
        let is_known = words.all(|word| word.is_empty() || known.contains(word));
        (!is_known).then(|| licence.to_owned())
    });
}

#[test]
fn every_package_is_from_this_workspace_or_from_crates_io() {
    check(|package| {
        let source = package.source.as_deref()?;
        let is_registry = source == "registry+https://github.com/rust-lang/crates.io-index";
        (!is_registry).then(|| source.to_owned())
    });
}

#[test]
fn no_package_needs_a_newer_rust_than_we_promise() {
    let numbers = |version: &str| -> Vec<u32> { version.split('.').flat_map(str::parse).collect() };
    let promised = numbers(env!("CARGO_PKG_RUST_VERSION"));
    check(|package| {
        let needed = package.rust_version.as_deref()?;
        (numbers(needed) > [&*promised, &[u32::MAX]].concat()).then(|| format!("Rust {needed}"))
    });
}

/// TLS is rustls, so that a program builds and runs without a TLS library of the system.
#[test]
fn no_package_links_to_openssl() {
    check(|package| {
        let is_openssl = matches!(&*package.name, "openssl" | "openssl-sys" | "native-tls");
        is_openssl.then(|| "links to a library of the system's".to_owned())
    });
}
