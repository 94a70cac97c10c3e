use route_runtime::cached;

#[cached(revalidate, version = , tags(["a"]))]
async fn cats(id: u64) -> u64 {
    id
}

#[cached(revalidate = 1 version = 2)]
async fn dogs(id: u64) -> u64 {
    id
}

fn main() {
    let _ = (cats(1), dogs(1));
}
