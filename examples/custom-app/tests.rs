//! Tests that an actix-web app keeps working with routes in it, with actix-web's own test tools.

use std::io::Read as _;

use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::ServiceResponse;
use actix_web::http::{Method, StatusCode};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpServer, rt};
use flate2::read::GzDecoder;
use route_runtime::{Mode, Routes};
use serde_json::{Value, json};

use super::{Shop, app, routes, tls};

const MODES: [Mode; 2] = [Mode::Development, Mode::Production];
const TOKEN: (&str, &str) = ("Authorization", "Bearer custom-app");

/// The shop and the routes: everything but the server.
struct Fixture {
    shop: Data<Shop>,
    routes: Routes,
}

/// A response whose body has been read.
struct Answer {
    status: StatusCode,
    headers: actix_web::http::header::HeaderMap,
    body: Bytes,
}

impl Fixture {
    async fn new(mode: Mode) -> Self {
        let shop = Data::new(Shop::default());
        let routes = routes(&shop).expect("the routes fit together").mode(mode);
        routes.ready().await.expect("no data is missing");
        Self { shop, routes }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(TestRequest::get().uri(path)).await
    }

    /// Sends a request to a new app, as if to a worker that has just started.
    async fn send(&self, request: TestRequest) -> Answer {
        let app = init_service(app(self.routes.clone(), self.shop.clone())).await;
        Answer::of(call_service(&app, request.to_request()).await).await
    }
}

