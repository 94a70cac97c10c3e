use route_runtime::cached;

#[cached(skip(cleint, db))]
async fn cats(id: u64, client: u64) -> u64 {
    id + client
}

#[cached(skip(db))]
async fn dogs() -> u64 {
    0
}

fn main() {
    let _ = (cats(1, 2), dogs());
}
