//! The app, as each of its instances runs it.

use std::env;
use std::error::Error;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{process, thread};

use route_runtime::{RevalidateError, Server, revalidate_tag, route};

/// How many renders there were here.
static RENDERS: AtomicU32 = AtomicU32::new(0);

/// Kept for an hour by all, rendered by one.
#[route("/news/[topic]", revalidate = 3600, tags = ["news"])]
async fn news(topic: String) -> String {
    let number = RENDERS.fetch_add(1, Ordering::Relaxed) + 1;
    format!("{topic}: render {number} of {}\n", name())
}

/// Throws all news away, on every instance.
#[route(POST, "/news")]
async fn write() -> Result<String, RevalidateError> {
    revalidate_tag("news").await?;
    Ok(format!("thrown away by {}\n", name()))
}

/// Of the instance that is asked.
#[route("/renders", dynamic = "force-dynamic")]
async fn renders() -> String {
    format!("{} rendered {}\n", name(), RENDERS.load(Ordering::Relaxed))
}

/// Who answers.
#[route("/name", dynamic = "force-dynamic")]
async fn instance() -> String {
    name() + "\n"
}

fn name() -> String {
    env::var("INSTANCE").unwrap_or_else(|_| "an instance".into())
}

/// Serves until whoever started it closes its standard input, by dying at the latest.
pub(crate) async fn serve() -> Result<(), Box<dyn Error>> {
    thread::spawn(|| {
        io::copy(&mut io::stdin(), &mut io::sink()).ok();
        process::exit(0);
    });
    Ok(Server::new().args([]).run().await?)
}
