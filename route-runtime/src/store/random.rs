//! Unique names and numbers.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::process;
use std::time::SystemTime;

/// Returns 32 hexadecimal digits, which are unique but not secret.
pub(super) fn random() -> String {
    hash().to_hex()[..32].to_owned()
}

/// Returns a number that is unlike any other, but not secret.
pub(super) fn word() -> u64 {
    let hash = hash();
    let (word, _) = hash.as_bytes().split_first_chunk().expect("32 bytes");
    u64::from_le_bytes(*word)
}

fn hash() -> blake3::Hash {
    let half = || RandomState::new().build_hasher().finish();
    let (now, id) = (SystemTime::now(), process::id());
    let seed = format!("{} {} {now:?} {id}", half(), half());
    blake3::hash(seed.as_bytes())
}
