//! Arguments, functions and tags may have the names of generated items, and the names of keywords.

#![allow(non_snake_case)]

use std::sync::Arc;

use route_runtime::cached;

#[cached(tags = ["{call}:{function}"], skip(run))]
async fn call(call: u8, function: String, run: Arc<u8>) -> String {
    format!("{call} {function} {run}")
}

#[cached]
async fn run(__run: u8, arguments: u8, tags: u8, context: u8) -> u8 {
    __run + arguments + tags + context
}

/// Calls the function above, not an item that is generated for this one.
#[cached]
async fn calls() -> String {
    call(1, "function".into(), Arc::new(2)).await
}

#[cached(tags = ["{type}"], skip(r#fn))]
async fn r#match(r#type: String, r#fn: Vec<u8>) -> String {
    format!("{type} {fn:?}", r#fn = r#fn, r#type = r#type)
}

#[cached]
async fn same(same: u8) -> u8 {
    same
}

#[cached]
async fn Upper(mut count: u8) -> u8 {
    count += 1;
    count
}

#[actix_web::main]
async fn main() {
    assert_eq!(calls().await, "1 function 2");
    assert_eq!(run(1, 2, 3, 4).await, 10);
    assert_eq!(r#match("a".into(), vec![1]).await, "a [1]");
    assert_eq!(same(1).await, 1);
    assert_eq!(Upper(1).await, 2);
    let _ = r#match::revalidate("a".into());
    let _ = call::revalidate(1, "function".into());

    #[cached]
    async fn within(id: u8) -> u8 {
        id
    }
    assert_eq!(within(1).await, 1);
    let _ = within::revalidate(1);
}
