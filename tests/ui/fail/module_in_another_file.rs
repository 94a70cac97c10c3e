use route_runtime::route;

#[route("/posts")]
#[path = "module_in_another_file/posts.rs"]
mod posts;

fn main() {
    let _ = posts::GET();
}
