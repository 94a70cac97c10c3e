use route_runtime::cached;

#[cached(revalidate = 1, skip(id), version = 1, revalidate = 2, skip(id), version = 1)]
async fn cats(id: u64) -> u64 {
    id
}

fn main() {
    let _ = cats(1);
}
