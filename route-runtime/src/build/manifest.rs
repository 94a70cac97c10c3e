//! Who has built what is in a directory.

use std::path::Path;
use std::{fs, io};

use serde::{Deserialize, Serialize};

const NAME: &str = "build.json";
const VERSION: u32 = 1;

/// What the last build in a directory says of itself.
#[derive(Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Manifest {
    version: u32,
    /// Whose responses these are.
    pub(crate) build: String,
    pub(crate) responses: usize,
}

impl Manifest {
    pub(super) fn new(build: &str, responses: usize) -> Self {
        Self {
            version: VERSION,
            build: build.into(),
            responses,
        }
    }

    /// Written elsewhere and moved into place, so that there is always a whole one.
    pub(super) fn write(&self, directory: &Path) -> io::Result<()> {
        let draft = directory.join(format!("{NAME}.{}", std::process::id()));
        fs::write(&draft, serde_json::to_vec_pretty(self)?)?;
        fs::rename(draft, directory.join(NAME))
    }

    /// What is there; nothing, if it is not one of ours.
    #[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "for `start`"))]
    pub(crate) fn read(directory: &Path) -> Option<Self> {
        let text = fs::read(directory.join(NAME)).ok()?;
        let manifest: Self = serde_json::from_slice(&text).ok()?;
        (manifest.version == VERSION).then_some(manifest)
    }
}
