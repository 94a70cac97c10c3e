use route_runtime::route;

async fn ids() -> Vec<u64> {
    vec![1]
}

#[route("/posts", static_params = ids, dynamic_params = false)]
async fn posts() -> String {
    todo!()
}

fn main() {
    let _ = posts;
    let _ = ids;
}
