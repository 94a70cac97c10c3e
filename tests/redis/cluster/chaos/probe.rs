//! A measurement of the machine: while its disk or its processors are busy with something else,
//! nothing can be recorded in time, and that is nobody's fault.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tests::Directory;

/// The pause between two measurements.
const PAUSE: Duration = Duration::from_millis(20);

/// The time for a write, and a pause, from which the machine counts as slow. Three instances write in
/// turn, and each waits for its turn for half a second at most.
const SLOW: Duration = Duration::from_millis(150);

/// A thread that writes to the disk as a store does, again and again, and measures how long that
/// takes.
pub(super) struct Probe {
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<(Instant, Instant)>>>,
}

impl Probe {
    pub(super) fn start() -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let shared = Arc::clone(&ends);
        let thread = thread::spawn(move || measure(&shared));
        Self {
            ends,
            thread: Some(thread),
        }
    }

    /// Returns the times in which the machine was slow.
    pub(super) fn end(&mut self) -> Vec<(Instant, Instant)> {
        self.ends.store(true, Ordering::SeqCst);
        let thread = self.thread.take().expect("it ends once");
        thread.join().expect("the disk can be written")
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
    }
}

fn measure(ends: &AtomicBool) -> Vec<(Instant, Instant)> {
    let directory = Directory::new("chaos-probe");
    let mut record = File::create(directory.join("record")).expect("the disk can be written");
    let mut slow = Vec::new();
    while !ends.load(Ordering::SeqCst) {
        let begun = Instant::now();
        write(&directory, &mut record).expect("the disk can be written");
        thread::sleep(PAUSE);
        if begun.elapsed() > SLOW {
            slow.push((begun, Instant::now()));
        }
    }
    slow
}

/// Adds to a file that has to be on the disk, and replaces one that may get there later. One may be
/// slow while the other is not.
fn write(directory: &Directory, record: &mut File) -> io::Result<()> {
    record.write_all(b".")?;
    record.sync_data()?;
    let draft = directory.join("draft");
    fs::write(&draft, "an entry")?;
    fs::rename(draft, directory.join("entry"))
}
