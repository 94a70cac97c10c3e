use route_runtime::cached;

#[cached(tags = ["cats:{ids}"])]
async fn cats(ids: Vec<u64>) -> Vec<u64> {
    ids
}

fn main() {
    let _ = cats(vec![1]);
}
