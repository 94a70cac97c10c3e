use route_runtime::cached;

#[cached(version = "2")]
async fn text() -> u64 {
    0
}

#[cached(version = VERSION)]
async fn constant() -> u64 {
    0
}

fn main() {
    let _ = (text(), constant());
}
