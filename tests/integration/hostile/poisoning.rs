//! Cache poisoning: nothing outside a key influences the entry that is kept under it.

use actix_web::HttpRequest;
use route_runtime::route;

use super::*;

/// Returns everything that a handler can learn from a request.
fn learned(request: &HttpRequest) -> String {
    let url = request.full_url();
    let cookies = request.cookies().ok().map(|cookies| cookies.len());
    let info = request.connection_info();
    let padding = "\n".repeat(2000); // Long enough to be compressed.
    format!(
        "{} {} {:?} {:?}\nhost {} scheme {} peer {:?} {:?}\n{:?}\ncookies {:?}\n{padding}",
        request.method(),
        url,
        request.version(),
        request.query_string(),
        info.host(),
        info.scheme(),
        info.realip_remote_addr(),
        request.peer_addr(),
        request.headers(),
        cookies,
    )
}

#[route("/hostile/poison/plain", dynamic = "force-static")]
async fn plain(request: HttpRequest) -> String {
    learned(&request)
}

#[route("/hostile/poison/item/[id]", dynamic = "force-static")]
async fn item(id: String, request: HttpRequest) -> String {
    id + &learned(&request)
}

#[route("/hostile/poison/any/[...path]", dynamic = "force-static")]
async fn any(path: Vec<String>, request: HttpRequest) -> String {
    path.join(" ") + &learned(&request)
}

const HEADERS: &[&str] = &[
    "X-Forwarded-Host: evil.example",
    "X-Forwarded-Host: evil.example\r\nX-Forwarded-Host: evil.example",
    "X-Forwarded-For: 6.6.6.6, evil",
    "X-Forwarded-Proto: evil",
    "X-Forwarded-Scheme: evil",
    "X-Forwarded-Port: 666",
    "X-Forwarded-Prefix: /evil",
    "X-Forwarded-Server: evil.example",
    "X-Forwarded-Path: /evil",
    "Forwarded: for=6.6.6.6;host=evil.example;proto=evil",
    "Forwarded: ;;;=\"evil",
    "X-Host: evil.example",
    "X-Original-Host: evil.example",
    "X-HTTP-Host-Override: evil.example",
    "X-Real-IP: 6.6.6.6",
    "True-Client-IP: 6.6.6.6",
    "X-Original-URL: /evil",
    "X-Rewrite-URL: /evil",
    "X-HTTP-Method-Override: DELETE",
    "X-HTTP-Method: PUT",
    "X-Method-Override: POST",
    "Via: 1.1 evil.example",
    "CDN-Loop: evil, evil",
    "CDN-Loop: route-0000000000000000; render=0000000000000000",
    "Range: bytes=0-3",
    "Range: bytes=-1",
    "Range: bytes=9999999-",
    "Range: bytes=0-0,1-1,2-2,3-3,4-4,5-5",
    "Range: evil=0-1",
    "Range: bytes=0-3\r\nIf-Range: \"evil\"",
    "If-None-Match: *",
    "If-None-Match: \"evil\"",
    "If-None-Match: \"evil\", W/\"",
    "If-Match: \"evil\"",
    "If-Modified-Since: Fri, 31 Dec 9999 23:59:59 GMT",
    "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT",
    "Accept-Encoding: evil",
    "Accept-Encoding: gzip;q=evil, br;q=1e999",
    "Accept-Encoding: identity;q=0, *;q=0",
    "Accept-Encoding: ,;,=,",
    "Accept-Encoding: br",
    "Accept-Encoding: zstd",
    "Accept-Encoding: \u{e9}",
    "Accept: evil/evil",
    "Accept-Language: evil",
    "User-Agent: evil",
    "Referer: https://evil.example/",
    "Origin: https://evil.example",
    "Access-Control-Request-Method: EVIL",
    "Cookie: session=evil; evil",
    "Authorization: Bearer evil",
    "Proxy-Authorization: Basic evil",
    "Cache-Control: no-store",
    "Cache-Control: no-cache, max-age=0, evil=\"",
    "Cache-Control: only-if-cached",
    "Pragma: no-cache",
    "Upgrade: h2c\r\nHTTP2-Settings: evil",
    "Connection: Host, Cookie, X-Evil, Age",
    "Expect: 100-continue",
    "Expect: evil",
    "TE: trailers, evil",
    "Trailer: evil",
    "Content-Type: text/evil",
    "Content-Encoding: evil",
    // Headers of Next.js, each of which once did harm there.
    "X-Middleware-Subrequest: middleware:middleware:middleware:middleware:middleware",
    "X-Now-Route-Matches: 1=evil",
    "X-Invoke-Path: /evil",
    "X-Invoke-Status: 500",
    "X-Matched-Path: /evil",
    "X-Prerender-Revalidate: evil",
    "X-NextJS-Data: 1",
    "X-Middleware-Prefetch: 1",
    "RSC: 1\r\nNext-Router-Prefetch: 1\r\nNext-Url: /evil",
];

