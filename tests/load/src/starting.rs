//! Measures starting with a full store.

use std::fs;
use std::io;

use super::process::{Process, pinned};
use super::servers::stored::{DIRECTORY, ENTRIES};
use super::table::{Goal, Table};

pub(crate) fn table() -> io::Result<Table> {
    let directory = std::env::temp_dir().join(format!("load.store.{}", std::process::id()));
    let start = || {
        let mut command = pinned(std::env::current_exe()?);
        command.env(DIRECTORY, &directory);
        Process::of_ours(command, "stored")
    };
    let rendered = start()?.cpu_since_start()?;
    // The first server has ended in order, and so has written everything.
    let server = start()?;
    let found = server.cpu_since_start()?;
    drop(server);
    fs::remove_dir_all(&directory)?;
    let mut table = Table::new("start-up");
    let seconds = found.as_secs_f64();
    table.row(
        format!("to serve, with {ENTRIES} responses in files, beside rendering them"),
        format!("{seconds:.2} s of CPU, {:.2} s", rendered.as_secs_f64()),
        seconds / rendered.as_secs_f64(),
        Goal::at_most(seconds, 1.0),
    );
    Ok(table)
}
