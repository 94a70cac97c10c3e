use route_runtime::cached;

#[cached]
fn cats() -> String {
    String::new()
}

fn main() {
    let _ = cats();
}
