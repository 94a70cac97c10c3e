//! Logging in, and what is only for customers who have done so.

use actix_session::Session;
use actix_web::web::{Data, Json};
use actix_web::{Error, HttpResponse, Responder};
use route_runtime::{route, unauthorized};
use serde::Deserialize;
use serde_json::json;

use crate::shop::Shop;

/// The name of the customer in a session.
pub(crate) const CUSTOMER: &str = "customer";

#[derive(Deserialize)]
struct Credentials {
    name: String,
    password: String,
}

/// The session: POST logs in, DELETE logs out.
#[route("/session")]
mod session {
    use super::*;

    pub async fn POST(
        shop: Data<Shop>,
        session: Session,
        credentials: Json<Credentials>,
    ) -> Result<impl Responder, Error> {
        let Credentials { name, password } = credentials.into_inner();
        if !shop.knows(&name, &password) {
            return Err(unauthorized().into());
        }
        session.renew(); // A session that existed before must not be taken over.
        session.insert(CUSTOMER, name)?;
        Ok(HttpResponse::NoContent())
    }

    pub async fn DELETE(session: Session) -> impl Responder {
        session.purge();
        HttpResponse::NoContent()
    }
}

/// The customer's own account. It reads the session, so it is rendered for each request.
#[route("/account")]
async fn account(session: Session) -> Result<impl Responder, Error> {
    let name: String = session.get(CUSTOMER)?.ok_or_else(unauthorized)?;
    Ok(Json(json!({ "name": name })))
}

/// The offers for customers. They are the same for every customer, and cached: the section decides
/// who reads them, before the cache.
#[route("/account/offers", revalidate = 60)]
async fn offers() -> impl Responder {
    Json(json!({ "offers": ["two for one"] }))
}
