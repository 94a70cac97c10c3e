use actix_web::HttpRequest;
use route_runtime::cached;

#[derive(Clone)]
struct Filter;

#[cached]
async fn cats(id: u64, request: HttpRequest) -> String {
    format!("{id}{request:?}")
}

#[cached]
async fn dogs(filter: Filter, id: u64) -> u64 {
    let Filter = filter;
    id
}

fn main() {
    let _ = dogs(Filter, 1);
}
