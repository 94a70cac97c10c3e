//! Routes in your own `App`, beside everything that actix-web offers.
//!
//! `PORT` is the port to listen on (3000 by default). `--tls` serves HTTPS.

mod account;
mod routes;
mod sections;
mod services;
mod shop;
mod tls;

use std::env;
use std::error::Error;

use actix_extensible_rate_limit::backend::memory::InMemoryBackend;
use actix_web::body::MessageBody;
use actix_web::cookie::Key;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Compress, Logger};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App, HttpMessage as _, HttpServer};
use route_runtime::{Matched, Routes, RoutesError};

use crate::shop::Shop;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let port: u16 = match env::var("PORT") {
        Ok(port) => port.parse().map_err(|_| format!("PORT is `{port}`"))?,
        Err(_) => 3000,
    };
    let tls = match env::args().nth(1).as_deref() {
        None => None,
        Some("--tls") => Some(tls::self_signed()?.config),
        Some(other) => return Err(format!("unknown argument `{other}`: expected `--tls`").into()),
    };
    let shop = Data::new(Shop::default());

    let routes = routes(&shop)?;
    // The app owns the server, so it decides when this happens: here, before any request arrives.
    routes.ready().await?;
    println!("{routes}");

    let server = HttpServer::new(move || app(routes.clone(), shop.clone()));
    let server = match tls {
        None => server.bind(("127.0.0.1", port))?,
        Some(tls) => server.bind_rustls_0_23(("127.0.0.1", port), tls)?,
    };
    for (address, scheme) in server.addrs_with_scheme() {
        println!("serving {scheme}://{address}");
    }
    Ok(server.run().await?)
}

/// Returns the table of routes, behind a prefix, with the data that its cached handlers need, and
/// with sections. The section that is declared first is the outermost.
fn routes(shop: &Data<Shop>) -> Result<Routes, RoutesError> {
    // All workers share what is made here. The key is new at each start, which ends all sessions.
    let key = Key::generate();
    let attempts = InMemoryBackend::builder().build();
    let routes = Routes::collect()?
        .at("/v1")?
        .configure(shared(shop))
        // Neither of these two decides who may read a response.
        .wrap_open("/[[...rest]]", sections::cors)
        .wrap_open("/[[...rest]]", move || sections::sessions(key.clone()))
        .wrap("/session", move || sections::limited(attempts.clone()))
        .wrap("/admin/[[...rest]]", sections::only_admins)
        .wrap("/account/[[...rest]]", sections::only_customers);
    Ok(routes)
}

/// Makes the app: middleware, services and a not-found page, with the routes among them.
///
/// The middleware here covers all of that. What only the routes need is in their sections.
fn app(
    routes: Routes,
    shop: Data<Shop>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    let logger = Logger::new("%r %s %bB %Dms route=%{route}xo")
        .custom_response_replace("route", matched_pattern);
    App::new()
        .configure(shared(&shop))
        .service(services::health)
        .service(web::scope("/legacy").service(services::old_products))
        .service(routes)
        .default_service(web::to(services::nothing_here))
        .wrap(Compress::default())
        .wrap(services::security_headers())
        .wrap(logger) // The outermost: the last middleware added sees a request first.
}

/// Returns the configuration that the app needs, and the renderers too, because they run cached
/// handlers. Both share one shop.
fn shared(shop: &Data<Shop>) -> impl Fn(&mut ServiceConfig) + Send + Sync + use<> {
    let shop = Data::clone(shop);
    move |config| {
        config.app_data(Data::clone(&shop));
    }
}

/// Returns the pattern for the log: `/v1/products/[number]` rather than each product's path.
fn matched_pattern(response: &ServiceResponse) -> String {
    let extensions = response.request().extensions();
    let matched = extensions.get::<Matched>();
    matched.map_or("-", Matched::pattern).into()
}

#[cfg(test)]
mod tests;
