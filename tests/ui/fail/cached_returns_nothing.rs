use route_runtime::cached;

#[cached]
async fn cats() {}

#[cached]
async fn dogs() -> () {}

fn main() {
    let _ = (cats(), dogs());
}
