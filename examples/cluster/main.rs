//! Three instances of one app behind one Redis, on this machine.
//!
//! Without arguments, the program starts the three instances as child processes and shows what they
//! share. `ROUTE_CACHE_URL` names the Redis; without it, the program starts a `redis-server` of its
//! own. `PORT` is the port of the first instance (3001 by default; 0 for any free ports).

mod app;
mod launch;
mod show;

use std::env;
use std::error::Error;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use actix_web::rt::{signal, time};
use futures_util::future::{Either, select};

use crate::launch::Cluster;

#[actix_web::main]
async fn main() -> ExitCode {
    let ended = match env::args().nth(1).as_deref() {
        None => launch().await,
        Some("instance") => app::serve().await,
        Some(other) => Err(format!("unknown argument `{other}`: there is none").into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cluster: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the cluster until it fails or a signal arrives. Either way the cluster is dropped, which
/// ends everything that was started.
async fn launch() -> Result<(), Box<dyn Error>> {
    match select(pin!(told_to_end()), pin!(run())).await {
        Either::Left((told, _)) => Ok(told?),
        Either::Right((ended, _)) => ended,
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let mut cluster = Cluster::start().await?;
    println!("one cache: {}\n", cluster.cache());
    show::show(&cluster.urls()).await?;
    println!();
    for url in cluster.urls() {
        println!("serving {url}");
    }
    loop {
        cluster.check()?;
        time::sleep(Duration::from_millis(200)).await;
    }
}

/// Waits for Ctrl-C or SIGTERM.
async fn told_to_end() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
        match select(pin!(signal::ctrl_c()), pin!(terminate.recv())).await {
            Either::Left((told, _)) => told,
            Either::Right(_) => Ok(()),
        }
    }
    #[cfg(not(unix))]
    signal::ctrl_c().await
}
