use route_runtime::cached;

#[cached(revalidate = 0)]
async fn zero() -> u64 {
    0
}

#[cached(revalidate = true)]
async fn truth() -> u64 {
    0
}

#[cached(revalidate = "5s")]
async fn text() -> u64 {
    0
}

#[cached(revalidate = -1)]
async fn negative() -> u64 {
    0
}

fn main() {
    let _ = (zero(), truth(), text(), negative());
}
