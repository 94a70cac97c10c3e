//! One path, every method.

use route_runtime::route;

/// One module is one path, like one `route.js` file: each public function is named by the method
/// that it answers. OPTIONS, which is not here, is answered with what is.
#[route("/api/methods")]
mod every_method {
    use actix_web::web::Json;
    use actix_web::{HttpResponse, Responder};
    use serde_json::json;

    /// Dynamic, because of the methods beside it.
    pub(crate) async fn GET() -> impl Responder {
        Json(json!({ "method": "GET" }))
    }

    /// Without it, HEAD would be answered by GET, less the body.
    pub(crate) async fn HEAD() -> impl Responder {
        HttpResponse::Ok()
            .insert_header(("x-method", "HEAD"))
            .finish()
    }

    pub(crate) async fn POST() -> impl Responder {
        Json(json!({ "method": "POST" }))
    }

    pub(crate) async fn PUT() -> impl Responder {
        Json(json!({ "method": "PUT" }))
    }

    pub(crate) async fn PATCH() -> impl Responder {
        Json(json!({ "method": "PATCH" }))
    }

    pub(crate) async fn DELETE() -> impl Responder {
        Json(json!({ "method": "DELETE" }))
    }
}
