//! A `Result` may have any alias, and its error need not be storable.

use std::fmt;

use route_runtime::cached;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Cat {
    name: String,
}

#[derive(Debug, PartialEq)]
struct NoCat;

impl fmt::Display for NoCat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no cat")
    }
}

impl std::error::Error for NoCat {}

type Fallible<T> = Result<T, NoCat>;
type Boxed = Result<Vec<Cat>, Box<dyn std::error::Error + Send + Sync>>;

#[cached]
async fn aliased(cat: Cat) -> Fallible<Cat> {
    Ok(cat)
}

#[cached]
async fn boxed(of: Vec<Option<Cat>>) -> Boxed {
    // `?` converts, and types without annotations are inferred, as in any function.
    let first = of.into_iter().next().flatten().ok_or(NoCat)?;
    aliased(first.clone()).await?;
    Ok([first].into_iter().collect())
}

#[cached]
async fn nothing_but_success(id: u64) -> Fallible<()> {
    if id == 0 { Err(NoCat) } else { Ok(()) }
}

#[cached]
async fn option(id: u64) -> Option<(u64, String)> {
    Some((id, String::new()))
}

#[actix_web::main]
async fn main() {
    let cat = Cat { name: "Tom".into() };
    assert_eq!(aliased(cat.clone()).await, Ok(cat.clone()));
    assert_eq!(boxed(vec![Some(cat.clone())]).await.unwrap(), [cat]);
    assert_eq!(boxed(Vec::new()).await.unwrap_err().to_string(), "no cat");
    assert_eq!(nothing_but_success(0).await, Err(NoCat));
    assert_eq!(option(1).await, Some((1, String::new())));
}
