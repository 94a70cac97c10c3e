use route_runtime::{page, route};

#[route("/a", POST)]
async fn after() -> String {
    todo!()
}

#[route(GET, "/b", POST)]
async fn two() -> String {
    todo!()
}

#[route("/c", method = "POST")]
async fn option() -> String {
    todo!()
}

#[route("/d", methods = ["GET", "POST"])]
async fn options_of_two() -> String {
    todo!()
}

#[page("/e", GET)]
async fn of_page() -> String {
    todo!()
}

#[route("/f", post, revalidate = 10)]
mod module {
    pub async fn GET() -> String {
        todo!()
    }
}

fn main() {
    let _ = after;
    let _ = two;
    let _ = option;
    let _ = options_of_two;
    let _ = of_page;
    let _ = module::GET;
}
