//! Asking the instances, as anybody could with `curl -i`.

use std::error::Error;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::rt::time::{sleep, timeout};
use route_runtime::{FetchError, fetch};

/// Far longer than it takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Prints who renders what, and what becomes of it elsewhere when one throws it away.
pub(crate) async fn show(instances: &[String]) -> Result<(), Box<dyn Error>> {
    let row = |what: &str, who: usize, (body, status): &(String, String)| {
        println!("{what:<16} {who:<9} {body:<32} {status}");
    };
    println!("request          instance  answer                           Cache-Status");
    for _ in 0..2 {
        for (who, url) in (1..).zip(instances) {
            row("GET /news/rust", who, &get(url, "/news/rust").await?);
        }
    }
    let [first, second, third] = instances else {
        return Err("there are three to ask".into());
    };
    let (old, _) = get(first, "/news/rust").await?;
    row("POST /news", 2, &ask(Method::POST, second, "/news").await?);
    // Where it was thrown away it is gone at once, elsewhere within a second.
    for (who, url) in [(2, second), (1, first), (3, third)] {
        let renewed = timeout(PATIENCE, another(url, &old)).await;
        let renewed = renewed.map_err(|_| format!("instance {who} does not hear of it"))?;
        row("GET /news/rust", who, &renewed?);
    }
    for (who, url) in (1..).zip(instances) {
        row("GET /renders", who, &get(url, "/renders").await?);
    }
    Ok(())
}

/// Asks until the answer is not this one.
async fn another(instance: &str, old: &str) -> Result<(String, String), FetchError> {
    loop {
        let answer = get(instance, "/news/rust").await?;
        if answer.0 != old {
            return Ok(answer);
        }
        sleep(Duration::from_millis(20)).await;
    }
}

async fn get(instance: &str, path: &str) -> Result<(String, String), FetchError> {
    ask(Method::GET, instance, path).await
}

/// Returns the body and what the cache did.
async fn ask(method: Method, instance: &str, path: &str) -> Result<(String, String), FetchError> {
    let asked = fetch(format!("{instance}{path}")).method(method);
    let answer = asked.await?.error_for_status()?;
    let status = answer.headers().get("cache-status");
    let status = status.and_then(|it| it.to_str().ok()).unwrap_or_default();
    Ok((answer.text().trim_end().into(), status.into()))
}
