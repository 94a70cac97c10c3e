use route_runtime::route;

#[route("/posts")]
mod posts {
    async fn GET() -> String {
        todo!()
    }
    pub(super) fn all() {
        let _ = GET;
    }
}

fn main() {
    let _ = posts::all;
}