const HOSTS: &[&str] = &[
    "Host: evil.example",
    "Host: evil.example:666",
    "Host: test.example:evil",
    "Host: test.example@evil.example",
    "Host: test.example, evil.example",
    "Host: evil.example/evil?evil",
    "Host: \"><evil>",
    "Host: a b",
    "Host:",
    "Host: test.example\r\nHost: evil.example",
    "X-Evil: evil",
];

/// The targets of requests. `{p}` stands for the path.
const TARGETS: &[&str] = &[
    "{p}?evil",
    "{p}?",
    "{p}??evil=/../evil",
    "{p}?__nextDataReq=1&nxtPid=evil",
    "{p}?%00%0d%0aevil",
    "{p}#evil",
    "{p}?a#evil",
    "http://evil.example{p}",
    "http://evil.example:666{p}?evil",
    "https://test.example@evil.example{p}",
    "evil://evil{p}",
    "{p};jsessionid=evil",
    "{p};evil=1/evil",
    "{p}/",
    "/{p}",
    "//evil.example{p}",
    "/evil.example/..{p}",
    r"/\evil.example{p}",
    r"{p}\evil",
    r"{p}\..\evil",
    "{p}/../evil",
    "{p}/./",
    "{p}%2f",
    "{p}%2f..%2fevil",
    "{p}/%2e%2e/evil",
    "{p}%2e",
    "{p}%00",
    "{p}%00.css",
    "{p}%20",
    "{p}%0d%0aX-Evil:%20evil",
    "{p}%0d%0aX-Evil:%20evil/",
    "{p}.css",
    "{p}%",
    "{p}%2",
    "{p}%c0%af..",
    "{p}%e0%80%af",
    "{p}%ed%a0%80",
    "{p}%ff",
    "/%68ostile/%70oison/evil",
    "*",
    "evil.example:443",
];

const METHODS: &[&str] = &[
    "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE", "BAN", "EVIL", "get",
    "Get", "GETGET",
];

/// Returns the attacks on a path. Each is one whole request, the last of its connection.
fn attacks(path: &str) -> Vec<Vec<u8>> {
    let end = "Connection: close";
    let whole = |line: String, headers: String, body: &str| {
        format!("{line}\r\n{headers}\r\n{end}\r\n\r\n{body}").into_bytes()
    };
    let host = || "Host: test.example".to_owned();
    let get = || format!("GET {path} HTTP/1.1");
    let mut all = Vec::new();
    for header in HEADERS {
        all.push(whole(get(), format!("{}\r\n{header}", host()), ""));
        all.push(whole(
            format!("HEAD {path} HTTP/1.1"),
            format!("{}\r\n{header}", host()),
            "",
        ));
    }
    for host in HOSTS {
        all.push(whole(get(), (*host).into(), ""));
        all.push(whole(format!("GET {path} HTTP/1.0"), (*host).into(), ""));
    }
    for target in TARGETS {
        let target = target.replace("{p}", path);
        all.push(whole(format!("GET {target} HTTP/1.1"), host(), ""));
        all.push(whole(
            format!("GET {target} HTTP/1.1"),
            "Host: evil.example".into(),
            "",
        ));
    }
    all.push(whole(
        format!("GET {} HTTP/1.1", path.to_uppercase()),
        host(),
        "",
    ));
    let form = "_method=DELETE&evil=1";
    let with_length = format!(
        "{}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}",
        host(),
        form.len()
    );
    for method in METHODS.iter().chain(&["GET"]) {
        let line = format!("{method} {path} HTTP/1.1");
        all.push(whole(line.clone(), host(), ""));
        all.push(whole(line.clone(), with_length.clone(), form));
        let chunked = format!("{}\r\nTransfer-Encoding: chunked", host());
        all.push(whole(
            line,
            chunked,
            "4;evil\r\nevil\r\n0\r\nEvil: 1\r\n\r\n",
        ));
    }
    for version in [
        "HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "EVIL/1.1", "http/1.1", "",
    ] {
        all.push(whole(format!("GET {path} {version}"), host(), ""));
    }
    // Bytes that are not ASCII, and bytes that are not UTF-8.
    for odd in ["\u{e9}", "e\u{301}", "\u{202e}"] {
        all.push(whole(format!("GET {path}{odd} HTTP/1.1"), host(), ""));
    }
    let mut broken = format!("GET {path}").into_bytes();
    broken.extend(b"\xff\xfe HTTP/1.1\r\nHost: test.example\r\nConnection: close\r\n\r\n");
    all.push(broken);
    all
}

