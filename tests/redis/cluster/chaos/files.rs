//! Faults of a directory of files that instances share.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tests::{Directory, Program};

use super::super::{INSTANCE, eventually};
use super::history::Lost;
use super::scene::{ALL, Kind, Scene};

pub(super) struct BehindFiles {
    directory: Directory,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum FileFault {
    /// No file can become longer than a random length, as on a full disk.
    Full,
    /// The record and the mark are replaced by older copies, each in one step.
    RolledBack,
    /// The record and the mark are overwritten with older copies.
    Overwritten,
    /// The record alone is replaced by an older copy.
    RecordRolledBack,
    /// The last line of the record is cut off.
    LineCutOff,
    /// The mark is removed. Nothing is lost by that.
    MarkRemoved,
    /// The mark alone is replaced by an older copy. Nothing is lost by that.
    MarkRolledBack,
    /// The whole directory is removed, file by file.
    Removed,
    /// The whole directory is moved elsewhere.
    MovedAway,
}

impl BehindFiles {
    pub(super) fn new() -> Self {
        Self {
            directory: Directory::new("chaos"),
        }
    }

    fn cache(&self) -> PathBuf {
        self.directory.join("cache")
    }

    fn record(&self) -> PathBuf {
        self.cache().join("v2/record")
    }

    fn mark(&self) -> PathBuf {
        self.cache().join("v2/mark")
    }

    /// Copies files, and returns the copies. An instance may have to make the files first.
    fn copies(&self, of: &[PathBuf]) -> Vec<PathBuf> {
        let copy = |path: &PathBuf| {
            let copy = self.directory.join("older");
            let copy = copy.with_extension(path.file_name().unwrap_or_default());
            eventually("the file is there", || fs::copy(path, &copy).is_ok());
            copy
        };
        of.iter().map(copy).collect()
    }

    /// Replaces files by copies that were made a while ago.
    fn roll_back(
        &self,
        files: &[PathBuf],
        how: impl Fn(&PathBuf, &PathBuf) -> io::Result<()>,
        scene: &mut Scene,
    ) -> (Instant, Instant) {
        let copied = Instant::now();
        let copies = self.copies(files);
        let length = scene.random.millis(300..2000);
        scene.wait(length);
        let begun = Instant::now();
        for (copy, file) in copies.iter().zip(files) {
            how(copy, file).expect("the file is there");
        }
        (copied, begun)
    }

    /// Cuts off the last line of the record.
    fn cut_line(&self) -> io::Result<()> {
        let text = fs::read(self.record())?;
        let whole = text.strip_suffix(b"\n").unwrap_or(&text);
        let end = whole.iter().rposition(|&byte| byte == b'\n').unwrap_or(0);
        let file = File::options().write(true).open(self.record())?;
        // The first line stays, which names the record.
        file.set_len(end as u64 + 1)
    }
}

impl Kind for BehindFiles {
    type Fault = FileFault;

    const FAULTS: &'static [FileFault] = &[
        FileFault::Full,
        FileFault::Full,
        FileFault::RolledBack,
        FileFault::RolledBack,
        FileFault::Overwritten,
        FileFault::RecordRolledBack,
        FileFault::LineCutOff,
        FileFault::LineCutOff,
        FileFault::MarkRemoved,
        FileFault::MarkRolledBack,
        FileFault::Removed,
        FileFault::MovedAway,
    ];

    fn start(&self, _instance: usize, variables: &[(&str, &str)]) -> Program {
        let cache = self.cache();
        let path = std::env::var("PATH").unwrap_or_default();
        let more = [
            ("ROUTE_CACHE_DIR", cache.to_str().expect("a name of ours")),
            ("PATH", &path),
        ];
        let variables = [variables, &more].concat();
        // The signal of the limit would end the process, which a full disk does not.
        let lenient = r#"trap '' XFSZ; exec "$@""#;
        Program::start("bash", &["-c", lenient, "bash", INSTANCE], &variables)
    }

    fn strike(&mut self, fault: FileFault, scene: &mut Scene) {
        let begun = Instant::now();
        match fault {
            FileFault::Full => {
                let length = fs::metadata(self.record()).map_or(0, |it| it.len());
                // Nothing fits, or no mark, or no further line, or a part of one.
                let longest = scene.random.choose(&[0, 64, length, length + 30]);
                for instance in ALL {
                    limit(scene.program(instance), &longest.to_string());
                }
                scene.say(&format!("no file is longer than {longest} bytes"));
                let length = scene.random.millis(300..2500);
                scene.wait(length);
                for instance in ALL {
                    limit(scene.program(instance), "unlimited");
                }
                scene.trouble(ALL.to_vec(), begun, Duration::ZERO);
            }
            FileFault::RolledBack => {
                let files = [self.record(), self.mark()];
                let (copied, begun) = self.roll_back(&files, |it, to| fs::rename(it, to), scene);
                scene.loss(Lost::Since(copied), begun);
            }
            FileFault::Overwritten => {
                let files = [self.record(), self.mark()];
                let overwrite = |it: &PathBuf, to: &PathBuf| fs::copy(it, to).map(drop);
                let (copied, begun) = self.roll_back(&files, overwrite, scene);
                scene.loss(Lost::Since(copied), begun);
                // An instance may find an empty record, or a part of one.
                scene.trouble(ALL.to_vec(), begun, MOMENT);
            }
            FileFault::RecordRolledBack => {
                let files = [self.record()];
                let (copied, begun) = self.roll_back(&files, |it, to| fs::rename(it, to), scene);
                scene.loss(Lost::Since(copied), begun);
            }
            FileFault::LineCutOff => {
                eventually("the record is there", || self.cut_line().is_ok());
                scene.loss(Lost::Last, begun);
            }
            FileFault::MarkRemoved => {
                // It is there, unless nothing was written since all was removed.
                fs::remove_file(self.mark()).ok();
            }
            FileFault::MarkRolledBack => {
                self.roll_back(&[self.mark()], |it, to| fs::rename(it, to), scene);
            }
            FileFault::Removed => {
                // Instances may add files meanwhile.
                while fs::remove_dir_all(self.cache()).is_err() && self.cache().exists() {
                    thread::sleep(Duration::from_millis(1));
                }
                scene.loss(Lost::All, begun);
                scene.trouble(ALL.to_vec(), begun, MOMENT);
            }
            FileFault::MovedAway => {
                let away = self.directory.join("away");
                fs::remove_dir_all(&away).ok();
                eventually("it is there", || fs::rename(self.cache(), &away).is_ok());
                scene.loss(Lost::All, begun);
                scene.trouble(ALL.to_vec(), begun, MOMENT);
            }
        }
    }

    /// A process that is stopped may hold the lock of the record.
    fn disturbed_by_stopping(_instance: usize) -> Vec<usize> {
        ALL.to_vec()
    }
}

/// The time in which a write that has begun may still fail.
const MOMENT: Duration = Duration::from_secs(1);

/// Limits the length to which a process may write files.
fn limit(program: &Program, longest: &str) {
    let mut limit = Command::new("prlimit");
    let id = program.id().to_string();
    // The colon leaves the hard limit as it is, so that the limit can be raised again.
    limit.args(["--pid", &id, &format!("--fsize={longest}:")]);
    assert!(limit.status().expect("there is a `prlimit`").success());
}
