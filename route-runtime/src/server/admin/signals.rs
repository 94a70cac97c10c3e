//! The signals that end a server.

#[cfg(unix)]
use std::future::poll_fn;
#[cfg(unix)]
use std::task::Poll;

#[cfg(unix)]
use actix_web::rt::signal::unix::{self, SignalKind};

/// A signal that was sent to the process, and that actix-web's server obeys.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signal {
    /// The server finishes the requests that it is serving.
    pub(super) is_graceful: bool,
}

/// The signals that the process is sent. Listening to them takes none away from actix-web.
#[cfg(unix)]
pub(super) struct Signals(Vec<(Signal, unix::Signal)>);

#[cfg(unix)]
impl Signals {
    /// Listens from now on.
    pub(super) fn new() -> Self {
        let kinds = [
            (SignalKind::terminate(), true),
            (SignalKind::interrupt(), false),
            (SignalKind::quit(), false),
        ];
        let listening = kinds.into_iter().filter_map(|(kind, is_graceful)| {
            // actix-web logs why a signal cannot be listened to.
            let stream = unix::signal(kind).ok()?;
            Some((Signal { is_graceful }, stream))
        });
        Self(listening.collect())
    }

    /// Waits for the next signal.
    pub(super) async fn next(&mut self) -> Signal {
        poll_fn(|context| {
            for (signal, stream) in &mut self.0 {
                if stream.poll_recv(context).is_ready() {
                    return Poll::Ready(*signal);
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// The signals that the process is sent: Ctrl-C.
#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Makes a listener, which listens once it is awaited.
    pub(super) fn new() -> Self {
        Self
    }

    /// Waits for Ctrl-C.
    pub(super) async fn next(&mut self) -> Signal {
        if actix_web::rt::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal { is_graceful: false }
    }
}
