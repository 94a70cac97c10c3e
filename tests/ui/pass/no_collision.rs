//! Routes that nearly collide, and do not.

use route_runtime::{Routes, page, route};

macro_rules! declare {
    ($($name:ident $method:ident $pattern:literal)*) => {$(
        #[route($method, $pattern)]
        async fn $name() -> &'static str {
            $pattern
        }
    )*};
}

declare! {
    read GET "/posts"
    write POST "/posts"
    head HEAD "/posts"
    underscore GET "/po_sts"
    dash GET "/po-sts"
    deeper GET "/po/sts"
    upper GET "/Posts"
    root GET "/"
    letter GET "/I"
    encoded GET "/_49"
    group GET "/(a)/grouped"
}

#[page("/posts/[id]")]
async fn single(id: u64) -> String {
    id.to_string()
}

#[route("/posts/[...id]")]
async fn catch_all(id: Vec<u64>) -> String {
    format!("{id:?}")
}

mod other {
    use route_runtime::route;

    /// A handler in another module, of another method, with the same name.
    #[route(PUT, "/posts")]
    pub async fn read() -> &'static str {
        "other"
    }
}

fn in_a_function() -> &'static str {
    #[route("/inside")]
    async fn read() -> &'static str {
        "inside"
    }
    read::PATTERN
}

fn main() {
    assert_eq!(Routes::collect().unwrap().iter().len(), 15);
    assert_eq!(in_a_function(), "/inside");
    let _ = other::read;
}
