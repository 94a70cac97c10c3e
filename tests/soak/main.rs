//! A load of everything at once, for hours. The program fails if something is lost, hangs or leaks.
//!
//! `cargo run --release -p tests --bin soak` runs for `SOAK_SECONDS`, ten minutes by default. A
//! server in a process of its own renders, refreshes, evicts, fails, panics and exceeds time
//! limits, for clients that read, write and hang up. Each client knows which version of a resource
//! had been written when its request began: an older response means that an invalidation was lost.

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use tests::{Connection, Program};

mod client;
mod server;

use client::{Client, Figures, Shared};

/// The number of resources that are written.
const ITEMS: usize = 64;

/// The number of clients that send requests at once.
const CLIENTS: u64 = 8;

/// The amount by which memory may grow after the first third. An allocator's fragments stay below
/// it; a leak of one small value for each request does not.
const GROWTH_KB: u64 = 16 * 1024;

/// The number of additional connections that may be open when all clients have left.
const FILES: u64 = 8;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("server") {
        server::run();
        return ExitCode::SUCCESS;
    }
    let seconds = std::env::var("SOAK_SECONDS").ok();
    let seconds = seconds.map_or(600, |it| it.parse().expect("SOAK_SECONDS is a number"));
    let program = std::env::current_exe().expect("a program has a path");
    let program = program.to_str().expect("its path is text");
    let mut server = Program::start(program, &["server"], &[]);
    let address = server.address();

    let start = Instant::now();
    let length = Duration::from_secs(seconds);
    let shared = &Shared::new(address, start + length);
    let state = || State::of(&mut Connection::open(address));
    // The first render and the first fetch open files that stay open, and happen before the count.
    Connection::open(address).ask("GET /soak/data/0 HTTP/1.1");
    let before = state();
    let (figures, warm) = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| scope.spawn(move || Client::new(shared, number).run()))
            .collect();
        thread::sleep(length / 3);
        let warm = state();
        let figures: Option<Vec<_>> = clients.into_iter().map(|it| it.join().ok()).collect();
        (figures, warm)
    });
    let Some(figures) = figures else {
        eprintln!("soak: a client found a fault");
        return ExitCode::FAILURE;
    };
    let after = settled(&before, state);
    print(&figures, [&before, &warm, &after], start.elapsed());

    server.signal("INT");
    let ended = server.end();
    for (is_well, what) in [
        (after.running == 0, "handlers still run"),
        (
            after.files <= before.files + FILES,
            "connections are still open",
        ),
        (after.memory <= warm.memory + GROWTH_KB, "memory grows"),
        (ended.code == Some(0), "the server does not end cleanly"),
    ] {
        if !is_well {
            eprintln!("soak: {what}\n{}", ended.stderr);
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// The figures that the server reports about itself.
struct State {
    memory: u64,
    files: u64,
    running: u64,
    renders: u64,
    counted: String,
}

impl State {
    fn of(connection: &mut Connection) -> Self {
        let response = connection.ask("GET /soak/state HTTP/1.1");
        let mut lines = response.text().lines();
        let mut number = || lines.next()?.parse().ok();
        let [memory, files, running, renders] = [(); 4].map(|()| number().expect("a number"));
        let counted = lines.collect::<Vec<_>>().join(" ");
        Self {
            memory,
            files,
            running,
            renders,
            counted,
        }
    }
}

/// Waits until nothing happens any more and idle connections are closed, but a minute at most.
fn settled(before: &State, state: impl Fn() -> State) -> State {
    let start = Instant::now();
    let mut last = state();
    loop {
        thread::sleep(Duration::from_secs(1));
        let now = state();
        let is_still = now.running == 0 && now.renders == last.renders;
        let is_closed = now.files <= before.files + FILES;
        if is_still && is_closed || start.elapsed() > Duration::from_secs(60) {
            return now;
        }
        last = now;
    }
}

fn print(figures: &[Figures], [before, warm, after]: [&State; 3], took: Duration) {
    let sum = |of: fn(&Figures) -> u64| figures.iter().map(of).sum::<u64>();
    let slowest = figures
        .iter()
        .map(|it| it.slowest)
        .max()
        .unwrap_or_default();
    println!("{} s, {CLIENTS} clients", took.as_secs());
    println!("requests      {}", sum(|it| it.requests));
    println!("invalidations {}, none lost", sum(|it| it.writes));
    println!("reads checked {}", sum(|it| it.reads));
    println!("failures      {}, as asked for", sum(|it| it.failures));
    println!("hang-ups      {}", sum(|it| it.hang_ups));
    println!("slowest       {} ms", slowest.as_millis());
    println!(
        "memory        {} KB, {} KB warm, {} KB",
        before.memory, warm.memory, after.memory
    );
    println!("files         {}, {} at the end", before.files, after.files);
    println!("running       {} at the end", after.running);
    println!("cache         {}", after.counted);
}
