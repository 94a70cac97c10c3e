use route_runtime::route;

#[route(GET, "/posts")]
mod posts {
    pub async fn GET() -> String {
        todo!()
    }
}

fn main() {
    let _ = posts::GET();
}
