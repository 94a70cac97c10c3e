//! Parameters of every kind, bound by name, listed ahead, and built into paths.

use std::net::IpAddr;
use std::str::FromStr;

use route_runtime::{Routes, route};

struct Slug(String);

impl FromStr for Slug {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(Self(text.into()))
    }
}

impl std::fmt::Display for Slug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Arguments may have any order. Parameters of `path` have the order of the pattern.
#[route("/users/[user]/posts/[id]", static_params = pairs)]
async fn two(id: u64, user: String) -> String {
    format!("{id} {user}")
}

#[route("/slugs/[slug]", static_params = slugs)]
async fn own_type(slug: Slug) -> String {
    slug.0
}

#[route("/files/[root]/[...path]", static_params = files)]
async fn catch_all(root: char, path: Vec<Slug>) -> String {
    format!("{root} {}", path.len())
}

#[route("/docs/[[...path]]", static_params = docs)]
async fn optional(path: Option<Vec<u8>>) -> String {
    format!("{path:?}")
}

#[route("/address/[ip]")]
async fn pattern_argument(mut ip: IpAddr) -> String {
    ip = ip.to_canonical();
    ip.to_string()
}

async fn pairs() -> Vec<(&'static str, u64)> {
    vec![("a", 1)]
}

async fn slugs() -> Vec<Slug> {
    vec![Slug("a".into())]
}

async fn files() -> Result<Vec<(char, [Slug; 1])>, actix_web::Error> {
    Ok(vec![('a', [Slug("b".into())])])
}

async fn docs() -> Vec<Vec<u8>> {
    vec![vec![], vec![1, 2]]
}

fn main() {
    assert_eq!(two::path("a/b", 1), "/users/a%2Fb/posts/1");
    assert_eq!(two::path(String::from("a"), &1), "/users/a/posts/1");
    assert_eq!(own_type::path(Slug("x".into())), "/slugs/x");
    assert_eq!(catch_all::path('r', [Slug("x".into())]), "/files/r/x");
    assert_eq!(optional::path([0; 0]), "/docs");
    assert_eq!(optional::path(&[1, 2]), "/docs/1/2");
    assert_eq!(Routes::collect().unwrap().iter().len(), 5);
}
