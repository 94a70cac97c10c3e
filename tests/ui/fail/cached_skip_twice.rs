use route_runtime::cached;

#[cached(skip(id, id))]
async fn cats(id: u64) -> u64 {
    id
}

fn main() {
    let _ = cats(1);
}
