//! The app that each instance runs.

use std::env;
use std::error::Error;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{process, thread};

use route_runtime::{RevalidateError, Server, revalidate_tag, route};

/// The number of renders in this instance.
static RENDERS: AtomicU32 = AtomicU32::new(0);

/// The news about a topic. One instance renders it, and all serve it for an hour.
#[route("/news/[topic]", revalidate = 3600, tags = ["news"])]
async fn news(topic: String) -> String {
    let number = RENDERS.fetch_add(1, Ordering::Relaxed) + 1;
    format!("{topic}: render {number} of {}\n", name())
}

/// Invalidates all news, on every instance.
#[route(POST, "/news")]
async fn write() -> Result<String, RevalidateError> {
    revalidate_tag("news").await?;
    Ok(format!("invalidated by {}\n", name()))
}

/// Reports how many renders this instance has made.
#[route("/renders", dynamic = "force-dynamic")]
async fn renders() -> String {
    format!("{} rendered {}\n", name(), RENDERS.load(Ordering::Relaxed))
}

/// Reports the name of this instance.
#[route("/name", dynamic = "force-dynamic")]
async fn instance() -> String {
    name() + "\n"
}

fn name() -> String {
    env::var("INSTANCE").unwrap_or_else(|_| "an instance".into())
}

/// Serves until standard input is closed. The parent process closes it to end this one, or does so
/// by dying.
pub(crate) async fn serve() -> Result<(), Box<dyn Error>> {
    thread::spawn(|| {
        io::copy(&mut io::stdin(), &mut io::sink()).ok();
        process::exit(0);
    });
    Ok(Server::new().args([]).run().await?)
}
