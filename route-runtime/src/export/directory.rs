//! The directory of an export: which directories may be replaced, and how one is replaced at once.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};
use std::{env, process};

use super::{ExportError, MARKER};

/// The text of the marker file, for people who find it.
const MARKED: &str =
    "Written by the export of a program's routes, which replaces this directory.\n";

/// A temporary directory that becomes the target directory. If it does not, it is removed.
pub(super) struct Stage {
    /// The target directory, with links resolved.
    target: PathBuf,
    temporary: PathBuf,
}

/// Checks that the directory may be written or replaced. This is done before anything is rendered.
pub(super) fn check(directory: &Path, force: bool) -> Result<(), ExportError> {
    let refused = |why| ExportError::Directory {
        path: directory.into(),
        why,
    };
    let target = match fs::canonicalize(directory) {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(io_error(directory)(source)),
    };
    if !target.is_dir() {
        return Err(refused("it is a file"));
    }
    // `force` does not lift this: nobody means to replace the directory they are in.
    let here = env::current_dir().and_then(fs::canonicalize);
    if here.is_ok_and(|here| here.starts_with(&target)) {
        return Err(refused("the program runs in it"));
    }
    let mut entries = fs::read_dir(&target).map_err(io_error(directory))?;
    let is_export = fs::read_to_string(target.join(MARKER)).is_ok_and(|text| text == MARKED);
    if entries.next().is_some() && !is_export && !force {
        return Err(refused("it holds what no export has written"));
    }
    Ok(())
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> ExportError {
    let path = path.to_path_buf();
    |source| ExportError::Io { path, source }
}

impl Stage {
    pub(super) fn open(directory: &Path) -> Result<Self, ExportError> {
        let target = match fs::canonicalize(directory) {
            Ok(target) => target,
            Err(_) => std::path::absolute(directory).map_err(io_error(directory))?,
        };
        // A path that ends in `..` has no name to rename to. If it existed, `canonicalize` would
        // have resolved it.
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(ExportError::Directory {
                path: directory.into(),
                why: "it has no name",
            });
        };
        fs::create_dir_all(parent).map_err(io_error(parent))?;
        let name = format!(".{}.new", name.to_string_lossy());
        // Beside the target, so that it can be renamed. If the parent cannot be written to, it is
        // made in the system's temporary directory, and copied.
        let temporary = create_unique(parent, &name)
            .or_else(|_| create_unique(&env::temp_dir(), &name))
            .map_err(io_error(parent))?;
        let stage = Self { target, temporary };
        stage.write(Path::new(MARKER), MARKED.as_bytes())?;
        Ok(stage)
    }

    /// Writes a file. Fails if the file exists already.
    pub(super) fn write(&self, file: &Path, content: &[u8]) -> Result<(), ExportError> {
        debug_assert!(
            file.components()
                .all(|part| matches!(part, Component::Normal(_)))
        );
        let path = self.temporary.join(file);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(io_error(file))?;
        }
        File::create_new(&path)
            .and_then(|mut file| file.write_all(content))
            .map_err(io_error(file))
    }

    /// Puts the temporary directory in the place of the target. Readers see either the old
    /// directory or the new one, as far as the file system allows.
    pub(super) fn publish(self) -> Result<(), ExportError> {
        if self.target.exists() {
            self.replace()
        } else {
            move_to(&self.temporary, &self.target)
        }
        .map_err(io_error(&self.target))
    }

    fn replace(&self) -> io::Result<()> {
        let parent = self.target.parent().unwrap_or(&self.target);
        let old = create_unique(parent, ".old-export").and_then(|old| {
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
            // The target cannot be moved, for example because it is a mount point: its content is
            // replaced file by file.
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
        // After publishing by renaming there is nothing to remove, and the error is ignored.
        fs::remove_dir_all(&self.temporary).ok();
    }
}

/// Creates a new directory, and never uses one that exists already.
fn create_unique(parent: &Path, name: &str) -> io::Result<PathBuf> {
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

/// Moves a directory by renaming it, or copies it if it is on another file system.
fn move_to(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to).or_else(|_| {
        fs::create_dir(to)?;
        copy(from, to)
    })
}

/// Copies the content of a directory that an export has written, which holds files and directories
/// but no links.
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

    /// A temporary directory for one test.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            Self(create_unique(&env::temp_dir(), &format!("route-runtime-{name}")).unwrap())
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
    fn an_unpublished_stage_makes_no_target_and_leaves_nothing_behind() {
        let scratch = Scratch::new("unpublished");
        let stage = Stage::open(&scratch.0.join("site")).unwrap();
        stage.write(Path::new("a/b"), b"content").unwrap();
        assert_eq!(scratch.names("").len(), 1);
        assert!(!scratch.0.join("site").exists());
        drop(stage);
        assert_eq!(scratch.names(""), [""; 0]);
    }

    #[test]
    fn a_path_that_is_taken_cannot_be_written_again() {
        let scratch = Scratch::new("twice");
        let stage = Stage::open(&scratch.0.join("site")).unwrap();
        stage.write(Path::new("a/b"), b"content").unwrap();
        assert!(stage.write(Path::new("a/b"), b"content").is_err());
        assert!(stage.write(Path::new("a/b/c"), b"content").is_err());
        assert!(stage.write(Path::new("a"), b"content").is_err());
    }

    #[test]
    fn publishing_replaces_an_earlier_export_and_leaves_nothing_beside_it() {
        let scratch = Scratch::new("replaced");
        scratch.publish("site", "old");
        scratch.publish("site", "new");
        assert_eq!(scratch.names("site"), [MARKER, "new"]);
        assert_eq!(scratch.names(""), ["site"]);
    }

    #[test]
    fn a_directory_is_copied_with_its_subdirectories() {
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
    fn a_link_to_the_target_is_followed_and_a_link_inside_it_is_not() {
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
