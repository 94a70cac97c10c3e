//! The start of an actix-web server, whatever the type of its app.

use std::net::SocketAddr;

use actix_web::body::MessageBody;
use actix_web::{App, HttpServer, dev};

use super::request_log::with_request_log;
use super::settings::Listen;
use super::{SHUTDOWN, ServeError};
use crate::mode::Mode;
use crate::routes::{AppFactory, Given, Routes};

/// A function that starts an actix-web server. It hides the type of the app that
/// [`Server::app`](super::Server::app) was given.
pub(super) type Launch = Box<dyn FnOnce(Routes, &Listen) -> Result<Launched, ServeError>>;

/// A server that listens, but has not begun to serve.
pub(super) struct Launched {
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) server: dev::Server,
    /// The routes that the apps are given, and what is wrong with those that they mount.
    pub(super) given: Given,
}

/// Makes the function that starts a server of this app.
pub(super) fn launch<F, T, B>(app: F) -> Launch
where
    F: Fn(Routes) -> App<T> + Clone + Send + 'static,
    T: AppFactory<B>,
    B: MessageBody + 'static,
{
    Box::new(move |routes, listen| {
        let given = Given::of(&routes);
        let setup = routes.served.setup.clone();
        let (mode, clock) = (setup.mode, setup.clock.clone());
        let configured = {
            let given = given.clone();
            move || {
                given.give();
                app(routes.clone()).configure(|config| {
                    setup.data.configure(config);
                    setup
                        .configure
                        .iter()
                        .for_each(|configure| configure(config));
                })
            }
        };
        let (addresses, server) = match mode {
            Mode::Production => start(configured, listen),
            Mode::Development => start(
                move || with_request_log(configured(), clock.clone()),
                listen,
            ),
        }?;
        Ok(Launched {
            addresses,
            server,
            given,
        })
    })
}

/// Starts a server of this app. A server without the request log is of another type, so in
/// production no request even asks whether there is one.
fn start<F, T, B>(app: F, listen: &Listen) -> Result<(Vec<SocketAddr>, dev::Server), ServeError>
where
    F: Fn() -> App<T> + Clone + Send + 'static,
    T: AppFactory<B>,
    B: MessageBody + 'static,
{
    let mut server = HttpServer::new(app).shutdown_timeout(SHUTDOWN.as_secs());
    if let Some(workers) = listen.workers {
        server = server.workers(workers.get());
    }
    let server = server
        .bind(&listen.address)
        .map_err(|source| ServeError::Bind {
            address: listen.address.clone(),
            source,
        })?;
    Ok((server.addrs(), server.run()))
}
