//! Invalidation of cached responses, by path, pattern and tag.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::test::TestRequest;
use actix_web::web::Data;
use futures_util::future::join_all;
use route_runtime::testing::{Outcome, TestApp};
use route_runtime::{
    Problem, RevalidateError, RouteDescriptor, cache, not_found, revalidate_path,
    revalidate_pattern, revalidate_tag, route,
};
use tests::{Gate, Runs, SECOND, production};

mod dynamic;
mod naming;

async fn app(routes: impl IntoIterator<Item = RouteDescriptor>) -> TestApp {
    let routes = production(routes).data(Runs::default());
    TestApp::new(routes).await.unwrap()
}

#[route("/revalidating/item/[id]", revalidate = false, tags = ["items", "item:{id}"])]
async fn item(id: String, runs: Data<Runs>) -> String {
    format!("{id} {}", runs.next())
}

#[route("/revalidating/other", tags = ["others"])]
async fn other(runs: Data<Runs>) -> String {
    format!("other {}", runs.next())
}

/// Invalidates what the body names, and then ends as `after` says.
#[route(POST, "/revalidating/write/[how]/[after]")]
async fn write(how: String, after: String, body: String) -> Result<HttpResponse, Problem> {
    let done = match &*how {
        "path" => revalidate_path(body).await,
        "pattern" => revalidate_pattern(body).await,
        "tag" => revalidate_tag(body).await,
        _ => revalidate_tag(body).stale().await,
    };
    match (done, &*after) {
        (Err(error), _) => Ok(HttpResponse::UnprocessableEntity().body(error.to_string())),
        (Ok(()), "fail") => Err(not_found()),
        (Ok(()), "panic") => panic!("after it"),
        (Ok(()), "redirect") => Ok(HttpResponse::SeeOther().finish()),
        (Ok(()), _) => Ok(HttpResponse::Ok().finish()),
    }
}

async fn post(app: &TestApp, path: &str, body: &str) -> (u16, String) {
    let request = TestRequest::post().uri(path).set_payload(body.to_owned());
    let response = app.send(request).await;
    (response.status().as_u16(), response.text().into())
}

#[actix_web::test]
async fn a_read_after_an_invalidation_gets_a_new_render() {
    let app = app([item::ROUTE, other::ROUTE, write::ROUTE]).await;
    let read = async |path: &str| app.get(path).await.text().to_owned();
    let mut run = 1; // Rendered ahead.
    for (how, body, hits_a, hits_b) in [
        ("path", "/revalidating/item/a", true, false),
        ("path", "/revalidating/%69tem/a/", true, false),
        ("pattern", "/revalidating/item/[id]", true, true),
        ("tag", "items", true, true),
        ("tag", "item:a", true, false),
        ("tag", "item:b", false, true),
        ("tag", "others", false, false),
        ("tag", "nobody-has-it", false, false),
    ] {
        for after in ["answer", "fail", "panic", "redirect"] {
            let a = read("/revalidating/item/a").await;
            let b = read("/revalidating/item/b").await;
            let runs = app.routes().stats().renders;
            let (status, _) = post(&app, &write::path(how, after), body).await;
            assert_ne!(status, 422, "{how} {body}");
            let (new_a, new_b) = (
                read("/revalidating/item/a").await,
                read("/revalidating/item/b").await,
            );
            assert_eq!(a != new_a, hits_a, "{how} {body} {after}");
            assert_eq!(b != new_b, hits_b, "{how} {body} {after}");
            let expected = runs + u64::from(hits_a) + u64::from(hits_b);
            assert_eq!(app.routes().stats().renders, expected);
            run += 1;
        }
    }
    assert_eq!(run, 33);
    // The invalidation reaches only the path that it names.
    post(&app, &write::path("path", "answer"), "/revalidating/other").await;
    let again = app.get("/revalidating/other").await;
    assert_eq!(
        again.header("cache-status"),
        Some("route; fwd=stale; stored")
    );
    assert_eq!(
        app.get("/revalidating/item/a").await.outcome(),
        Some(Outcome::Hit)
    );
}

