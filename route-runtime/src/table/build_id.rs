//! The name of a build, which tells one build of a program from another.

use std::fs::File;
use std::io;
use std::sync::OnceLock;

use crate::target;

/// The environment variable that names the build.
const VARIABLE: &str = "ROUTE_BUILD_ID";

/// Returns the name of this program's build: `ROUTE_BUILD_ID`, or else a hash of the executable
/// file. Returns `None` if that file cannot be read.
pub(crate) fn of_program() -> Option<String> {
    chosen(std::env::var(VARIABLE).ok(), || {
        static EXECUTABLE: OnceLock<Option<String>> = OnceLock::new();
        // The file is read once: it is large, and may be replaced while the program runs.
        EXECUTABLE
            .get_or_init(|| {
                let hash = hash_of_executable();
                hash.inspect_err(|error| tracing::warn!(target: target::ROUTES, %error, "the executable cannot be read"))
                    .ok()
            })
            .clone()
    })
}

fn chosen(named: Option<String>, executable: impl FnOnce() -> Option<String>) -> Option<String> {
    named.filter(|name| !name.is_empty()).or_else(executable)
}

fn hash_of_executable() -> io::Result<String> {
    let mut file = File::open(std::env::current_exe()?)?;
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut file, &mut hasher)?;
    Ok(hasher.finalize().to_hex()[..32].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_the_environment_overrides_the_hash_of_the_executable() {
        let check = |named: Option<&str>, expected: &str| {
            let chosen = chosen(named.map(Into::into), || Some("hash".into()));
            assert_eq!(chosen.as_deref(), Some(expected), "{named:?}");
        };
        check(Some("v7"), "v7");
        check(Some(""), "hash");
        check(None, "hash");
    }

    #[test]
    fn the_hash_of_the_executable_is_stable() {
        let hash = hash_of_executable().unwrap();
        assert_eq!(hash.len(), 32);
        assert_eq!(hash, hash_of_executable().unwrap());
    }
}
