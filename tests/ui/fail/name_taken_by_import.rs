use route_runtime::{not_found, route};

#[route("/errors")]
async fn not_found() -> String {
    todo!()
}

mod with_argument {
    use route_runtime::{fetch, route};

    #[route("/data")]
    async fn fetch() -> String {
        todo!()
    }
}

mod of_a_module {
    use route_runtime::{cache, route};

    #[route("/cache")]
    async fn cache() -> String {
        todo!()
    }
}

fn main() {}
