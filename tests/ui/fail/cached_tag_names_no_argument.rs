use route_runtime::cached;

#[cached(tags = ["cat:{cat_ld}", "{db}"])]
async fn cats(cat_id: u64) -> u64 {
    cat_id
}

#[cached(tags = ["{id}"])]
async fn dogs() -> u64 {
    0
}

#[cached(tags = ["{}"])]
async fn birds(id: u64) -> u64 {
    id
}

fn main() {
    let _ = (cats(1), dogs(), birds(1));
}
