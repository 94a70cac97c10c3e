use route_runtime::cached;

#[cached(ttl = 10, revaldiate = 10, tag = ["a"], skips(id), fetchCache = "auto")]
async fn cats(id: u64) -> u64 {
    id
}

#[cached("/cats")]
async fn dogs(id: u64) -> u64 {
    id
}

#[cached("cats", 7)]
async fn birds(id: u64) -> u64 {
    id
}

fn main() {
    let _ = (cats(1), dogs(1), birds(1));
}
