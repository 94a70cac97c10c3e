//! Measures what a request costs in instructions. Neither the machine's speed nor its load matter.
//!
//! Each server runs under callgrind twice, with two numbers of requests. The cost of starting up
//! drops out of the difference.

use std::io;
use std::process::Command;

use super::client::{self, Request, Until};
use super::process::{self, Process};
use super::servers::ETAG;
use super::table::{Goal, Table, grouped};

/// The numbers of requests in the two runs.
const FEW: u64 = 1000;
const MANY: u64 = 6000;

/// The part by which two counts of the same may differ: timers fire, and reads come in pieces.
const NOISE: f64 = 0.02;

/// A request that is measured, and the rows that it is compared with.
struct Measured {
    what: &'static str,
    server: &'static str,
    request: Request,
    goals: Vec<(What, f64)>,
}

/// The name of a row, with which later rows are compared.
type What = &'static str;

const BARE: What = "actix-http alone, the bytes of a hit";
const DEFAULT: What = "actix-web, `default_service` alone, the same bytes";
const PLAIN: What = "actix-web, `App::route`, the bytes of a hit";
const EXTRACTED: What = "actix-web, `App::route`, `web::Path`";
const HIT: What = "a hit";
const TEXT: What = "a hit of 2 KB, with `Accept-Encoding`";

fn measured() -> Vec<Measured> {
    let post = || Request::get("/posts/7");
    let row = |what, server, request, goals: &[_]| Measured {
        what,
        server,
        request,
        goals: goals.to_vec(),
    };
    let accepting = |encoding| {
        let header = format!("Accept-Encoding: {encoding}\r\n");
        Request::new("GET", "/texts/7", &header)
    };
    let unchanged = format!("If-None-Match: {ETAG}\r\n");
    let flat = 1.0 + NOISE;
    vec![
        row(BARE, "actix-http", post(), &[]),
        row(DEFAULT, "default-service", post(), &[]),
        row(PLAIN, "actix-web", post(), &[]),
        row(HIT, "0", post(), &[(PLAIN, 1.0), (BARE, 1.15)]),
        row("a hit, beside 60 patterns", "60", post(), &[(HIT, flat)]),
        row("a hit, beside 1000", "1000", post(), &[(HIT, flat)]),
        row("a hit, beside 10 000", "10000", post(), &[(HIT, flat)]),
        row(
            "a hit of a route without parameters",
            "0",
            Request::get("/about"),
            &[(HIT, flat)],
        ),
        row(
            "304",
            "0",
            Request::new("GET", "/posts/7", &unchanged).answered("304"),
            &[(HIT, flat)],
        ),
        row(
            "HEAD",
            "0",
            Request::new("HEAD", "/posts/7", ""),
            &[(HIT, flat)],
        ),
        row(TEXT, "0", accepting("identity"), &[]),
        row(
            "the same, compressed before",
            "0",
            accepting("br"),
            &[(TEXT, flat)],
        ),
        row(EXTRACTED, "actix-web", Request::get("/items/7"), &[]),
        row(
            "a dynamic route with one parameter",
            "0",
            Request::get("/items/7"),
            &[(EXTRACTED, 1.05)],
        ),
    ]
}

pub(crate) fn table() -> io::Result<Table> {
    let mut table = Table::new("one request, instructions");
    let mut counts: Vec<(What, f64)> = Vec::new();
    for Measured {
        what,
        server,
        request,
        goals,
    } in measured()
    {
        let few = instructions(server, &request, FEW)?;
        let many = instructions(server, &request, MANY)?;
        let each = many.saturating_sub(few) as f64 / (MANY - FEW) as f64;
        counts.push((what, each));
        let ratio = |to| {
            let found = counts.iter().find(|(what, _)| *what == to);
            found.map(|(_, count)| each / count)
        };
        if goals.is_empty() {
            table.row(what, grouped(each), None, None);
        }
        for (index, (to, most)) in goals.into_iter().enumerate() {
            let what = if index == 0 { what } else { "" };
            let figure = match index {
                0 => format!("{}, beside {to}", grouped(each)),
                _ => format!("beside {to}"),
            };
            let ratio = ratio(to);
            let goal = ratio.map(|ratio| Goal::at_most(ratio, most));
            table.row(what, figure, ratio, goal);
        }
    }
    Ok(table)
}

/// Serves this many requests under callgrind. Returns how many instructions that took in all.
fn instructions(server: &str, request: &Request, requests: u64) -> io::Result<u64> {
    if !process::is_installed("valgrind") {
        return Err(io::Error::other(
            "this wants `valgrind`, which is not installed",
        ));
    }
    let out = std::env::temp_dir().join(format!("callgrind.{}", std::process::id()));
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--quiet", "--log-file=/dev/null"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe()?);
    let server = Process::of_ours(command, server)?;
    let asked = std::slice::from_ref(request);
    client::load(server.address, asked, 1, Until::Each(requests))?;
    server.finish()?;
    let profile = std::fs::read_to_string(&out)?;
    std::fs::remove_file(&out)?;
    profile
        .lines()
        .find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok())
        .ok_or_else(|| io::Error::other("callgrind counted nothing"))
}
