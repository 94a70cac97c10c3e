use route_runtime::cached;

#[cached]
async fn cats(&self) -> String {
    todo!()
}

fn main() {}
