use route_runtime::page;

#[page("/about")]
async fn about() -> String {
    todo!()
}

#[page("/(en)/about")]
async fn about_too() -> String {
    todo!()
}

fn main() {
    let _ = (about, about_too);
}
