use route_runtime::route;

#[route("/a")]
struct Posts;

#[route("/b")]
const COUNT: u64 = 1;

fn main() {
    let _ = Posts;
    let _ = COUNT;
}
