//! Renders that many requests share, and what happens when one fails.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::test::TestRequest;
use futures_util::future::join_all;
use route_runtime::route;
use route_runtime::testing::{Outcome, TestApp, TestResponse};
use tests::{Gate, Server};

use super::*;

static TIMELINE: AtomicU32 = AtomicU32::new(0);
static SLOW: Gate = Gate::new();

#[route("/caching/timeline", revalidate = 2)]
async fn timeline() -> String {
    let run = next(&TIMELINE);
    if run == 4 {
        SLOW.pass().await;
    }
    format!("v{run}")
}

#[actix_web::test]
async fn a_stale_entry_is_served_while_one_refresh_runs() {
    let app = app([timeline::ROUTE]).await;
    let check = async |status: &str, body: &str| {
        let found = app.get("/caching/timeline").await;
        let header = found.header("cache-status").unwrap();
        assert_eq!((header, found.text()), (status, body));
        assert!(found.header("age").is_some());
    };
    check("route; hit; ttl=2", "v1").await;
    app.advance(SECOND);
    check("route; hit; ttl=1", "v1").await;
    app.advance(SECOND);
    check("route; hit; ttl=-1", "v1").await;
    app.settled().await;
    check("route; hit; ttl=2", "v2").await;
    // Without requests nothing is rendered, so the first request gets the stale entry.
    app.advance(Duration::from_secs(3600));
    app.settled().await;
    assert_eq!(TIMELINE.load(Ordering::SeqCst), 2);
    check("route; hit; ttl=-3598", "v2").await;
    app.settled().await;
    check("route; hit; ttl=2", "v3").await;
    // During a slow refresh every request gets the stale entry at once, and starts no other.
    app.advance(2 * SECOND);
    for _ in 0..5 {
        check("route; hit; ttl=-1", "v3").await;
    }
    SLOW.open();
    app.settled().await;
    check("route; hit; ttl=2", "v4").await;
    assert_eq!(TIMELINE.load(Ordering::SeqCst), 4);
}

static CROWD: AtomicU32 = AtomicU32::new(0);
static CROWD_GATE: Gate = Gate::new();

#[route("/caching/crowd/[id]", revalidate = 10)]
async fn crowd(id: u32) -> String {
    let run = next(&CROWD);
    CROWD_GATE.pass().await;
    format!("{id} run {run}")
}

#[actix_web::test]
async fn concurrent_requests_for_one_path_share_one_render() {
    let app = app([crowd::ROUTE]).await;
    let ask = |number: u32| {
        let request = TestRequest::get().uri(&format!("/caching/crowd/7?{number}"));
        app.send(request.insert_header(("cookie", format!("a={number}"))))
    };
    let (cold, ()) = tokio::join!(join_all((0..200).map(ask)), async {
        CROWD_GATE.open();
    });
    assert_eq!(CROWD.load(Ordering::SeqCst), 1);
    let stored = |response: &&TestResponse| {
        response.header("cache-status") == Some("route; fwd=miss; stored")
    };
    let collapsed = |response: &&TestResponse| {
        response.header("cache-status") == Some("route; fwd=miss; collapsed")
    };
    assert!(cold.iter().all(|response| response.text() == "7 run 1"));
    assert_eq!(cold.iter().filter(stored).count(), 1);
    assert_eq!(cold.iter().filter(collapsed).count(), 199);

    app.advance(10 * SECOND);
    let stale = join_all((0..200).map(ask)).await;
    assert!(stale.iter().all(|response| response.text() == "7 run 1"));
    assert!(
        stale
            .iter()
            .all(|response| response.outcome() == Some(Outcome::Stale))
    );
    CROWD_GATE.open();
    app.settled().await;
    assert_eq!(app.get("/caching/crowd/7").await.text(), "7 run 2");
    assert_eq!(CROWD.load(Ordering::SeqCst), 2);
}

static LEADER: AtomicU32 = AtomicU32::new(0);
static LEADER_GATES: [Gate; 2] = [Gate::new(), Gate::new()];

#[route("/caching/leader/[id]", revalidate = 10)]
async fn leader(id: u32) -> String {
    next(&LEADER);
    LEADER_GATES[0].open();
    LEADER_GATES[1].pass().await;
    id.to_string()
}

