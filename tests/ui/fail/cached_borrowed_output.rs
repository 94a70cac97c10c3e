use route_runtime::cached;

#[cached]
async fn cats() -> &'static str {
    "cats"
}

#[cached]
async fn dogs() -> Result<Vec<&'static str>, String> {
    todo!()
}

#[cached]
async fn birds() -> &'static [u64] {
    &[]
}

fn main() {
    let _ = (cats(), dogs(), birds());
}
