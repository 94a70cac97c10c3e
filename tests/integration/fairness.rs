//! What one handler leaves to the others: places for renders, and threads.

use std::future::pending;
use std::time::Duration;

use futures_util::future::{join, join_all};
use route_runtime::route;
use route_runtime::testing::{Outcome, TestApp};
use tests::production;

#[route("/fairness/hangs/[id]", revalidate = 60, max_duration = 100)]
async fn hangs(id: u32) -> String {
    match id {
        0 => "answers".into(),
        _ => pending().await,
    }
}

#[route("/fairness/other/[id]", revalidate = 60)]
async fn other(id: u32) -> String {
    id.to_string()
}

#[actix_web::test]
async fn a_handler_over_its_share_is_named_and_no_other_waits_for_it() {
    let app = TestApp::new(production([hangs::ROUTE, other::ROUTE]).renders(2))
        .await
        .unwrap();
    let two: Vec<_> = (1..=2).map(hangs::path).collect();
    let refused = async {
        let all = join_all(two.iter().map(|path| app.get(path))).await;
        all.into_iter()
            .find(|reply| reply.status() == 503)
            .expect("one waits for the other, for too long")
    };
    let others = async {
        while app.routes().stats().misses < 2 {
            tokio::task::yield_now().await;
        }
        for id in 0..20 {
            assert_eq!(app.get(&other::path(id)).await.text(), id.to_string());
        }
        let stats = app.routes().stats();
        let [share] = &stats.shares[..] else {
            panic!("{stats:?}");
        };
        assert_eq!(share.handler, "/fairness/hangs/[id]");
        assert_eq!((share.running, share.waiting), (1, 1));
        // Several times, because the one that waits may not have looked at the clock yet.
        for turn in 0_u32.. {
            if turn % 100_000 == 0 {
                app.advance(Duration::from_secs(10));
            }
            if app.routes().stats().overloaded > 0 {
                break;
            }
            tokio::task::yield_now().await;
        }
        // Only one waits any more, for its own limit.
        app.advance(Duration::from_secs(100));
    };
    let (refused, ()) = join(refused, others).await;
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(
        refused.text(),
        r#"{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"more renders of `/fairness/hangs/[id]` are asked for than are made"}"#
    );
    let stats = app.routes().stats();
    assert_eq!((stats.overloaded, stats.shares[0].overloaded), (1, 1));
    // It has its place back.
    let answer = app.get(&hangs::path(0)).await;
    assert_eq!(
        (answer.text(), answer.outcome()),
        ("answers", Some(Outcome::Miss))
    );
}
