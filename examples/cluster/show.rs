//! Sends requests to the instances, as `curl -i` would.

use std::error::Error;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::rt::time::{sleep, timeout};
use route_runtime::{FetchError, fetch};

/// The longest wait for an invalidation, which takes far less.
const PATIENCE: Duration = Duration::from_secs(30);

/// Prints which instance renders what, and how an invalidation on one instance reaches the others.
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
    // On the instance that invalidated, the old response is gone at once; on the others, within a
    // second.
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

/// Requests the news until the response differs from the old one.
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

/// Sends a request. Returns the response's body and its `Cache-Status`.
async fn ask(method: Method, instance: &str, path: &str) -> Result<(String, String), FetchError> {
    let asked = fetch(format!("{instance}{path}")).method(method);
    let answer = asked.await?.error_for_status()?;
    let status = answer.headers().get("cache-status");
    let status = status.and_then(|it| it.to_str().ok()).unwrap_or_default();
    Ok((answer.text().trim_end().into(), status.into()))
}
