//! Every method of one path.

use route_runtime::route;

/// A module for one path, like one `route.js` file: each public function is named after the method
/// that it answers. OPTIONS has no function here: its response lists the methods that have one.
#[route("/api/methods")]
mod every_method {
    use actix_web::web::Json;
    use actix_web::{HttpResponse, Responder};
    use serde_json::json;

    /// Answers GET. Dynamic, because of the methods beside it.
    pub(crate) async fn GET() -> impl Responder {
        Json(json!({ "method": "GET" }))
    }

    /// Answers HEAD. Without this function, GET would answer HEAD too, without the body.
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
