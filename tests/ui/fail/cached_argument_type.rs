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

#[derive(serde::Serialize)]
struct WriteOnly {
    id: u64,
}

#[cached]
async fn birds(of: WriteOnly) -> u64 {
    of.id
}

fn main() {
    let _ = birds(WriteOnly { id: 1 });
    let _ = dogs(Filter, 1);
}
