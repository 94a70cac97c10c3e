//! The manifest, a file that names the build whose responses are in a directory.

use std::path::Path;
use std::{fs, io};

use serde::{Deserialize, Serialize};

const NAME: &str = "build.json";
const VERSION: u32 = 1;

/// The manifest of the last build in a directory.
#[derive(Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Manifest {
    version: u32,
    /// The identifier of the build, under which a store keeps its responses.
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

    /// Writes the manifest. The file is written under another name and then renamed, so that a
    /// reader never finds a part of it.
    pub(super) fn write(&self, directory: &Path) -> io::Result<()> {
        let draft = directory.join(format!("{NAME}.{}", std::process::id()));
        fs::write(&draft, serde_json::to_vec_pretty(self)?)?;
        fs::rename(draft, directory.join(NAME))
    }

    /// Reads the manifest in a directory. Returns `None` if there is none, or none of this version.
    #[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "for `start`"))]
    pub(crate) fn read(directory: &Path) -> Option<Self> {
        let text = fs::read(directory.join(NAME)).ok()?;
        let manifest: Self = serde_json::from_slice(&text).ok()?;
        (manifest.version == VERSION).then_some(manifest)
    }
}
