use route_runtime::route;

#[route("/posts")]
mod posts {
    pub async fn GET() -> String {
        todo!()
    }
    pub async fn get() -> String {
        todo!()
    }
}

fn main() {
    let _ = (posts::GET, posts::get);
}
