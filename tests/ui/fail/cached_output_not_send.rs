use route_runtime::cached;

#[cached]
async fn cats() -> Result<String, actix_web::Error> {
    todo!()
}

fn main() {
    let _ = cats();
}
