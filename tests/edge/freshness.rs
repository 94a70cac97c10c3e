//! The age of the content that clients get.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::origin::Origin;
use crate::proxy::Proxy;
use crate::software::Software;
use crate::{behind_each, get};

/// The `revalidate` of `/news/[id]`.
const REVALIDATE: Duration = Duration::from_secs(10);
/// The time for which clients ask for each path: content becomes stale three times.
const WATCHED: Duration = Duration::from_secs(32);
/// The time between two requests for a path.
const PAUSE: Duration = Duration::from_millis(200);

/// The responses that a client of one path has got.
struct Seen {
    requests: u64,
    renders: usize,
    oldest: Duration,
}

/// Requests a path five times a second.
fn watch(at: SocketAddr, path: &str) -> Seen {
    let mut renders = HashSet::new();
    let (mut requests, mut oldest) = (0, Duration::ZERO);
    let until = Instant::now() + WATCHED;
    while Instant::now() < until {
        let response = get(at, path, &[]);
        assert_eq!(response.status, 200, "{path}");
        let rendered = response.text().split(' ').next().unwrap_or_default();
        let rendered = Duration::from_millis(rendered.parse().expect("a time"));
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let age = now.expect("it is later than 1970") - rendered;
        requests += 1;
        oldest = oldest.max(age);
        renders.insert(rendered);
        thread::sleep(PAUSE);
    }
    Seen {
        requests,
        renders: renders.len(),
        oldest,
    }
}

/// Checks that clients of a proxy get no content that is older than `revalidate` and this slack,
/// and that the proxy answers most requests by itself.
///
/// Every path is rendered at the start. Proxies get to know one path after another, so for each
/// path the app has told them another rest of its lifetime.
fn check(name: &str, origin: &Origin, proxy: &Proxy, slack: Duration) {
    let paths: Vec<_> = (1..=5).map(|id| format!("/news/{id}")).collect();
    for path in &paths {
        get(origin.address, path, &[]);
    }
    let seen: Vec<_> = thread::scope(|scope| {
        let watching: Vec<_> = (paths.iter().zip(0..))
            .map(|(path, number)| {
                scope.spawn(move || {
                    thread::sleep(number * REVALIDATE / 5);
                    watch(proxy.address, path)
                })
            })
            .collect();
        let seen = watching.into_iter().map(thread::ScopedJoinHandle::join);
        seen.map(|seen| seen.expect("it got every response"))
            .collect()
    });
    let oldest = seen.iter().map(|seen| seen.oldest).max();
    let oldest = oldest.expect("there are paths");
    let sent: u64 = seen.iter().map(|seen| seen.requests).sum();
    let arrived: u64 = paths.iter().map(|path| origin.requests(path)).sum();
    println!("{name}: oldest content {oldest:.1?}, {arrived} of {sent} requests reached the app");
    assert!(oldest <= REVALIDATE + slack, "{name}: {oldest:?}");
    assert!(arrived < sent / 2, "{name}: {arrived} of {sent}");
    for seen in seen {
        assert!(seen.renders >= 3, "{name}: {} renders", seen.renders);
    }
}

#[test]
fn content_is_at_most_three_seconds_older_than_revalidate_behind_each_proxy() {
    behind_each(|software| {
        let origin = Origin::start("false");
        let proxy = software.start(origin.address);
        let slack = Duration::from_secs(3);
        check(software.name(), &origin, &proxy, slack);
    });
}

#[test]
fn content_is_at_most_five_seconds_older_than_revalidate_behind_nginx_and_varnish() {
    let origin = Origin::start("false");
    let inner = Software::Varnish.start(origin.address);
    let outer = Software::Nginx.start(inner.address);
    let slack = Duration::from_secs(5);
    check("nginx before varnish", &origin, &outer, slack);
}

#[test]
fn of_the_proxies_only_nginx_does_not_say_how_old_a_response_is() {
    behind_each(|software| {
        let origin = Origin::start("false");
        let proxy = software.start(origin.address);
        get(proxy.address, "/text", &[]);
        thread::sleep(Duration::from_secs(2));
        let kept = get(proxy.address, "/text", &[]);
        let is_old = |age: &str| age.parse().is_ok_and(|age: u32| (1..60).contains(&age));
        let age = kept.header("age");
        assert_eq!(
            age.is_some_and(is_old),
            software != Software::Nginx,
            "{age:?}"
        );
        assert_eq!(origin.requests("/text"), 1);
    });
}
