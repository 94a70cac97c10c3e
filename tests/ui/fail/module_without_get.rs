use route_runtime::route;

#[route("/posts", revalidate = 10)]
mod posts {
    pub async fn POST() -> String {
        todo!()
    }
    pub async fn DELETE() -> String {
        todo!()
    }
}

fn main() {
    let _ = (posts::POST, posts::DELETE);
}