impl Answer {
    async fn of(response: ServiceResponse<impl MessageBody>) -> Self {
        let (_, response) = response.into_parts();
        let (head, body) = response.into_parts();
        let Ok(body) = to_bytes(body).await else {
            panic!("the body failed")
        };
        Self {
            status: head.status(),
            headers: head.headers().clone(),
            body,
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    fn is_hit(&self) -> bool {
        let status = self.header("cache-status");
        status.is_some_and(|status| status.starts_with("route; hit"))
    }
}

#[actix_web::test]
async fn services_and_routes_work_side_by_side() {
    for mode in MODES {
        let fixture = Fixture::new(mode).await;
        assert_eq!(fixture.get("/health").await.body, "ok\n");
        assert_eq!(fixture.get("/legacy/products").await.body, "100 products\n");
        let product = fixture.get("/v1/products/7").await;
        let expected = json!({ "number": 7, "name": "Product number 7" });
        assert_eq!(product.json(), expected);
    }
}

#[actix_web::test]
async fn an_unknown_path_gets_the_not_found_page() {
    for mode in MODES {
        let fixture = Fixture::new(mode).await;
        for path in [
            "/products",
            "/v1",
            "/v2/products",
            "/v1/products/7/x",
            "/v1/admin/nothing",
            "/<b>",
        ] {
            let uri = path.replace('<', "%3C").replace('>', "%3E");
            let answer = fixture.get(&uri).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
            assert!(
                answer
                    .body
                    .starts_with(b"<!doctype html><title>Nothing here")
            );
            assert!(!answer.body.windows(3).any(|window| window == b"<b>"));
        }
        // A path that matches a pattern is the route's to answer, even if its value does not exist.
        for path in ["/v1/products/0", "/v1/products/999", "/v1/products/x"] {
            let answer = fixture.get(path).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
            let problem = Some("application/problem+json");
            assert_eq!(answer.header("content-type"), problem, "{path}");
        }
    }
}

#[actix_web::test]
async fn services_handlers_and_renders_share_one_state() {
    for mode in MODES {
        let fixture = Fixture::new(mode).await;
        let count = async || {
            fixture.get("/v1/products").await.json()["products"]
                .as_array()
                .map(Vec::len)
        };
        assert_eq!(count().await, Some(100));

        let request = TestRequest::post().uri("/v1/admin/products");
        let answer = fixture
            .send(request.insert_header(TOKEN).set_json("New"))
            .await;
        assert_eq!(answer.status, StatusCode::CREATED);
        assert_eq!(answer.json(), json!({ "number": 101 }));

        assert_eq!(count().await, Some(101), "{mode:?}");
        assert_eq!(fixture.get("/legacy/products").await.body, "101 products\n");
    }
}

#[actix_web::test]
async fn a_request_without_the_token_reaches_no_handler() {
    for mode in MODES {
        let fixture = Fixture::new(mode).await;
        let refused = |request: TestRequest| async {
            let answer = fixture.send(request).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
            assert_eq!(answer.header("cache-status"), None);
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        };
        let add = || {
            TestRequest::post()
                .uri("/v1/admin/products")
                .set_json("New")
        };
        refused(add()).await;
        refused(add().insert_header(("Authorization", "Bearer guess"))).await;
        assert_eq!(fixture.shop.products().len(), 100);

        // Such a request causes no render, and gets no response that was rendered for another one.
        let renders = fixture.routes.stats().renders;
        refused(TestRequest::with_uri("/v1/admin/orders/1")).await;
        assert_eq!(fixture.routes.stats().renders, renders);
        let order = || TestRequest::with_uri("/v1/admin/orders/1").insert_header(TOKEN);
        assert_eq!(fixture.send(order()).await.json(), json!({ "order": 1 }));
        let again = fixture.send(order()).await;
        assert_eq!(again.is_hit(), mode == Mode::Production);
        refused(TestRequest::with_uri("/v1/admin/orders/1")).await;
        let head = TestRequest::with_uri("/v1/admin/orders/1").method(Method::HEAD);
        refused(head).await;
        let etag = again.header("etag").unwrap_or("*").to_owned();
        let validating = TestRequest::with_uri("/v1/admin/orders/1");
        refused(validating.insert_header(("If-None-Match", etag))).await;
        // What no handler answers is in the section, too.
        refused(TestRequest::delete().uri("/v1/admin/orders/1")).await;
        refused(TestRequest::with_uri("/v1/%61dmin//orders/1/")).await;
    }
}

/// Returns an attempt to log in from an address.
fn log_in(last_number: u8, password: &str) -> TestRequest {
    let request = TestRequest::post().uri("/v1/session");
    request
        .peer_addr(([192, 0, 2, last_number], 50_000).into())
        .set_json(json!({ "name": "ann", "password": password }))
}

#[actix_web::test]
async fn a_customer_logs_in_and_out() {
    for mode in MODES {
        let fixture = Fixture::new(mode).await;
        let paths = ["/v1/account", "/v1/account/offers"];
        for path in paths {
            let answer = fixture.get(path).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        }
        let wrong = fixture.send(log_in(1, "guess")).await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
        assert_eq!(wrong.header("set-cookie"), None);

        let right = fixture.send(log_in(1, "correct horse")).await;
        assert_eq!(right.status, StatusCode::NO_CONTENT);
        let cookie = right.header("set-cookie").expect("a cookie");
        assert!(
            cookie.contains("HttpOnly; SameSite=Lax; Secure"),
            "{cookie}"
        );
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();

        let customer = |request: TestRequest| request.insert_header(("Cookie", cookie.clone()));
        let [account, offers] = paths.map(TestRequest::with_uri).map(customer);
        let account = fixture.send(account).await;
        assert_eq!(account.json(), json!({ "name": "ann" }));
        let offers = fixture.send(offers).await;
        assert_eq!(offers.status, StatusCode::OK);
        assert_eq!(offers.is_hit(), mode == Mode::Production);

        let end = customer(TestRequest::delete().uri("/v1/session"));
        let end = end.peer_addr(([192, 0, 2, 1], 50_000).into());
        let end = fixture.send(end).await;
        let removed = end.header("set-cookie").expect("a cookie");
        assert!(removed.contains("Max-Age=0"), "{removed}");
    }
}

#[actix_web::test]
async fn an_address_may_try_ten_passwords_a_minute() {
    let fixture = Fixture::new(Mode::Production).await;
    for _ in 0..10 {
        // Each app is new, and stands for another worker: they share the counts.
        let answer = fixture.send(log_in(1, "guess")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let limited = fixture.send(log_in(1, "correct horse")).await;
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);
    let other = fixture.send(log_in(2, "correct horse")).await;
    assert_eq!(other.status, StatusCode::NO_CONTENT);
}

#[actix_web::test]
async fn everything_has_the_security_headers() {
    for mode in MODES {
        let fixture = Fixture::new(mode).await;
        for path in ["/health", "/nothing", "/v1/products", "/v1/admin/orders/1"] {
            let answer = fixture.get(path).await;
            let policy = answer.header("content-security-policy");
            assert!(
                policy.is_some_and(|it| it.contains("frame-ancestors 'none'")),
                "{path}"
            );
        }
    }
}

#[actix_web::test]
async fn a_hit_is_compressed_once() {
    let fixture = Fixture::new(Mode::Production).await;
    // The list is long enough for the cache to compress it; `Compress` compresses a single product.
    for path in ["/v1/products", "/v1/products/7"] {
        let plain = fixture.get(path).await;
        assert_eq!(plain.header("content-encoding"), None, "{path}");
        for _ in 0..2 {
            let request = || TestRequest::with_uri(path).insert_header(("Accept-Encoding", "gzip"));
            let answer = fixture.send(request()).await;
            assert!(answer.is_hit(), "{path}");
            let encodings: Vec<_> = answer.headers.get_all("content-encoding").collect();
            assert_eq!(encodings, ["gzip"], "{path}");
            let mut body = Vec::new();
            let read = GzDecoder::new(&*answer.body).read_to_end(&mut body);
            read.expect("gzip, once");
            assert_eq!(body, plain.body, "{path}");
            let vary: Vec<_> = answer.headers.get_all("vary").collect();
            let varies = vary.iter().any(|vary| {
                let names = vary.to_str().unwrap_or_default().split(',');
                names
                    .map(str::trim)
                    .any(|name| name.eq_ignore_ascii_case("accept-encoding"))
            });
            assert!(varies, "{path}: {vary:?}");

            // Two different bodies must not have the same strong entity tag.
            let etag = answer.header("etag").expect("a tag").to_owned();
            assert_ne!(Some(&*etag), plain.header("etag"), "{path}");
            let unchanged = fixture
                .send(request().insert_header(("If-None-Match", etag)))
                .await;
            assert_eq!(unchanged.status, StatusCode::NOT_MODIFIED, "{path}");
            assert_eq!(unchanged.body, "", "{path}");
        }
    }
}

#[actix_web::test]
async fn only_the_allowed_origin_gets_cors_headers() {
    const ORIGIN: (&str, &str) = ("Origin", "https://shop.example");
    for mode in MODES {
        let fixture = Fixture::new(mode).await;
        // A preflight has no token, and CORS answers it outside the section that asks for one.
        let preflight = TestRequest::with_uri("/v1/admin/products")
            .method(Method::OPTIONS)
            .insert_header(ORIGIN)
            .insert_header(("Access-Control-Request-Method", "POST"));
        let answer = fixture.send(preflight).await;
        assert_eq!(answer.status, StatusCode::OK);
        let allowed = answer.header("access-control-allow-methods");
        assert!(allowed.is_some_and(|methods| methods.contains("POST")));

        // The cache does not give one origin's headers to another origin.
        let request = || TestRequest::with_uri("/v1/products");
        let theirs = fixture.send(request().insert_header(ORIGIN)).await;
        let allow = "access-control-allow-origin";
        assert_eq!(theirs.header(allow), Some("https://shop.example"));
        assert_eq!(theirs.is_hit(), mode == Mode::Production);
        let nobodys = fixture.send(request()).await;
        assert_eq!(nobodys.header(allow), None);
        assert_eq!(nobodys.body, theirs.body);
        let evil = request().insert_header(("Origin", "https://evil.example"));
        assert_eq!(fixture.send(evil).await.header(allow), None);

        // A browser shows a script only what CORS allows, and that applies to a refusal, too.
        let order = TestRequest::with_uri("/v1/admin/orders/1").insert_header(ORIGIN);
        let refused = fixture.send(order).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert_eq!(refused.header(allow), Some("https://shop.example"));

        // An OPTIONS request that is no preflight is the route's to answer.
        let options = request().method(Method::OPTIONS);
        let options = fixture.send(options).await;
        assert_eq!(options.status, StatusCode::NO_CONTENT);
        assert_eq!(options.header("allow"), Some("GET, HEAD, OPTIONS"));
    }
}

#[actix_web::test]
async fn the_app_serves_https() {
    let Fixture { shop, routes } = Fixture::new(Mode::Production).await;
    let tls = tls::self_signed().expect("a certificate");
    let server = HttpServer::new(move || app(routes.clone(), shop.clone()))
        .workers(1)
        .disable_signals()
        .bind_rustls_0_23(("127.0.0.1", 0), tls.config)
        .expect("a free port");
    let port = server.addrs()[0].port();
    rt::spawn(server.run());

    let certificate = reqwest::Certificate::from_der(&tls.certificate).expect("a certificate");
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([certificate])
        .build()
        .expect("a client");
    let url = format!("https://127.0.0.1:{port}/v1/products/7");
    let answer = client.get(url).send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 200);
    let product: Value = answer.json().await.expect("JSON");
    assert_eq!(product["name"], "Product number 7");
}
