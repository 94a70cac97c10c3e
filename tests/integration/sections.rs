//! Sections: middleware for everything that is answered under a pattern.

mod declaring;
mod misbehaving;
mod others;
mod passing;
mod shared_caches;

use std::sync::atomic::AtomicU32;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::ErrorUnauthorized;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, Error, HttpMessage as _, HttpRequest};
use route_runtime::route;
use tests::{Server, next, production};

/// Lets in whoever has the key.
async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    match request.headers().contains_key("x-key") {
        true => next.call(request).await,
        false => Err(ErrorUnauthorized("no key")),
    }
}

static HOME: AtomicU32 = AtomicU32::new(0);

#[route("/sections/admin", revalidate = false)]
async fn home() -> String {
    format!("run {}", next(&HOME))
}

#[route("/sections/admin/users/[id]", revalidate = 60)]
async fn user(id: u32) -> String {
    format!("user {id}")
}

#[route("/sections/admin/users")]
mod users {
    pub async fn GET() -> &'static str {
        "all"
    }

    pub async fn POST(body: String) -> String {
        body
    }
}

#[route("/sections/administration")]
async fn administration() -> &'static str {
    "open"
}

const ADMIN: &str = "/sections/admin/[[...rest]]";

#[test]
fn a_section_is_passed_by_everything_under_its_pattern_and_by_nothing_else() {
    let routes = production([
        home::ROUTE,
        user::ROUTE,
        users::GET::ROUTE,
        users::POST::ROUTE,
        administration::ROUTE,
    ]);
    let server = Server::routes(&routes.wrap(ADMIN, guard));
    // Twice, so that there are entries.
    for _ in 0..2 {
        for (ask, status) in [
            ("GET /sections/admin", 200),
            ("HEAD /sections/admin", 200),
            ("GET /sections/%61dmin/users/7", 200),
            ("GET /sections/admin/users", 200),
            ("POST /sections/admin/users", 200),
            ("OPTIONS /sections/admin/users", 204),
            ("DELETE /sections/admin/users", 405),
            ("BREW /sections/admin/users", 405),
            ("GET //sections//admin/", 308),
            ("GET /sections/admin/users/%zz", 400),
            ("GET /sections/admin/users/x", 404),
        ] {
            let refused = server.connect().ask(&format!("{ask} HTTP/1.1"));
            assert_eq!(refused.status, 401, "{ask}");
            assert_eq!(refused.header("etag"), None, "{ask}");
            assert_eq!(refused.header("allow"), None, "{ask}");
            assert_eq!(refused.header("location"), None, "{ask}");
            let answered = server.connect().ask(&format!("{ask} HTTP/1.1\nX-Key: k"));
            assert_eq!(answered.status, status, "{ask}");
        }
    }
    let hit = server
        .connect()
        .ask("GET /sections/admin HTTP/1.1\nX-Key: k");
    assert_eq!(hit.cache_status(), "route; hit");
    assert_eq!(hit.header("cache-control"), Some("private, no-cache"));
    // Another segment that begins alike, and another case of the letters, are other paths.
    assert_eq!(server.get("/sections/administration").text(), "open");
    assert_eq!(server.get("/sections/ADMIN").status, 404);
    let refused = server.get("/sections/admin");
    let told = refused.header("cache-control").unwrap();
    assert!(told.contains("no-store"), "{told}");
}

/// Notes its name in the request and in the response.
async fn note(
    name: &'static str,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    request
        .extensions_mut()
        .get_or_insert(Vec::<&str>::new())
        .push(name);
    let mut response = next.call(request).await?;
    response.headers_mut().append(
        HeaderName::from_static("x-note"),
        HeaderValue::from_static(name),
    );
    Ok(response)
}

async fn own(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    note("own", request, next).await
}

#[route("/sections/order/[id]", wrap = own)]
async fn order(id: u32, request: HttpRequest, path: web::Path<u32>) -> String {
    let extensions = request.extensions();
    let names = extensions.get::<Vec<&str>>().unwrap();
    format!("{id} {path} {}", names.join(" "))
}