#[actix_web::test]
async fn an_invalidation_that_names_nothing_is_an_error() {
    let app = app([item::ROUTE, other::ROUTE, write::ROUTE]).await;
    for (how, body) in [
        ("path", "/revalidating/nowhere"),
        ("path", ""),
        ("path", "revalidating/item/a"),
        ("path", "/revalidating/item/%zz"),
        ("path", "/revalidating/item/.."),
        // A query is no part of a path. Read as one, it would name another path.
        ("path", "/revalidating/item/a?b"),
        ("path", "/revalidating/item/a#b"),
        ("pattern", "/revalidating/item/a"),
        ("pattern", "/revalidating/item/[name]"),
        ("tag", ""),
        ("tag", "two\nlines"),
        ("tag", "\0path /revalidating/item/a"),
    ] {
        let (status, text) = post(&app, &write::path(how, "answer"), body).await;
        assert_eq!(status, 422, "{how} {body}");
        assert!(!text.is_empty());
    }
    for error in [
        revalidate_path("/revalidating/other").await,
        revalidate_tag("others").stale().await,
    ] {
        assert!(matches!(error, Err(RevalidateError::NoRoutes)));
    }
}

#[actix_web::test]
async fn an_entry_marked_stale_is_served_while_it_is_refreshed_also_from_outside() {
    let app = app([item::ROUTE, other::ROUTE, write::ROUTE]).await;
    assert_eq!(app.get("/revalidating/item/a").await.text(), "a 2");
    assert_eq!(
        post(&app, &write::path("stale", "answer"), "items").await.0,
        200
    );
    let stale = app.get("/revalidating/item/a").await;
    assert_eq!(
        (stale.outcome(), stale.text()),
        (Some(Outcome::Stale), "a 2")
    );
    assert_eq!(stale.header("cache-status"), Some("route; hit; ttl=-1"));
    app.settled().await;
    assert_eq!(app.get("/revalidating/item/a").await.text(), "a 3");

    let routes = app.routes();
    routes.revalidate_tag("item:a").await.unwrap();
    assert_eq!(app.get("/revalidating/item/a").await.text(), "a 4");
    routes
        .revalidate_pattern("/revalidating/item/[id]")
        .await
        .unwrap();
    assert_eq!(app.get("/revalidating/item/a").await.text(), "a 5");
    routes
        .revalidate_path("/revalidating/item/a")
        .stale()
        .await
        .unwrap();
    assert_eq!(
        app.get("/revalidating/item/a").await.outcome(),
        Some(Outcome::Stale)
    );
    app.settled().await;
    assert_eq!(app.get("/revalidating/item/a").await.text(), "a 6");
    assert!(
        routes
            .revalidate_path("/revalidating/nowhere")
            .await
            .is_err()
    );
}

#[route("/revalidating/encoded/[name]", revalidate = false, tags = ["name:{name}"])]
async fn encoded(name: String, runs: Data<Runs>) -> String {
    format!("{name} {}", runs.next())
}

/// A tag has the value as the handler sees it, however the path spells it.
#[actix_web::test]
async fn spellings_share_an_entry_and_its_tags() {
    let app = app([encoded::ROUTE]).await;
    let read = async |path: &str| app.get(path).await.text().to_owned();
    for path in [
        "/revalidating/encoded/%C3%A9",
        "/revalidating/encoded/%c3%a9",
    ] {
        assert_eq!(read(path).await, "é 1");
    }
    app.routes().revalidate_tag("name:é").await.unwrap();
    assert_eq!(read("/revalidating/encoded/%c3%a9").await, "é 2");
    for path in ["/revalidating/encoded/é", "/revalidating/%65ncoded/%c3%A9"] {
        app.routes().revalidate_path(path).await.unwrap();
    }
    assert_eq!(read("/revalidating/encoded/%C3%A9").await, "é 3");
    assert_eq!(app.routes().stats().entries, 1);
}

