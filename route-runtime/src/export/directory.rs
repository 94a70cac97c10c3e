//! The directory of an export: what may be replaced, and replacing it at once.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};
use std::{env, process};

use super::{ExportError, MARKER};

/// What the marker says to whoever finds it.
const MARKED: &str =
    "Written by the export of a program's routes, which replaces this directory.\n";

/// A directory beside the one to be written, to become it. Removed if it does not.
pub(super) struct Stage {
    /// The directory to be written, without links.
    target: PathBuf,
    temporary: PathBuf,
}

/// Whether the directory may be written, which is asked before anything is rendered.
pub(super) fn check(directory: &Path, force: bool) -> Result<(), ExportError> {
    let is_ours = |why| ExportError::Directory {
        path: directory.into(),
        why,
    };
    let target = match fs::canonicalize(directory) {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(failed(directory)(source)),
    };
    if !target.is_dir() {
        return Err(is_ours("it is a file"));
    }
    // Whatever is forced: nobody means to replace where they stand.
    let here = env::current_dir().and_then(fs::canonicalize);
    if here.is_ok_and(|here| here.starts_with(&target)) {
        return Err(is_ours("the program runs in it"));
    }
    let mut entries = fs::read_dir(&target).map_err(failed(directory))?;
    let is_export = fs::read_to_string(target.join(MARKER)).is_ok_and(|text| text == MARKED);
    if entries.next().is_some() && !is_export && !force {
        return Err(is_ours("it holds what no export has written"));
    }
    Ok(())
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> ExportError {
    let path = path.to_path_buf();
    |source| ExportError::Io { path, source }
}

impl Stage {
    pub(super) fn open(directory: &Path) -> Result<Self, ExportError> {
        let target = match fs::canonicalize(directory) {
            Ok(target) => target,
            Err(_) => std::path::absolute(directory).map_err(failed(directory))?,
        };
        // A name that is `..` cannot be renamed; it would have been found above.
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(ExportError::Directory {
                path: directory.into(),
                why: "it has no name",
            });
        };
        fs::create_dir_all(parent).map_err(failed(parent))?;
        let name = format!(".{}.new", name.to_string_lossy());
        // Beside it, to be renamed; where that cannot be written to, to be copied.
        let temporary = fresh(parent, &name)
            .or_else(|_| fresh(&env::temp_dir(), &name))
            .map_err(failed(parent))?;
        let stage = Self { target, temporary };
        stage.write(Path::new(MARKER), MARKED.as_bytes())?;
        Ok(stage)
    }

    /// Writes a file that there is not yet.
    pub(super) fn write(&self, file: &Path, content: &[u8]) -> Result<(), ExportError> {
        debug_assert!(
            file.components()
                .all(|part| matches!(part, Component::Normal(_)))
        );
        let path = self.temporary.join(file);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed(file))?;
        }
        File::create_new(&path)
            .and_then(|mut file| file.write_all(content))
            .map_err(failed(file))
    }

    /// Makes it the directory: whoever looks finds the old one or the new one, as far as the
    /// system can.
    pub(super) fn publish(self) -> Result<(), ExportError> {
        if self.target.exists() {
            self.replace()
        } else {
            move_to(&self.temporary, &self.target)
        }
        .map_err(failed(&self.target))
    }

    fn replace(&self) -> io::Result<()> {
        let parent = self.target.parent().unwrap_or(&self.target);
        let old = fresh(parent, ".old-export").and_then(|old| {
            let inside = old.join("export");
            match fs::rename(&self.target, &inside) {
                Ok(()) => Ok((old, inside)),
                Err(error) => {
                    fs::remove_dir(&old).ok();
                    Err(error)
                }
            }
        });
        match old {
            Ok((old, inside)) => {
                let moved = move_to(&self.temporary, &self.target);
                if moved.is_ok() {
                    fs::remove_dir_all(old).ok();
                } else if fs::rename(&inside, &self.target).is_ok() {
                    fs::remove_dir(old).ok();
                }
                moved
            }
            // It cannot be moved, as what is mounted cannot: file by file then.
            Err(_) => {
                for entry in fs::read_dir(&self.target)? {
                    let entry = entry?;
                    if entry.file_type()?.is_dir() {
                        fs::remove_dir_all(entry.path())?;
                    } else {
                        fs::remove_file(entry.path())?;
                    }
                }
                copy(&self.temporary, &self.target)
            }
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // There is none once it is published by renaming.
        fs::remove_dir_all(&self.temporary).ok();
    }
}