#[route(POST, "/sections/order/[id]")]
async fn order_body(id: u32, body: Bytes, word: Data<String>) -> String {
    format!("{id} {} {}", body.len(), **word)
}

#[test]
fn sections_are_passed_in_the_order_of_their_declaration_and_outside_a_routes_own_wrap() {
    let with = |name: &'static str| {
        move |request: ServiceRequest, next: Next<_>| note(name, request, next)
    };
    let routes = production([order::ROUTE, order_body::ROUTE])
        .wrap("/sections/order/[id]", with("first"))
        .wrap_open("/[[...rest]]", with("second"))
        .wrap("/sections/[...rest]", with("third"))
        .data(String::from("word"));
    let server = Server::routes(&routes);
    let answer = server.get("/sections/order/7");
    assert_eq!(answer.text(), "7 7 first second third own");
    let notes = answer.headers.iter().filter(|(name, _)| name == "x-note");
    let notes: Vec<_> = notes.map(|(_, value)| &**value).collect();
    assert_eq!(notes, ["own", "third", "second", "first"]);
    let mut wire = server.connect();
    wire.begin("POST /sections/order/7 HTTP/1.1\nContent-Length: 3");
    wire.write("abc");
    assert_eq!(wire.response(false).text(), "7 3 word");
}

#[test]
fn a_section_that_covers_some_paths_of_a_route_is_decided_by_each_path() {
    #[route("/sections/part/[...slug]", revalidate = 60)]
    async fn part(slug: Vec<String>) -> String {
        slug.join("|")
    }

    #[route("/sections/part/secret/about")]
    async fn about() -> &'static str {
        "about"
    }

    let routes = production([part::ROUTE, about::ROUTE]);
    let server = Server::routes(&routes.wrap("/sections/part/secret/[[...rest]]", guard));
    for _ in 0..2 {
        for (path, status) in [
            ("/sections/part/a", 200),
            ("/sections/part/secrets/a", 200),
            ("/sections/part/secret", 401),
            ("/sections/part/secret/a/b", 401),
            ("/sections/part/se%63ret/a", 401),
            ("/sections/part//secret/", 401),
            ("/sections/part/secret/%zz", 401),
            ("/sections/part/secret%2Fa", 200),
            ("/sections/part/secret/about", 401),
        ] {
            assert_eq!(server.get(path).status, status, "{path}");
        }
    }
    let mut wire = server.connect();
    let inside = wire.ask("GET /sections/part/secret/a HTTP/1.1\nX-Key: k");
    assert_eq!(inside.text(), "secret|a");
}

#[test]
fn a_prefix_is_before_the_patterns_of_sections_too() {
    let routes = production([home::ROUTE, administration::ROUTE]);
    let before = routes.clone().wrap(ADMIN, guard).at("/v1").unwrap();
    let after = routes.at("/v1").unwrap().wrap(ADMIN, guard);
    for routes in [before, after] {
        let server = Server::routes(&routes);
        assert_eq!(server.get("/v1/sections/admin").status, 401);
        assert_eq!(server.get("/v1/sections/administration").status, 200);
        let shown = routes.iter().next().unwrap().middleware();
        assert_eq!(shown[0].section(), Some("/v1/sections/admin/[[...rest]]"));
    }
}

#[test]
fn services_of_the_app_are_not_in_a_section() {
    let routes = production([home::ROUTE]).wrap(ADMIN, guard);
    let server = Server::start(move || {
        App::new()
            .route("/sections/admin/theirs", web::to(|| async { "theirs" }))
            .service(routes.clone())
            .default_service(web::to(|| async { "default" }))
    });
    for (path, text) in [
        ("/sections/admin", "no key"),
        ("/sections/admin/theirs", "theirs"),
        ("/sections/admin/nothing", "default"),
    ] {
        assert_eq!(server.get(path).text(), text, "{path}");
    }
}