static DURING: [Gate; 2] = [Gate::new(), Gate::new()];

#[route("/revalidating/during/[id]", revalidate = false, tags = ["during"])]
async fn during(id: u32, runs: Data<Runs>) -> String {
    let run = runs.next();
    DURING[0].open();
    DURING[1].pass().await;
    format!("{id} {run}")
}

#[actix_web::test]
async fn a_render_that_began_before_an_invalidation_is_not_served_after_it() {
    let app = app([during::ROUTE]).await;
    let early = app.get("/revalidating/during/1");
    let late = async {
        DURING[0].pass().await;
        app.routes().revalidate_tag("during").await.unwrap();
        let late = app.get("/revalidating/during/1");
        let (late, ()) = tokio::join!(late, async {
            DURING[1].open();
            DURING[0].pass().await;
            DURING[1].open();
        });
        late
    };
    let (early, late) = tokio::join!(early, late);
    assert_eq!((early.text(), late.text()), ("1 1", "1 2"));
    assert_eq!(app.get("/revalidating/during/1").await.text(), "1 2");
}

#[route("/revalidating/found-out", revalidate = 100)]
async fn found_out(runs: Data<Runs>) -> String {
    cache::tag("found");
    cache::revalidate_after(Duration::from_secs(7));
    cache::revalidate_after(Duration::from_secs(9));
    runs.next().to_string()
}

#[actix_web::test]
async fn a_render_can_add_a_tag_and_shorten_its_lifetime() {
    let app = app([found_out::ROUTE]).await;
    let first = app.get("/revalidating/found-out").await;
    assert_eq!(first.header("cache-status"), Some("route; hit; ttl=7"));
    app.routes().revalidate_tag("found").await.unwrap();
    assert_eq!(app.get("/revalidating/found-out").await.text(), "2");
    app.advance(7 * SECOND);
    assert_eq!(
        app.get("/revalidating/found-out").await.outcome(),
        Some(Outcome::Stale)
    );
}

#[route("/revalidating/own/[which]", revalidate = false, tags = ["own"])]
async fn own(which: String) -> String {
    cache::tag("used");
    let done = match &*which {
        "path" => revalidate_path("/revalidating/own/path").await,
        "pattern" => revalidate_pattern("/revalidating/own/[which]").await,
        "tag" => revalidate_tag("own").await,
        "used" => revalidate_tag("used").await,
        _ => revalidate_tag("another").await,
    };
    format!(
        "{:?}",
        done.map_err(|error| matches!(error, RevalidateError::OwnRender))
    )
}

#[actix_web::test]
async fn a_render_cannot_invalidate_itself() {
    let app = app([own::ROUTE]).await;
    for which in ["path", "pattern", "tag", "used"] {
        assert_eq!(
            app.get(&own::path(which)).await.text(),
            "Err(true)",
            "{which}"
        );
    }
    assert_eq!(app.get(&own::path("another")).await.text(), "Ok(())");
}

#[route("/revalidating/many/[id]", revalidate = false, tags = ["many"])]
async fn many(id: u32) -> String {
    id.to_string()
}

#[actix_web::test]
async fn a_tag_invalidates_ten_thousand_entries_without_rendering_them() {
    let app = app([many::ROUTE]).await;
    let paths: Vec<_> = (0..10_000).map(many::path).collect();
    for some in paths.chunks(100) {
        join_all(some.iter().map(|path| app.get(path))).await;
    }
    let stats = app.routes().stats();
    assert_eq!((stats.entries, stats.renders), (10_000, 10_000));
    app.routes().revalidate_tag("many").await.unwrap();
    // Nothing is rendered without a request.
    app.settled().await;
    assert_eq!(app.routes().stats().renders, 10_000);
    let some = join_all(paths[..300].iter().map(|path| app.get(path))).await;
    for found in some {
        assert_eq!(
            found.header("cache-status"),
            Some("route; fwd=stale; stored")
        );
    }
    assert_eq!(app.routes().stats().renders, 10_300);
}
