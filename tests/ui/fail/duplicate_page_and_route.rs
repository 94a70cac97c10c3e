use route_runtime::{page, route};

#[page("/about")]
async fn about() -> String {
    todo!()
}

#[route(GET, "/about")]
async fn about_data() -> String {
    todo!()
}

#[page("/contact")]
async fn contact() -> String {
    todo!()
}

#[route(POST, "/contact")]
async fn send() -> String {
    todo!()
}

fn main() {
    let _ = (about, about_data, contact, send);
}
