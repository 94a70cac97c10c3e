//! Pages, whose responses are HTML.

use actix_web::error::ErrorNotFound;
use actix_web::{App, Error, HttpResponse, Responder, test};
use route_runtime::{Mode, Routes, page};

#[page("/pages/text")]
async fn text() -> String {
    "<h1>text</h1>".into()
}

#[page("/pages/own")]
async fn own() -> impl Responder {
    HttpResponse::Ok()
        .content_type("text/html; charset=iso-8859-1")
        .body("<h1>own</h1>")
}

#[page("/pages/dynamic", dynamic = "force-dynamic")]
async fn dynamic() -> &'static str {
    "<h1>dynamic</h1>"
}

#[page("/pages/failing/[slug]")]
async fn failing(slug: String) -> Result<String, Error> {
    Err(ErrorNotFound(format!("no {slug}")))
}

/// An error may repeat a part of the request, which must not be read as HTML.
#[actix_web::test]
async fn the_text_of_an_error_from_a_page_is_plain_text() {
    for mode in [Mode::Development, Mode::Production] {
        let routes = Routes::from_iter([failing::ROUTE]).unwrap().mode(mode);
        let app = test::init_service(App::new().service(routes)).await;
        let request = test::TestRequest::with_uri("/pages/failing/%3Cscript%3E");
        let response = test::call_service(&app, request.to_request()).await;
        assert_eq!(response.status(), 404);
        let kind = response.headers().get("content-type").unwrap();
        assert_eq!(kind, "text/plain; charset=utf-8");
        assert_eq!(test::read_body(response).await, "no <script>");
    }
}

#[actix_web::test]
async fn text_from_a_page_is_html_unless_the_page_sets_another_type() {
    for mode in [Mode::Development, Mode::Production] {
        let routes = Routes::from_iter([text::ROUTE, own::ROUTE, dynamic::ROUTE]).unwrap();
        let app = test::init_service(App::new().service(routes.mode(mode))).await;
        for (path, expected) in [
            ("/pages/text", "text/html; charset=utf-8"),
            ("/pages/dynamic", "text/html; charset=utf-8"),
            ("/pages/own", "text/html; charset=iso-8859-1"),
        ] {
            let request = test::TestRequest::get().uri(path).to_request();
            let response = test::call_service(&app, request).await;
            assert_eq!(response.headers().get("content-type").unwrap(), expected);
        }
    }
}