#[actix_web::test]
async fn what_is_no_part_of_a_key_changes_nothing_that_is_kept_under_it() {
    let all = [plain::ROUTE, item::ROUTE, any::ROUTE];
    let control = Server::routes(&production(all));
    let routes = production(all);
    let server = Server::routes(&routes);
    for path in [
        "/hostile/poison/plain",
        "/hostile/poison/item/one",
        "/hostile/poison/any/a/b%2Fc",
    ] {
        let expected = innocent(&control, path);
        assert!(expected.iter().all(|response| response.status == 200));
        for attack in attacks(path) {
            let text = String::from_utf8_lossy(&attack).into_owned();
            // At first there is no entry, and the attack may start a render; then there is one.
            routes.revalidate_path(path).await.unwrap();
            for _ in 0..2 {
                let statuses = statuses(&raw(&server, &attack));
                assert_eq!(statuses.len(), 1, "{text}");
                assert!(statuses[0] < 500, "{} to {text}", statuses[0]);
                let found = innocent(&server, path);
                assert_eq!(found, expected, "{text}");
            }
        }
        // Checked once more, in case two mistakes ever cancel each other out.
        let told = format!("{expected:?}").to_lowercase();
        assert!(!told.contains("evil") && !told.contains("6.6.6.6"));
    }
    assert_eq!(routes.stats().overloaded, 0);
}

#[route("/hostile/keys/[...path]", revalidate = 60)]
async fn keys(path: Vec<String>) -> String {
    format!("{path:?}")
}

/// An attacker who gets one resource served under another's name needs no other attack.
#[test]
fn two_spellings_are_one_resource_or_two_and_never_mix() {
    const SAME: bool = true;
    let server = Server::routes(&production([keys::ROUTE]));
    for (number, (one, other, is_same)) in [
        ("a", "%61", SAME),
        ("a%2fb", "a%2Fb", SAME),
        ("a%2fb", "a/b", !SAME),
        ("caf%C3%A9", "caf%c3%a9", SAME),
        // Composed and decomposed characters.
        ("caf%C3%A9", "cafe%CC%81", !SAME),
        ("%E2%84%AA", "K", !SAME),
        ("%EF%BC%8E%EF%BC%8E", "a", !SAME),
        ("a%EF%BC%8Fb", "a/b", !SAME),
        ("a", "A", !SAME),
        ("a", "a%00", !SAME),
        ("a", "a%20", !SAME),
        ("a", "a+", !SAME),
        ("a%20b", "a+b", !SAME),
        ("a", "a.", !SAME),
        ("a", "a;x=1", !SAME),
        ("a;x=1", "a%3Bx=1", SAME),
        ("a%3Fx", "a?x", !SAME),
        ("a?x", "a?y", SAME),
        ("a#x", "a", SAME),
        ("a%23x", "a#x", !SAME),
        ("a%25", "a%2525", !SAME),
        (r"a\b", "a%5Cb", SAME),
        (r"a\b", "a/b", !SAME),
        ("a%C2%A0", "a%20", !SAME),
        ("%C3%9F", "ss", !SAME),
    ]
    .into_iter()
    .enumerate()
    {
        let get = |path: &str| server.get(&format!("/hostile/keys/{number}/{path}"));
        let (first, second) = (get(one), get(other));
        assert_eq!((first.status, second.status), (200, 200), "{one} {other}");
        let is_hit = second.cache_status().starts_with("route; hit");
        assert_eq!(is_hit, is_same, "{one} {other}");
        assert_eq!(first.text() == second.text(), is_same, "{one} {other}");
        assert_eq!(get(one).text(), first.text());
    }
}

#[test]
fn what_is_no_utf8_names_nothing() {
    let server = Server::routes(&production([keys::ROUTE]));
    for encoded in [
        "%C0%AF",
        "%C0%AE%C0%AE",
        "%E0%80%AF",
        "%F0%80%80%AF",
        "%ED%A0%80",
        "%F4%90%80%80",
        "%FF",
        "%C3",
        "a%C3%28",
    ] {
        let response = server.get(&format!("/hostile/keys/{encoded}"));
        assert_eq!(response.status, 400, "{encoded}");
    }
}

#[route(POST, "/hostile/faults/[id]")]
async fn posted(id: u32) -> String {
    id.to_string()
}

/// A shared cache may keep a 405 without `Cache-Control`, and serve it to every client.
#[test]
fn a_refusal_is_kept_by_nobody() {
    let server = Server::routes(&production([plain::ROUTE, posted::ROUTE]));
    for (method, target, status) in [
        ("GET", "/hostile/faults/1", 405),
        ("POST", "/hostile/poison/plain", 405),
        ("GET", "/hostile/faults/%zz", 400),
        ("POST", "/hostile/faults/x", 404),
        ("GET", "/hostile/poison/plain/", 308),
    ] {
        let response = server.ask(method, target);
        assert_eq!(response.status, status, "{method} {target}");
        let control = response.header("cache-control").unwrap_or("nothing");
        assert!(control.contains("no-cache"), "{method} {target}: {control}");
    }
}
