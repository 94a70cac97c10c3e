//! Data that dynamic handlers have cached by `fetch`: path, pattern and tag invalidate it.

use super::*;

#[route("/fetching/invalidated/[how]", dynamic = "force-dynamic", tags = ["fetched"])]
async fn shown(how: String, upstream: Data<Upstream>) -> Result<String, FetchError> {
    let data = fetch(upstream.url(&format!("/count/{how}")));
    Ok(wished(data, &how).await?.text())
}

#[actix_web::test]
async fn a_dynamic_route_is_made_of_new_data() {
    for how in ["force_cache", "revalidate"] {
        let upstream = Upstream::start();
        let app = app(&upstream, [shown::ROUTE]).await;
        let path = shown::path(how);
        let read = async || app.get(&path).await.text().to_owned();
        assert_eq!([read().await, read().await], ["1", "1"]);
        let routes = app.routes();
        routes.revalidate_path(path.clone()).await.unwrap();
        assert_eq!([read().await, read().await], ["2", "2"]);
        routes.revalidate_pattern(shown::PATTERN).await.unwrap();
        assert_eq!([read().await, read().await], ["3", "3"]);
        routes.revalidate_tag("fetched").await.unwrap();
        assert_eq!([read().await, read().await], ["4", "4"]);
        routes.revalidate_path(shown::path("other")).await.unwrap();
        assert_eq!(read().await, "4");
    }
}
