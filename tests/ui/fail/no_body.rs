use route_runtime::route;

trait Posts {
    #[route("/posts")]
    async fn list() -> String;
}

fn main() {}