#[actix_web::test]
async fn a_render_goes_on_when_the_client_that_started_it_hangs_up() {
    let routes = production([leader::ROUTE]);
    let server = Server::routes(&routes);
    let mut first = server.connect();
    first.begin("GET /caching/leader/1 HTTP/1.1");
    LEADER_GATES[0].pass().await;
    let mut others: Vec<_> = (0..20).map(|_| server.connect()).collect();
    for wire in &mut others {
        wire.begin("GET /caching/leader/1 HTTP/1.1");
    }
    first.hang_up();
    LEADER_GATES[1].open();
    for wire in &mut others {
        let reply = wire.response(false);
        assert_eq!((reply.status, reply.text()), (200, "1"));
    }
    assert_eq!(LEADER.load(Ordering::SeqCst), 1);
}

static PANICS: AtomicU32 = AtomicU32::new(0);
static PANICS_GATE: Gate = Gate::new();

#[route("/caching/panics/[id]", revalidate = 10)]
async fn panics(id: u32) -> String {
    next(&PANICS);
    PANICS_GATE.pass().await;
    panic!("{id}")
}

#[actix_web::test]
async fn a_render_that_panics_is_one_500_for_all_who_wait() {
    let app = app([panics::ROUTE]).await;
    let asked = join_all((0..200).map(|_| app.get("/caching/panics/1")));
    let (all, ()) = tokio::join!(asked, async { PANICS_GATE.open() });
    assert!(all.iter().all(|response| response.status() == 500));
    assert_eq!(PANICS.load(Ordering::SeqCst), 1);
    // The failure is shared for a second and not kept.
    PANICS_GATE.open();
    app.advance(2 * SECOND);
    assert_eq!(app.get("/caching/panics/1").await.status(), 500);
    assert_eq!(PANICS.load(Ordering::SeqCst), 2);
}

static HANGS: Gate = Gate::new();

#[route("/caching/hangs/[id]", revalidate = 10, max_duration = 5)]
async fn hangs(id: u32) -> String {
    HANGS.open();
    std::future::pending::<()>().await;
    id.to_string()
}

#[actix_web::test]
async fn a_render_that_hangs_is_a_504_for_all_who_wait() {
    let app = app([hangs::ROUTE]).await;
    let asked = join_all((0..50).map(|_| app.get("/caching/hangs/1")));
    let (all, ()) = tokio::join!(asked, async {
        HANGS.pass().await;
        app.advance(5 * SECOND);
    });
    for response in all {
        assert_eq!(response.status(), 504);
        assert_eq!(
            response.header("cache-status"),
            Some("route; fwd=miss; detail=timeout")
        );
        // A 504 that a browser or a proxy keeps would outlive its cause.
        let kept = response.header("cache-control").unwrap();
        assert!(kept.contains("no-store"));
    }
}

static COOKIES: AtomicU32 = AtomicU32::new(0);

#[route("/caching/cookies/[id]", revalidate = 10)]
async fn cookies(id: u32) -> HttpResponse {
    let run = next(&COOKIES);
    HttpResponse::Ok()
        .insert_header(("set-cookie", format!("session={run}")))
        .body(id.to_string())
}

#[actix_web::test]
async fn a_response_that_sets_a_cookie_is_rendered_for_each_request() {
    let app = app([cookies::ROUTE]).await;
    let mut all = Vec::new();
    for crowd in 0..3 {
        for response in join_all((0..100).map(|_| app.get("/caching/cookies/1"))).await {
            assert_eq!(
                response.header("cache-status"),
                Some("route; fwd=bypass; detail=set-cookie"),
                "{crowd}"
            );
            assert_eq!(response.header("age"), None);
            all.push(response.header("set-cookie").unwrap().to_owned());
        }
    }
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!((all.len(), count), (300, 300));
    assert_eq!(COOKIES.load(Ordering::SeqCst), 300);
}

#[route("/caching/flood/[id]", revalidate = 60, tags = ["flood"])]
async fn flood(id: u32) -> String {
    format!("{id:0>2000}")
}

#[actix_web::test]
async fn entries_of_many_paths_stay_within_the_capacity() {
    let all = production([flood::ROUTE]).cache_capacity(500_000);
    let app = TestApp::new(all).await.unwrap();
    for start in (0..2000).step_by(50) {
        let ids = start..start + 50;
        let paths: Vec<_> = ids.map(flood::path).collect();
        for found in join_all(paths.iter().map(|path| app.get(path))).await {
            assert_eq!(found.status(), 200);
        }
        let stats = app.routes().stats();
        assert!(stats.bytes <= stats.capacity, "{stats:?}");
    }
    let stats = app.routes().stats();
    assert_eq!((stats.capacity, stats.renders), (500_000, 2000));
    assert!(stats.evictions > 0 && stats.entries > 50, "{stats:?}");
}
