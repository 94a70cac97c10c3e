use route_runtime::cached;
use serde::Serialize;

#[derive(Serialize)]
struct Cat;

type Fallible<T> = Result<T, String>;

#[cached]
async fn cats() -> Vec<Cat> {
    vec![Cat]
}

#[cached]
async fn dogs() -> Fallible<Cat> {
    Ok(Cat)
}

fn main() {
    let _ = (cats(), dogs());
}
