//! Measures what this project costs, beside other servers that do the same, and beside its goals.
//!
//! `cargo run --release -p load` measures everything and prints tables in Markdown. With names of
//! parts (`instructions`, `peers`, …) as arguments, it measures only those. It fails if a goal is
//! missed. The part `cold` needs the feature `redis` and a `redis-server`.

use std::io;
use std::process::ExitCode;

mod chart;
mod client;
#[cfg(feature = "redis")]
mod cold;
mod compile;
mod fairness;
mod instructions;
mod memory;
mod peers;
mod process;
mod refreshes;
mod servers;
mod starting;
mod table;

use table::Table;

/// A part: its name, and the function that measures it.
type Part = (&'static str, fn() -> io::Result<Table>);

const PARTS: &[Part] = &[
    ("instructions", instructions::table),
    ("peers", peers::table),
    ("refreshes", refreshes::table),
    ("fairness", fairness::table),
    ("memory", memory::table),
    ("start", starting::table),
    ("compile", compile::table),
    #[cfg(feature = "redis")]
    ("cold", cold::table),
];

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let result = match &*arguments {
        [command, name] if command == "server" => servers::run(name).map(|()| 0),
        names => measure(names),
    };
    match result {
        Ok(0) => ExitCode::SUCCESS,
        Ok(missed) => {
            eprintln!("{missed} of the goals were missed");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the table of each named part, or of all parts. Returns how many goals were missed.
fn measure(names: &[String]) -> io::Result<usize> {
    let is_part = |name: &&String| PARTS.iter().any(|(part, _)| part == name);
    if let Some(unknown) = names.iter().find(|name| !is_part(name)) {
        let parts: Vec<_> = PARTS.iter().map(|&(part, _)| part).collect();
        let parts = parts.join(", ");
        let message = format!("there is no `{unknown}` to measure; there are {parts}");
        return Err(io::Error::other(message));
    }
    process::allow_connections()?;
    process::pin_clients()?;
    let mut missed = 0;
    for &(part, table) in PARTS {
        if names.is_empty() || names.iter().any(|name| name == part) {
            let table = table()?;
            println!("{table}");
            missed += table.missed();
        }
    }
    Ok(missed)
}