/// A directory of its own; never one that somebody else made.
fn fresh(parent: &Path, name: &str) -> io::Result<PathBuf> {
    let mut attempt = 0u32;
    loop {
        let path = parent.join(format!("{name}.{}.{attempt}", process::id()));
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 100 => {
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// By renaming, or from another file system by copying.
fn move_to(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to).or_else(|_| {
        fs::create_dir(to)?;
        copy(from, to)
    })
}

/// What is in a directory of ours: files and directories, no links.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir(&to)?;
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of one test's own.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            Self(fresh(&env::temp_dir(), &format!("route-runtime-{name}")).unwrap())
        }

        fn names(&self, directory: &str) -> Vec<String> {
            let entries = fs::read_dir(self.0.join(directory)).unwrap();
            let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut names: Vec<_> = names.collect();
            names.sort();
            names
        }

        fn publish(&self, directory: &str, file: &str) {
            let directory = self.0.join(directory);
            check(&directory, false).unwrap();
            let stage = Stage::open(&directory).unwrap();
            stage.write(Path::new(file), b"content").unwrap();
            stage.publish().unwrap();
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).ok();
        }
    }

    #[test]
    fn nothing_is_there_before_it_is_published_nor_left_if_it_is_not() {
        let scratch = Scratch::new("unpublished");
        let stage = Stage::open(&scratch.0.join("site")).unwrap();
        stage.write(Path::new("a/b"), b"content").unwrap();
        assert_eq!(scratch.names("").len(), 1);
        assert!(!scratch.0.join("site").exists());
        drop(stage);
        assert_eq!(scratch.names(""), [""; 0]);
    }

    #[test]
    fn a_file_is_written_once() {
        let scratch = Scratch::new("twice");
        let stage = Stage::open(&scratch.0.join("site")).unwrap();
        stage.write(Path::new("a/b"), b"content").unwrap();
        assert!(stage.write(Path::new("a/b"), b"content").is_err());
        assert!(stage.write(Path::new("a/b/c"), b"content").is_err());
        assert!(stage.write(Path::new("a"), b"content").is_err());
    }

    #[test]
    fn what_was_there_is_gone_and_nothing_is_beside_it() {
        let scratch = Scratch::new("replaced");
        scratch.publish("site", "old");
        scratch.publish("site", "new");
        assert_eq!(scratch.names("site"), [MARKER, "new"]);
        assert_eq!(scratch.names(""), ["site"]);
    }

    #[test]
    fn a_directory_is_copied_whole() {
        let scratch = Scratch::new("copied");
        scratch.publish("site", "a/b/c");
        move_to(&scratch.0.join("none"), &scratch.0.join("other")).unwrap_err();
        fs::create_dir(scratch.0.join("copy")).unwrap();
        copy(&scratch.0.join("site"), &scratch.0.join("copy")).unwrap();
        assert_eq!(scratch.names("copy"), [MARKER, "a"]);
        assert_eq!(scratch.names("copy/a/b"), ["c"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_to_the_directory_and_not_out_of_it() {
        use std::os::unix::fs::symlink;

        let scratch = Scratch::new("links");
        scratch.publish("site", "old");
        fs::create_dir(scratch.0.join("precious")).unwrap();
        fs::write(scratch.0.join("precious/file"), "").unwrap();
        symlink(scratch.0.join("precious"), scratch.0.join("site/out")).unwrap();
        symlink(scratch.0.join("site"), scratch.0.join("link")).unwrap();
        scratch.publish("link", "new");
        assert_eq!(scratch.names("site"), [MARKER, "new"]);
        assert_eq!(scratch.names("precious"), ["file"]);
        assert!(scratch.0.join("link").is_symlink());
    }
}
