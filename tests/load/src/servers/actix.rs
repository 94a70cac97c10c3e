//! Servers with actix-web, and with the HTTP implementation below it.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;

use actix_http::{HttpService, Request, Response};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, HttpServer};

use super::{BODY, DYNAMIC, HIT, JSON};

fn insert(headers: &mut HeaderMap, these: &[(&'static str, &'static str)]) {
    for (name, value) in these {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
}

/// Serves the bytes of a hit with the HTTP implementation alone: no routes, no app.
pub(super) fn bare(listener: TcpListener) -> io::Result<()> {
    actix_web::rt::System::new().block_on(async move {
        let service = || {
            let answer = |_: Request| async {
                let mut response = Response::ok().set_body(Bytes::from_static(&BODY));
                insert(response.headers_mut(), &[("content-type", JSON)]);
                insert(response.headers_mut(), &HIT);
                Ok::<_, Infallible>(response)
            };
            HttpService::build().h1(answer).tcp()
        };
        actix_server::Server::build()
            .workers(1)
            .listen("bare", listener, service)?
            .run()
            .await
    })
}

fn body() -> HttpResponse {
    let mut response = HttpResponse::Ok().body(Bytes::from_static(&BODY));
    insert(response.headers_mut(), &[("content-type", JSON)]);
    response
}

/// Returns the bytes of a hit.
async fn post() -> HttpResponse {
    let mut response = body();
    insert(response.headers_mut(), &HIT);
    response
}

/// Returns the bytes of a dynamic route.
async fn item(id: web::Path<u64>) -> HttpResponse {
    let _ = id.into_inner();
    let mut response = body();
    insert(response.headers_mut(), &DYNAMIC);
    response
}

/// Serves without routes, only with a default service that answers everything.
pub(super) fn default_service(listener: TcpListener) -> io::Result<()> {
    let app = || App::new().default_service(web::to(post));
    let server = HttpServer::new(app).workers(1).listen(listener)?;
    actix_web::rt::System::new().block_on(server.run())
}

pub(super) fn web(listener: TcpListener) -> io::Result<()> {
    let app = || {
        App::new()
            .route("/items/{id}", web::get().to(item))
            .route("/posts/7", web::get().to(post))
    };
    let server = HttpServer::new(app).workers(1).listen(listener)?;
    actix_web::rt::System::new().block_on(server.run())
}
