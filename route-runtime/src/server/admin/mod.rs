//! The admin listener: a second address, for operators alone.

mod operations;
mod secret;
mod signals;

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::{io, thread};

use actix_service::fn_service;
use actix_web::dev::{self, ServerHandle, ServiceRequest};
use actix_web::rt::System;
use actix_web::{App, Error, HttpServer};
use futures_util::future::{Either, select};
use tokio::sync::oneshot;

use self::operations::Operations;
use self::secret::Secret;
use self::signals::Signals;
use super::setting::{Settings, Sources};
use super::settings::Program;
use super::{SHUTDOWN, ServeError, first_poll};
use crate::routes::Routes;
use crate::target;

/// The settings of the admin listener.
#[derive(Debug)]
pub(super) struct Admin {
    address: String,
    /// The secret that authorises operators. Without one, they can only ask for the health.
    secret: Option<Secret>,
}

impl Admin {
    /// Returns the settings, or `None` if there is to be no admin listener. The secret is read only
    /// if there is.
    pub(super) fn settle(typed: &Settings, program: &Program) -> Result<Option<Self>, ServeError> {
        let sources = Sources {
            typed,
            program: &program.settings,
        };
        let Some(address) = sources.admin()? else {
            return Ok(None);
        };
        let secret = Secret::from_env()?;
        Ok(Some(Self { address, secret }))
    }

    /// Listens on the address.
    pub(super) async fn listen(self, routes: Routes) -> Result<AdminListener, ServeError> {
        let operations = Arc::new(Operations::new(routes, self.secret));
        let answering = Arc::clone(&operations);
        let server = HttpServer::new(move || {
            let operations = Arc::clone(&answering);
            App::new().default_service(fn_service(move |request: ServiceRequest| {
                let operations = Arc::clone(&operations);
                async move { Ok::<_, Error>(operations.answer(request).await) }
            }))
        });
        let server = server
            .workers(1)
            .disable_signals()
            .shutdown_timeout(SHUTDOWN.as_secs())
            .bind(&self.address)
            .map_err(|source| ServeError::BindAdmin {
                address: self.address,
                source,
            })?;
        let addresses = server.addrs();
        let server = server.run();
        let handle = server.handle();
        start(server).await.map_err(ServeError::Io)?;
        Ok(AdminListener {
            addresses,
            operations,
            handle,
            signals: Signals::new(),
            is_graceful: true,
        })
    }
}

/// Starts the server of the admin listener, on a thread of its own. The thread has an actix system
/// of its own, too: when a signal ends the main server, actix-web stops the system of that server at
/// once, and what operators have asked for would be cut off.
async fn start(server: dev::Server) -> io::Result<()> {
    let (started, start) = oneshot::channel();
    let run = async move {
        let mut server = pin!(server);
        let first = first_poll(server.as_mut()).await;
        let failed = match first {
            Poll::Ready(ended) => {
                started.send(ended).ok();
                return;
            }
            Poll::Pending => {
                started.send(Ok(())).ok();
                server.await
            }
        };
        if let Err(error) = failed {
            tracing::error!(target: target::ROUTES, %error, "the admin listener failed");
        }
    };
    let thread = thread::Builder::new().name("route-admin".into());
    thread.spawn(|| System::new().block_on(run))?;
    let ended = |_| io::Error::other("the thread of the admin listener ended");
    start.await.map_err(ended)?
}

/// The admin listener, which answers until it is stopped or dropped.
pub(super) struct AdminListener {
    pub(super) addresses: Vec<SocketAddr>,
    operations: Arc<Operations>,
    handle: ServerHandle,
    signals: Signals,
    /// Requests are answered before the listener stops. Clear after a signal that ends the main
    /// server at once.
    is_graceful: bool,
}

impl AdminListener {
    /// Awaits the main server. From the moment when it is told to end, operators learn that it is
    /// shutting down.
    pub(super) async fn beside<S: Future + Unpin>(&mut self, server: S) -> S::Output {
        let Self {
            operations,
            signals,
            is_graceful,
            ..
        } = self;
        match select(server, pin!(signals.next())).await {
            Either::Left((ended, _)) => {
                operations.end();
                ended
            }
            Either::Right((signal, server)) => {
                operations.end();
                *is_graceful = signal.is_graceful;
                server.await
            }
        }
    }

    /// Stops listening, and waits for the requests that are being answered.
    pub(super) async fn stop(self) {
        self.handle.stop(self.is_graceful).await;
    }
}

impl Drop for AdminListener {
    fn drop(&mut self) {
        // `stop` sends the command when it is called, so its future need not be awaited.
        drop(self.handle.stop(false));
    }
}
