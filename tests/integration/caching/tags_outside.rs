//! Tags by which shared caches outside can purge a response.

use route_runtime::{TagHeader, cache, route};
use tests::log;

use super::*;

#[route("/tags-outside/[id]", revalidate = 10, cdn = true, tags = ["item:{id}"])]
async fn item(id: String) -> String {
    for tag in ["two words", "a,b", "50%", "größe"] {
        cache::tag(tag);
    }
    id
}

#[route("/tags-outside/many", revalidate = 10, cdn = true)]
async fn many() -> &'static str {
    for id in 0..250 {
        cache::tag(format!("product:{id:06}"));
    }
    "many"
}

#[route("/tags-outside/private", revalidate = 10, cdn = false, tags = ["a"])]
async fn private() -> &'static str {
    "private"
}

#[actix_web::test]
async fn every_tag_of_a_shared_response_can_be_purged_outside() {
    let all = [item::ROUTE, private::ROUTE];
    let routes = production(all);
    for (header, name, separator) in [
        (TagHeader::CacheTag, "cache-tag", ","),
        (TagHeader::EdgeCacheTag, "edge-cache-tag", ","),
        (TagHeader::SurrogateKey, "surrogate-key", " "),
        (TagHeader::Xkey, "xkey", " "),
    ] {
        let app = TestApp::new(routes.clone().tag_header(header)).await;
        let app = app.unwrap();
        // A miss, a hit, one that is not modified, and one that is stale.
        for how in ["miss", "hit", "known", "stale"] {
            if how == "stale" {
                app.advance(10 * SECOND);
            }
            let known = [("if-none-match", "*")];
            let headers = if how == "known" { &known[..] } else { &[] };
            let found = with(&app, "/tags-outside/7%2C8", headers).await;
            assert_eq!(found.status(), if how == "known" { 304 } else { 200 });
            let mut tags: Vec<_> = found.header(name).unwrap().split(separator).collect();
            tags.sort_unstable();
            let expected = [
                "/tags-outside/7%2C8",
                "/tags-outside/[id]",
                "50%25",
                "a%2Cb",
                "gr%C3%B6%C3%9Fe",
                "item:7%2C8",
                "two%20words",
            ];
            assert_eq!(tags, expected, "{how} {name}");
            let others = ["cache-tag", "edge-cache-tag", "surrogate-key", "xkey"];
            for other in others.iter().filter(|other| **other != name) {
                assert_eq!(found.header(other), None);
            }
        }
        let private = app.get("/tags-outside/private").await;
        assert_eq!(private.header(name), None);
    }
}

#[actix_web::test]
async fn a_list_of_tags_that_is_too_long_is_cut_and_the_log_says_so_once() {
    log::listen();
    let app = app([many::ROUTE]).await;
    for _ in 0..3 {
        let found = app.get("/tags-outside/many").await;
        assert_eq!(found.header("cache-tag"), Some("/tags-outside/many"));
    }
    let lines = log::lines_with("\"/tags-outside/many\"");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("more tags than fit"), "{lines:?}");
    // All of them invalidate here.
    app.routes().revalidate_tag("product:000249").await.unwrap();
    let found = app.get("/tags-outside/many").await;
    assert_eq!(
        found.header("cache-status"),
        Some("route; fwd=stale; stored")
    );
}
