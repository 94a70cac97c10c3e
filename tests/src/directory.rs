//! Directories that programs and exports write to.

use std::path::{Path, PathBuf};
use std::{env, fs, process};

use crate::{Ended, Program};

/// A directory for one test. It is empty at first, and removed when it is dropped.
#[derive(Debug)]
pub struct Directory(PathBuf);

impl Directory {
    /// Creates a directory for this test and this process, since another run may be going on.
    ///
    /// # Panics
    ///
    /// If the directory cannot be created.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let name = format!("route-runtime-{name}-{}", process::id());
        let path = env::temp_dir().join(name);
        fs::remove_dir_all(&path).ok();
        fs::create_dir_all(&path).expect("a place for what a test writes");
        Self(path)
    }

    /// Returns the path of the directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Returns the path of a file in the directory.
    #[must_use]
    pub fn join(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }

    /// Runs a program in the directory, and waits for its end.
    #[must_use]
    pub fn run(&self, program: &str, arguments: &str, environment: &[(&str, &str)]) -> Ended {
        let arguments: Vec<_> = arguments.split_whitespace().collect();
        Program::start_in(&self.0, program, &arguments, environment).end()
    }

    /// Returns the text of a file.
    ///
    /// # Panics
    ///
    /// If the file does not exist or is not text.
    #[must_use]
    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.join(file)).expect("a text")
    }

    /// Returns the paths of all files below a folder of the directory, sorted.
    ///
    /// # Panics
    ///
    /// If the folder does not exist.
    #[must_use]
    pub fn files(&self, folder: &str) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![self.join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("a file").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let file = path.strip_prefix(&self.0).expect("it is in here");
                    files.push(file.to_str().expect("a name of ours").to_owned());
                }
            }
        }
        files.sort();
        files
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}
