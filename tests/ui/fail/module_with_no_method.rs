use route_runtime::route;

#[route("/posts")]
mod posts {
    pub async fn GET() -> String {
        todo!()
    }
    pub async fn helper() -> String {
        todo!()
    }
    pub async fn PSOT() -> String {
        todo!()
    }
}

fn main() {
    let _ = (posts::GET, posts::helper, posts::PSOT);
}
