//! Limits on forms with files, which `MultipartForm` reads.

use actix_multipart::form::bytes::Bytes as BytesField;
use actix_multipart::form::{MultipartForm, MultipartFormConfig};
use actix_web::App;
use actix_web::web::Data;
use route_runtime::route;
use tests::{Response, Server, production};

#[derive(MultipartForm)]
struct Upload {
    file: BytesField,
}

#[route(POST, "/limits/upload/large", body_limit = "4MB")]
async fn large(form: MultipartForm<Upload>) -> String {
    form.file.data.len().to_string()
}

#[route(POST, "/limits/upload/default")]
async fn default(form: MultipartForm<Upload>) -> String {
    form.file.data.len().to_string()
}

fn post(server: &Server, path: &str, length: usize) -> Response {
    let file = "x".repeat(length);
    let form =
        format!("--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n{file}\r\n--x--\r\n");
    super::post(
        server,
        path,
        "multipart/form-data; boundary=x",
        form.as_bytes(),
    )
}

#[test]
fn a_body_limit_holds_for_a_form_and_for_what_of_it_is_in_memory() {
    let server = Server::routes(&production([large::ROUTE, default::ROUTE]));
    // The limit of actix-multipart itself is 2 MiB in memory.
    let found = post(&server, "/limits/upload/large", 2_900_000);
    assert_eq!((found.status, found.text()), (200, "2900000"));
    assert_eq!(post(&server, "/limits/upload/large", 5_000_000).status, 413);
    let found = post(&server, "/limits/upload/default", 1_000_000);
    assert_eq!((found.status, found.text()), (200, "1000000"));
    assert_eq!(
        post(&server, "/limits/upload/default", 1_100_000).status,
        413
    );
}

/// A route that has no `body_limit` has the limits of the app. One that has keeps the app's limit
/// on memory.
#[test]
fn limits_that_the_app_has_for_forms_stay() {
    let routes = production([large::ROUTE, default::ROUTE]);
    let start = |config: MultipartFormConfig| {
        let routes = routes.clone();
        Server::start(move || {
            let data = Data::new(config.clone());
            App::new().app_data(data).service(routes.clone())
        })
    };
    let server = start(MultipartFormConfig::default().total_limit(5));
    assert_eq!(post(&server, "/limits/upload/large", 6).status, 200);
    assert_eq!(post(&server, "/limits/upload/default", 5).status, 200);
    let found = post(&server, "/limits/upload/default", 6);
    assert_eq!(
        (found.status, found.text()),
        (
            413,
            r#"{"type":"about:blank","title":"Payload Too Large","status":413,"detail":"the form or one of its fields is too large"}"#
        )
    );
    let server = start(MultipartFormConfig::default().memory_limit(5));
    for path in ["/limits/upload/large", "/limits/upload/default"] {
        assert_eq!(post(&server, path, 5).status, 200, "{path}");
        assert_eq!(post(&server, path, 6).status, 413, "{path}");
    }
}
