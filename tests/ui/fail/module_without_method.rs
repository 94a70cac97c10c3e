use route_runtime::route;

#[route("/posts")]
mod posts {
    pub fn helper() {}
}

#[route("/comments")]
mod comments {}

fn main() {
    let _ = posts::helper();
}
