//! Data that takes long to compute, and so is worth caching by itself.

use actix_web::Responder;
use actix_web::http::StatusCode;
use actix_web::web::Json;
use route_runtime::{Problem, RevalidateError, cached, route};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::time::now;

/// The result of a cached function, which has to be readable and writable as JSON.
#[derive(Clone, Deserialize, Serialize)]
struct Primes {
    count: usize,
    computed: String,
}

/// Counts the primes once for each `below`, whichever route calls it. The cache holds the data
/// here, not a route's response, and data is cached in development too.
#[cached(revalidate = false)]
async fn primes(below: u32) -> Primes {
    let mut is_prime = vec![true; below as usize];
    let mut count = 0;
    for number in 2..below as usize {
        if is_prime[number] {
            count += 1;
            for multiple in (number * number..below as usize).step_by(number) {
                is_prime[multiple] = false;
            }
        }
    }
    let computed = now();
    Primes { count, computed }
}

/// The number of primes below a number. Rendered for each request, because no option says for which
/// parameters to cache it, but quick, because the count is cached.
#[route("/api/primes/[below]")]
async fn count(below: u32) -> Result<impl Responder, Problem> {
    const MOST: u32 = 10_000_000;
    if below > MOST {
        let problem = Problem::new(StatusCode::BAD_REQUEST);
        return Err(problem.detail(format!("at most {MOST}")));
    }
    let Primes { count, computed } = primes(below).await;
    Ok(Json(
        json!({ "count": count, "computed": computed, "data": now() }),
    ))
}

/// Invalidates the count for one `below`.
#[route(DELETE, "/api/primes/[below]")]
async fn forget(below: u32) -> Result<impl Responder, RevalidateError> {
    primes::revalidate(below).await?;
    Ok(Json(json!({ "forgotten": below })))
}
