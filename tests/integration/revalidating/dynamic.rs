//! Dynamic routes: what they have cached is the data that they are made of.

use actix_web::HttpRequest;
use route_runtime::cached;

use super::*;

#[cached(skip(runs))]
async fn count(of: String, runs: Data<Runs>) -> String {
    format!("{of} {}", runs.next())
}

#[route("/dynamic/[id]/show", dynamic = "force-dynamic", tags = ["dynamic:{id}"])]
async fn show(id: String, runs: Data<Runs>) -> String {
    count(id, runs).await
}

/// A function that uses a function, so it depends on whatever that one does.
#[cached(skip(runs))]
async fn twice(of: String, runs: Data<Runs>) -> String {
    format!("twice {}", count(of, runs).await)
}

#[route("/dynamic/[id]/deep")]
async fn deep(_request: HttpRequest, id: String, runs: Data<Runs>) -> String {
    twice(id, runs).await
}

/// Reads, invalidates its own path, and reads again.
#[route(POST, "/dynamic/[id]/write")]
async fn write_own(id: String, runs: Data<Runs>) -> Result<String, RevalidateError> {
    let before = count(id.clone(), runs.clone()).await;
    revalidate_path(write_own::path(&id)).await?;
    Ok(format!("{before}, {}", count(id, runs).await))
}

#[actix_web::test]
async fn what_a_dynamic_route_has_cached_is_made_anew() {
    let app = app([show::ROUTE, deep::ROUTE, write_own::ROUTE]).await;
    let read = async |path: &str| app.get(path).await.text().to_owned();
    assert_eq!(read("/dynamic/a/show").await, "a 1");
    assert_eq!(read("/dynamic/a/show").await, "a 1");
    let routes = app.routes();
    routes.revalidate_path("/dynamic/a/show").await.unwrap();
    assert_eq!(read("/dynamic/a/show").await, "a 2");
    assert_eq!(read("/dynamic/a/show").await, "a 2");
    // Of another path, it reaches nothing here.
    routes.revalidate_path("/dynamic/b/show").await.unwrap();
    assert_eq!(read("/dynamic/a/show").await, "a 2");
    routes
        .revalidate_pattern("/dynamic/[id]/show")
        .await
        .unwrap();
    assert_eq!(read("/dynamic/a/show").await, "a 3");
    routes.revalidate_tag("dynamic:a").await.unwrap();
    assert_eq!(read("/dynamic/a/show").await, "a 4");
    routes
        .revalidate_path("/dynamic/a/show")
        .stale()
        .await
        .unwrap();
    assert_eq!(read("/dynamic/a/show").await, "a 4");
    app.settled().await;
    assert_eq!(read("/dynamic/a/show").await, "a 5");
}

#[actix_web::test]
async fn it_is_made_anew_with_all_that_it_is_made_of() {
    let app = app([show::ROUTE, deep::ROUTE]).await;
    let read = async |path: &str| app.get(path).await.text().to_owned();
    assert_eq!(read("/dynamic/a/deep").await, "twice a 1");
    app.routes()
        .revalidate_path("/dynamic/a/deep")
        .await
        .unwrap();
    assert_eq!(read("/dynamic/a/deep").await, "twice a 2");
    assert_eq!(read("/dynamic/a/deep").await, "twice a 2");
    // What others had, they have as it was made last.
    assert_eq!(read("/dynamic/a/show").await, "a 2");
}

#[actix_web::test]
async fn a_dynamic_handler_may_invalidate_its_own_path() {
    let app = app([write_own::ROUTE]).await;
    assert_eq!(
        post(&app, "/dynamic/a/write", "").await,
        (200, "a 1, a 2".into())
    );
}
