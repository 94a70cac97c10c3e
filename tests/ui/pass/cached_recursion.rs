//! Cached functions that call each other, or themselves, have futures of known types, all `Send`.

use route_runtime::cached;

#[cached]
async fn a(n: u64) -> u64 {
    if n == 0 { 0 } else { b(n - 1).await + 1 }
}

#[cached]
async fn b(n: u64) -> u64 {
    if n == 0 { 0 } else { a(n - 1).await + 1 }
}

#[cached]
async fn itself(n: u64) -> Result<u64, String> {
    match n {
        0 => Ok(0),
        n => Ok(itself(n - 1).await? + 1),
    }
}

fn is_send(_: &impl Send) {}

#[actix_web::main]
async fn main() {
    is_send(&a(0));
    assert_eq!(a(7).await, 7);
    assert_eq!(itself(7).await, Ok(7));
}
