//! The interfaces of shared caches, against servers that check what their documentation says.

use std::sync::{Arc, Mutex};

use actix_web::http::header::HeaderMap;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse};
use route_runtime::purge::{Cloudflare, Fastly, Nginx, Purge, PurgeToken, Varnish};
use route_runtime::{Mode, RevalidateError, Routes};
use serde_json::{Value, json};
use tests::Server;

use super::{change, item, twice};

/// A request as the interface of a cache got it.
#[derive(Clone, Debug)]
struct Asked {
    line: String,
    headers: HeaderMap,
    body: Value,
}

impl Asked {
    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }
}

/// The interface of a cache, which answers every request alike.
struct Interface {
    asked: Arc<Mutex<Vec<Asked>>>,
    server: Server,
}

type Answer = fn() -> HttpResponse;

impl Interface {
    fn start(answer: Answer) -> Self {
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let shared = Data::from(Arc::clone(&asked));
        let server = Server::start(move || {
            let record =
                move |request: HttpRequest, body: Bytes, asked: Data<Mutex<Vec<Asked>>>| {
                    asked.lock().unwrap().push(Asked {
                        line: format!("{} {}", request.method(), request.path()),
                        headers: request.headers().clone(),
                        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
                    });
                    std::future::ready(answer())
                };
            App::new()
                .app_data(Data::clone(&shared))
                .default_service(web::to(record))
        });
        Self { asked, server }
    }

    fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn routes(purge: impl Purge) -> Routes {
    let routes = Routes::from_iter([item::ROUTE, change::ROUTE, twice::ROUTE]).unwrap();
    routes.mode(Mode::Production).purge(purge)
}

/// Returns the text of a purge that failed.
fn why(result: Result<(), RevalidateError>) -> String {
    match result.unwrap_err() {
        RevalidateError::Purge(error) => error.to_string(),
        error => panic!("{error}"),
    }
}

const TOKEN: &str = "t0ken-that-nobody-may-see";

#[actix_web::test]
async fn fastly_is_sent_the_keys_the_token_and_whether_the_purge_is_soft() {
    let fastly = Interface::start(|| HttpResponse::Ok().json(json!({ "a": "1-2-3" })));
    let purge = Fastly::new("service7", format!("{TOKEN}\n")).api(fastly.url());
    assert!(!format!("{purge:?}").contains(TOKEN), "{purge:?}");
    let routes = routes(purge);
    routes.revalidate_path("/purging/7").await.unwrap();
    routes.revalidate_tag("a b").stale().await.unwrap();
    let [hard, soft] = &fastly.take()[..] else {
        panic!()
    };
    assert_eq!(hard.line, "POST /service/service7/purge");
    assert_eq!(hard.header("fastly-key"), TOKEN);
    assert_eq!(hard.header("content-type"), "application/json");
    assert_eq!(hard.body, json!({ "surrogate_keys": ["/purging/7"] }));
    assert_eq!(hard.header("fastly-soft-purge"), "");
    assert_eq!(soft.body, json!({ "surrogate_keys": ["a%20b"] }));
    assert_eq!(soft.header("fastly-soft-purge"), "1");
}

#[actix_web::test]
async fn cloudflare_is_sent_the_tags_and_is_believed_only_if_it_says_success() {
    let answer = || {
        HttpResponse::Ok().json(json!({ "success": true, "errors": [], "result": { "id": "z" } }))
    };
    let cloudflare = Interface::start(answer);
    let purge = Cloudflare::new("zone7", TOKEN).api(format!("{}/client/v4", cloudflare.url()));
    let routes = routes(purge);
    routes.revalidate_tag("purging").await.unwrap();
    // It has no soft purge.
    routes.revalidate_tag("purging").stale().await.unwrap();
    let [asked] = &cloudflare.take()[..] else {
        panic!()
    };
    assert_eq!(asked.line, "POST /client/v4/zones/zone7/purge_cache");
    assert_eq!(asked.header("authorization"), format!("Bearer {TOKEN}"));
    assert_eq!(asked.body, json!({ "tags": ["purging"] }));

    let refusing = Interface::start(|| {
        let errors = json!([{ "code": 10000, "message": TOKEN }]);
        HttpResponse::Ok().json(json!({ "success": false, "errors": errors }))
    });
    let purge = Cloudflare::new("zone7", TOKEN).api(refusing.url());
    let error = why(super::providers::routes(purge)
        .revalidate_tag("purging")
        .await);
    assert_eq!(error, "Cloudflare answered 200 OK, error 10000");
}

#[actix_web::test]
async fn a_limit_a_failure_and_a_cache_that_is_gone_are_errors_without_a_credential() {
    let limited = Interface::start(|| HttpResponse::TooManyRequests().body(TOKEN));
    let error = why(routes(Fastly::new("s", TOKEN).api(limited.url()))
        .revalidate_tag("a")
        .await);
    assert_eq!(error, "Fastly answered 429 Too Many Requests");
    let error = why(routes(Cloudflare::new("z", TOKEN).api(limited.url()))
        .revalidate_tag("a")
        .await);
    assert_eq!(error, "Cloudflare answered 429 Too Many Requests");
    let redirecting = Interface::start(|| {
        HttpResponse::Found()
            .insert_header(("location", "http://127.0.0.1:1/"))
            .finish()
    });
    let error = why(routes(Fastly::new("s", TOKEN).api(redirecting.url()))
        .revalidate_tag("a")
        .await);
    assert_eq!(error, "Fastly answered 302 Found");
    let gone = limited.url();
    drop(limited);
    let error = why(routes(Varnish::xkey(&gone)).revalidate_tag("a").await);
    assert!(error.starts_with("Varnish cannot be asked: "), "{error}");
    assert!(!error.contains(&gone) && !error.contains(TOKEN), "{error}");
    let error = why(routes(Fastly::new("s", "a\nb").api(gone))
        .revalidate_tag("a")
        .await);
    assert_eq!(
        error,
        "the credential of the shared cache fits in no header"
    );
    assert_eq!(format!("{:?}", PurgeToken::from(TOKEN)), "PurgeToken(…)");
}

#[actix_web::test]
async fn varnish_is_sent_keys_or_an_expression() {
    let varnish = Interface::start(|| HttpResponse::Ok().finish());
    let xkey = routes(Varnish::xkey(varnish.url()));
    xkey.revalidate_pattern("/purging/[id]").await.unwrap();
    xkey.revalidate_tag("a b").stale().await.unwrap();
    let ban = routes(Varnish::ban(varnish.url()));
    ban.revalidate_pattern("/purging/[id]").await.unwrap();
    ban.revalidate_tag("a").stale().await.unwrap();
    let [hard, soft, ban] = &varnish.take()[..] else {
        panic!()
    };
    assert_eq!(
        (&*hard.line, hard.header("xkey")),
        ("PURGE /", "/purging/[id]")
    );
    assert_eq!(
        (&*soft.line, soft.header("xkey-soft")),
        ("PURGE /", "a%20b")
    );
    let expression = r"(^|,)(/purging/\[id\])(,|$)";
    assert_eq!((&*ban.line, ban.header("x-tags")), ("BAN /", expression));
}

#[actix_web::test]
async fn nginx_is_sent_paths_and_says_that_it_cannot_do_tags() {
    let nginx = Interface::start(|| HttpResponse::NotFound().finish());
    let routes = routes(Nginx::new(nginx.url()));
    routes.revalidate_path("/purging/7").await.unwrap();
    assert_eq!(nginx.take()[0].line, "PURGE /purging/7");
    let error = why(routes.revalidate_tag("purging").await);
    assert!(error.contains("nginx knows no tags"), "{error}");
    assert!(nginx.take().is_empty());
}
