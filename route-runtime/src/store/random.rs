//! Unique names.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::process;
use std::time::SystemTime;

/// Returns 32 hexadecimal digits, which are unique but not secret.
pub(super) fn random() -> String {
    let half = || RandomState::new().build_hasher().finish();
    let (now, id) = (SystemTime::now(), process::id());
    let seed = format!("{} {} {now:?} {id}", half(), half());
    blake3::hash(seed.as_bytes()).to_hex()[..32].to_owned()
}
