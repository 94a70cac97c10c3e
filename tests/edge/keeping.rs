//! The responses that proxies keep, and those that they do not.

use crate::origin::Origin;
use crate::proxy::Proxy;
use crate::software::Software;
use crate::{behind_each, get};

/// The headers of a request.
type Headers = &'static [(&'static str, &'static str)];

const NOBODY: Headers = &[];
const STRANGER: Headers = &[("x-client", "stranger")];
const MEMBER: Headers = &[("x-key", "secret"), ("x-client", "member")];
const AUTHORIZED: Headers = &[("authorization", "Bearer secret")];

/// Requests a path as each of these clients in turn, twice. Checks their statuses, and that the app
/// saw every request.
fn is_never_kept(origin: &Origin, proxy: &Proxy, path: &str, clients: &[(Headers, u16)]) {
    let before = origin.requests(path);
    let mut sent = 0;
    for (headers, status) in [clients, clients].concat() {
        let response = get(proxy.address, path, headers);
        assert_eq!(response.status, status, "{path} for {headers:?}");
        sent += 1;
        let arrived = origin.requests(path) - before;
        assert_eq!(arrived, sent, "{path} for {headers:?}: {response:?}");
    }
}

/// Requests a path three times. Returns how many of the requests reached the app.
fn arrived(origin: &Origin, proxy: &Proxy, path: &str, headers: Headers) -> u64 {
    let before = origin.requests(path);
    for _ in 0..3 {
        assert_eq!(get(proxy.address, path, headers).status, 200, "{path}");
    }
    origin.requests(path) - before
}

#[test]
fn a_proxy_keeps_what_has_cdn_and_nothing_else() {
    behind_each(|software| {
        let origin = Origin::start("false");
        let proxy = software.start(origin.address);
        assert_eq!(arrived(&origin, &proxy, "/text", NOBODY), 1);
        is_never_kept(&origin, &proxy, "/plain", &[(NOBODY, 200)]);
    });
}

#[test]
fn a_proxy_keeps_nothing_that_is_for_one_client_whatever_route_cdn_says() {
    behind_each(|software| {
        let origin = Origin::start("true");
        let proxy = software.start(origin.address);
        assert_eq!(arrived(&origin, &proxy, "/plain", NOBODY), 1);
        let anybody = &[(STRANGER, 200), (NOBODY, 200)][..];
        for path in [
            "/kept-here",
            "/dynamic",
            "/cookie",
            "/cookie/public",
            "/private",
        ] {
            is_never_kept(&origin, &proxy, path, anybody);
        }
        // The order of the clients differs, because the first response is what could be kept.
        let members_first = &[(MEMBER, 200), (NOBODY, 401), (STRANGER, 403)][..];
        is_never_kept(&origin, &proxy, "/members", members_first);
        is_never_kept(&origin, &proxy, "/admin/users", members_first);
        let refusals_first = &[(NOBODY, 401), (STRANGER, 403), (MEMBER, 200)][..];
        is_never_kept(&origin, &proxy, "/members?again", refusals_first);
        is_never_kept(&origin, &proxy, "/admin/users?again", refusals_first);
        // The app's own 404 says nothing about caching.
        is_never_kept(&origin, &proxy, "/nowhere", &[(NOBODY, 404)]);
    });
}

#[test]
fn a_proxy_keeps_no_answer_to_a_request_with_authorization() {
    behind_each(|software| {
        let origin = Origin::start("true");
        let proxy = software.start(origin.address);
        for path in ["/text", "/plain"] {
            is_never_kept(&origin, &proxy, path, &[(AUTHORIZED, 200)]);
            // So the next client's request reaches the app, and its answer is kept. Squid stores the
            // first answer, whose `no-cache` allows that, but asks the app each time it uses it.
            let arrived = arrived(&origin, &proxy, path, NOBODY);
            let asks_each_time = software == Software::Squid && arrived == 3;
            assert!(arrived == 1 || asks_each_time, "{path}: {arrived}");
        }
    });
}

#[test]
fn of_the_proxies_only_varnish_passes_on_all_requests_with_a_cookie() {
    behind_each(|software| {
        let origin = Origin::start("false");
        let proxy = software.start(origin.address);
        let expected = if software == Software::Varnish { 3 } else { 1 };
        let cookie = &[("cookie", "theme=dark")];
        assert_eq!(arrived(&origin, &proxy, "/text", cookie), expected);
    });
}

#[test]
fn a_404_of_a_route_with_cdn_is_kept_by_nginx_varnish_and_traffic_server() {
    behind_each(|software| {
        let origin = Origin::start("false");
        let proxy = software.start(origin.address);
        for _ in 0..3 {
            assert_eq!(get(proxy.address, "/news/none", NOBODY).status, 404);
        }
        let keeps_it = !matches!(software, Software::Haproxy | Software::Squid);
        let expected = if keeps_it { 1 } else { 3 };
        assert_eq!(origin.requests("/news/none"), expected);
    });
}
