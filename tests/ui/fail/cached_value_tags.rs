use route_runtime::cached;

#[cached(tags = "cats")]
async fn no_list() -> u64 {
    0
}

#[cached(tags = [])]
async fn empty_list() -> u64 {
    0
}

#[cached(tags = ["cats", ""])]
async fn empty() -> u64 {
    0
}

#[cached(tags = ["cat:{id"])]
async fn unclosed(id: u64) -> u64 {
    id
}

#[cached(tags = [CATS])]
async fn constant() -> u64 {
    0
}

fn main() {
    let _ = (no_list(), empty_list(), empty(), unclosed(1), constant());
}
