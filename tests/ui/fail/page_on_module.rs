use route_runtime::page;

#[page("/about")]
mod about {
    pub async fn GET() -> String {
        todo!()
    }
}

fn main() {
    let _ = about::GET;
}
