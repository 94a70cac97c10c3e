//! Blank renders: a cached handler sees a blank request, whatever the client sent.

use std::fmt::Write as _;

use actix_web::dev::Service as _;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpMessage as _, HttpRequest};
use route_runtime::testing::TestApp;
use route_runtime::{Matched, Mode, Routes, route};
use tests::Server;

/// A value that middleware leaves in the extensions of a request.
struct Mark;

/// A type for data of a connection.
#[derive(Clone)]
struct Connected;

#[route("/rendering/[id]", dynamic = "force-static")]
async fn everything(
    id: String,
    request: HttpRequest,
    path: web::Path<String>,
    data: Data<u32>,
    query: web::Query<Vec<(String, String)>>,
    body: Bytes,
) -> String {
    let mut seen = String::new();
    let mut see = |name: &str, value: &dyn std::fmt::Debug| {
        writeln!(seen, "{name}: {value:?}").unwrap();
    };
    see("id", &id);
    see("path", &path.into_inner());
    see("data", &**data);
    see("query", &query.into_inner());
    see("body", &body);
    see("method", request.method());
    see("uri", request.uri());
    see("version", &request.version());
    see("headers", &request.headers().iter().collect::<Vec<_>>());
    see("query string", &request.query_string());
    see("peer", &request.peer_addr());
    see("match", &request.match_info().iter().collect::<Vec<_>>());
    see("mark", &request.extensions().get::<Mark>().is_some());
    see("matched", &request.extensions().get::<Matched>().is_some());
    see("connection", &request.conn_data::<Connected>().is_some());
    see("full", &request.full_url().as_str());
    see("upgrade", &request.head().upgrade());
    see("config", request.app_config());
    let connection = request.connection_info();
    see("host", &connection.host());
    see("scheme", &connection.scheme());
    see("address", &connection.realip_remote_addr());
    see("peer of connection", &connection.peer_addr());
    seen
}

fn expected(id: u32) -> String {
    format!(
        "id: \"{id}\"\n\
         path: \"{id}\"\n\
         data: 7\n\
         query: []\n\
         body: b\"\"\n\
         method: GET\n\
         uri: /rendering/{id}\n\
         version: HTTP/1.1\n\
         headers: []\n\
         query string: \"\"\n\
         peer: None\n\
         match: [(\"id\", \"{id}\")]\n\
         mark: false\n\
         matched: false\n\
         connection: false\n\
         full: \"http://localhost:8080/rendering/{id}\"\n\
         upgrade: false\n\
         config: AppConfig {{ secure: false, host: \"localhost:8080\", addr: 127.0.0.1:8080 }}\n\
         host: \"localhost:8080\"\n\
         scheme: \"http\"\n\
         address: None\n\
         peer of connection: None\n"
    )
}

#[route(POST, "/rendering/dynamic")]
async fn dynamic(request: HttpRequest, body: Bytes) -> String {
    let agent = request.headers().get("x-agent").unwrap();
    format!("{} {agent:?} {}", body.len(), request.peer_addr().is_some())
}

#[test]
fn a_cached_handler_sees_nothing_of_any_request() {
    for mode in [Mode::Production, Mode::Development] {
        let routes = Routes::from_iter([everything::ROUTE, dynamic::ROUTE]).unwrap();
        let routes = routes.mode(mode).data(7u32);
        let server = Server::start(move || {
            App::new()
                .wrap_fn(|request, service| {
                    request.extensions_mut().insert(Mark);
                    service.call(request)
                })
                .service(routes.clone())
        });
        for id in 0..24 {
            let mut wire = server.connect();
            // First a dynamic route reads secrets, so that whatever is reused has held some.
            let headers = "X-Agent: secret\nCookie: a=secret\nX-Forwarded-For: 1.2.3.4";
            wire.begin(&format!(
                "POST /rendering/dynamic?secret HTTP/1.1\n{headers}\nContent-Length: 6"
            ));
            wire.write("secret");
            let mut reply = wire.head();
            wire.body(&mut reply);
            assert_eq!(reply.text(), r#"6 "secret" true"#);

            let (target, version) = match id % 3 {
                0 => (format!("/rendering/{id}?secret=1"), "1.1"),
                1 => (format!("/rendering/{id}?secret=1"), "1.0"),
                _ => (format!("http://secret.example/rendering/{id}?a"), "1.1"),
            };
            let method = ["GET", "HEAD"][id as usize % 2];
            let head = format!(
                "{method} {target} HTTP/{version}
                {headers}
                Host: secret.example
                Authorization: secret
                Connection: Upgrade, Keep-Alive
                Forwarded: for=1.2.3.4;host=secret;proto=https
                X-Forwarded-Proto: https
                X-Forwarded-Host: secret
                Accept-Language: secret
                Range: secret"
            );
            let reply = wire.ask(&head);
            assert_eq!(reply.status, 200);
            if method == "GET" {
                assert_eq!(reply.text(), expected(id), "{mode:?} {head}");
            }
            // A GET gets the entry that a HEAD has caused.
            assert_eq!(server.get(&format!("/rendering/{id}")).text(), expected(id));
        }
    }
}

#[actix_web::test]
async fn app_data_that_a_cached_handler_lacks_is_named_at_start_up() {
    for mode in [Mode::Production, Mode::Development] {
        let routes = || Routes::from_iter([everything::ROUTE]).unwrap().mode(mode);
        let error = routes().ready().await.unwrap_err().to_string();
        for part in ["/rendering/[id]", "Data<u32>", "rendering.rs"] {
            assert!(error.contains(part), "{error}");
        }
        routes().data(7u32).ready().await.unwrap();
        let configured = routes().configure(|config| {
            config.app_data(Data::new(7u32));
        });
        configured.ready().await.unwrap();
        // A render does not see data that only the app has.
        let app = TestApp::with(routes(), |routes| {
            App::new().app_data(Data::new(7u32)).service(routes)
        });
        assert!(app.await.is_err());
    }
}
