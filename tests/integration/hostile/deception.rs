//! Web-cache deception: an attacker lures a client with a session to a path, and hopes that a
//! cache keeps the response, which only that client may see.

use actix_web::HttpResponse;
use route_runtime::{Cookies, route};

use super::*;

#[route("/hostile/deceive/account")]
async fn account(cookies: Cookies) -> String {
    format!("account of {:?}", cookies.get("session"))
}

#[route("/hostile/deceive/user/[name]")]
async fn user(name: String, cookies: Cookies) -> String {
    format!("{name} of {:?}", cookies.get("session"))
}

/// A handler that forgets that its response is for one user, and sets an `ETag`.
#[route("/hostile/deceive/careless/[[...path]]")]
async fn careless(path: Vec<String>, cookies: Cookies) -> HttpResponse {
    let session = cookies.get("session");
    HttpResponse::Ok()
        .insert_header(("etag", "\"careless\""))
        .body(format!("{path:?} of {session:?}"))
}

#[route("/hostile/deceive/[...path]", revalidate = 3600)]
async fn everything_else(path: Vec<String>) -> String {
    format!("public {path:?}")
}

const SUFFIXES: &[&str] = &[
    "",
    "/x.css",
    "%2fx.css",
    "%2Fx.css",
    "/..%2fx.css",
    "/%2e%2e/x.css",
    "/..%2fstatic/x.css",
    "/%2e%2e%2fx.css",
    ";x.css",
    "/;x.css",
    ";/x.css",
    "%3bx.css",
    "%00.css",
    "%00/x.css",
    "%0ax.css",
    "%09.css",
    "%20.css",
    "%23x.css",
    "#x.css",
    "?x.css",
    "%3fx.css",
    ".css",
    "%2ecss",
    "~x.css",
    r"\x.css",
    "%5cx.css",
    r"\..\x.css",
    "//x.css",
    "/",
    "/.",
    "/./x.css",
    "/x.css/..",
    "/favicon.ico",
    "/robots.txt",
    "/_next/static/x.js",
    "%E2%80%AEx.css",
    "%c0%afx.css",
    "%",
];

#[test]
fn nothing_that_a_session_shows_reaches_a_client_without() {
    let all = [
        account::ROUTE,
        user::ROUTE,
        careless::ROUTE,
        everything_else::ROUTE,
    ];
    // The most open configuration: shared caches may keep cached responses.
    let server = Server::routes(&production(all).cdn(true));
    for path in ["account", "user/me", "careless", "ACCOUNT", "%61ccount"] {
        for suffix in SUFFIXES {
            let target = format!("/hostile/deceive/{path}{suffix}");
            for method in ["GET", "HEAD"] {
                let cookie = [("Cookie", "session=secret"), ("If-None-Match", "\"x\"")];
                let victim = server.send(&request(method, &target, &cookie, ""));
                assert!(victim.status < 500, "{target}");
                let is_private = victim.text().contains("secret")
                    || victim.cache_status() == "route; fwd=bypass; detail=dynamic";
                if is_private {
                    let control = victim.header("cache-control").unwrap();
                    let names = ["private", "no-store"];
                    assert!(names.iter().all(|it| control.contains(it)), "{target}");
                    assert_eq!(victim.header("cdn-cache-control"), None);
                    assert_eq!(victim.header("age"), None);
                }
                let attacker = server.get(&target);
                assert!(!attacker.text().contains("secret"), "{target}");
                // The same must hold at the target of a redirect.
                if let Some(location) = attacker.header("location") {
                    assert!(!server.get(location).text().contains("secret"));
                }
            }
        }
    }
    // The reverse must hold as well: a public response does not become private to one user.
    let public = server.get("/hostile/deceive/account/x.css");
    assert_eq!(public.text(), r#"public ["account", "x.css"]"#);
    assert!(public.cache_status().starts_with("route; hit"));
}
