//! Streams, which run after their handler has returned and still belong to its route.

use actix_web::web::Data;
use futures_util::future::FutureExt as _;
use route_runtime::{after, cache, cached, fetch, revalidate_tag};
use tests::{SECOND, Upstream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::*;
use crate::fetching::app;

/// Returns a body of one chunk, whose text is fetched when the body is read.
fn fetched(upstream: Data<Upstream>) -> BodyStream<impl stream::Stream<Item = Chunk>> {
    let chunk = async move {
        let found = fetch(upstream.url("/count/belonging"));
        let found = found.tags(["belonging"]).revalidate(5).await;
        Ok(Bytes::from(
            found.map_or_else(|error| error.to_string(), |it| it.text()),
        ))
    };
    BodyStream::new(chunk.boxed_local().into_stream())
}

#[route("/streams/belonging/cached")]
async fn cached_fetch(upstream: Data<Upstream>) -> HttpResponse {
    HttpResponse::Ok().body(fetched(upstream))
}

#[actix_web::test]
async fn a_cached_route_inherits_from_data_that_its_stream_fetches() {
    let upstream = Upstream::start();
    let app = app(&upstream, [cached_fetch::ROUTE]).await;
    let check = async |status: &str, body: &str| {
        let found = app.get(&cached_fetch::path()).await;
        assert_eq!(
            (found.header("cache-status"), found.text()),
            (Some(status), body)
        );
        app.settled().await;
    };
    check("route; hit; ttl=5", "1").await;
    app.routes().revalidate_tag("belonging").await.unwrap();
    check("route; fwd=stale; stored", "2").await;
    app.advance(5 * SECOND);
    check("route; hit; ttl=-1", "2").await;
    check("route; hit; ttl=5", "3").await;
}

#[cached(tags = ["belonging:function"])]
async fn function() -> u32 {
    FUNCTION_RUNS.fetch_add(1, Ordering::Relaxed) + 1
}

static FUNCTION_RUNS: AtomicU32 = AtomicU32::new(0);

#[route("/streams/belonging/function")]
async fn cached_function() -> HttpResponse {
    let chunk = async {
        cache::tag("belonging:said");
        Ok::<_, Infallible>(Bytes::from(function().await.to_string()))
    };
    // The length of the body is known, and its code runs all the same.
    HttpResponse::Ok().body(SizedStream::new(1, chunk.boxed_local().into_stream()))
}

#[actix_web::test]
async fn a_cached_route_inherits_functions_and_tags_of_a_stream_of_known_length() {
    let app = TestApp::new(production([cached_function::ROUTE]))
        .await
        .unwrap();
    let before = FUNCTION_RUNS.load(Ordering::Relaxed);
    assert_eq!(before, 1, "rendered ahead");
    let get = async || app.get(&cached_function::path()).await;
    app.routes()
        .revalidate_tag("belonging:function")
        .await
        .unwrap();
    assert_eq!(get().await.text(), "2");
    app.routes().revalidate_tag("belonging:said").await.unwrap();
    let again = get().await;
    assert_eq!(
        (again.outcome(), again.text()),
        (Some(Outcome::Miss), "2"),
        "the function has not that tag"
    );
}

#[route("/streams/belonging/dynamic", dynamic = "force-dynamic")]
async fn dynamic_fetch(upstream: Data<Upstream>) -> HttpResponse {
    HttpResponse::Ok().body(fetched(upstream))
}

#[route("/streams/belonging/events")]
async fn events_fetch(upstream: Data<Upstream>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .body(fetched(upstream))
}

#[actix_web::test]
async fn streams_that_are_not_kept_still_use_cached_data() {
    let upstream = Upstream::start();
    let app = app(&upstream, [dynamic_fetch::ROUTE, events_fetch::ROUTE]).await;
    for path in [dynamic_fetch::path(), events_fetch::path()] {
        for _ in 0..2 {
            let found = app.get(&path).await;
            assert_eq!(
                (found.outcome(), found.text()),
                (Some(Outcome::Bypass), "1"),
                "{path}"
            );
        }
    }
}

type Results = Data<UnboundedSender<Result<(), String>>>;

fn leaving(results: Results) -> BodyStream<impl stream::Stream<Item = Chunk>> {
    let chunk = async move {
        after(async move {
            let result = revalidate_tag("belonging").await;
            results
                .send(result.map_err(|error| error.to_string()))
                .unwrap();
        });
        Ok(Bytes::from_static(b"left"))
    };
    BodyStream::new(chunk.boxed_local().into_stream())
}

#[route("/streams/belonging/after", dynamic = "force-dynamic")]
async fn leaves(results: Results) -> HttpResponse {
    HttpResponse::Ok().body(leaving(results))
}

#[route("/streams/belonging/after/cached")]
async fn leaves_cached(results: Results) -> HttpResponse {
    HttpResponse::Ok().body(leaving(results))
}

#[actix_web::test]
async fn work_left_by_a_stream_can_invalidate_a_tag() {
    let (sender, mut results) = unbounded_channel::<Result<(), String>>();
    let routes = production([leaves::ROUTE, leaves_cached::ROUTE]).data(sender);
    let server = Server::routes(&routes);
    for path in [leaves::path(), leaves_cached::path()] {
        assert_eq!(server.get(&path).text(), "left");
        assert_eq!(results.recv().await, Some(Ok(())), "{path}");
    }
}
