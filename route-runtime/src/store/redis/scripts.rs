//! The scripts that the server runs, each in one go, so that no other call comes in between.

use std::sync::LazyLock;

use redis::Script;

pub(super) static WRITE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(concat!(
        include_str!("history.lua"),
        include_str!("write.lua")
    ))
});
pub(super) static INVALIDATE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(concat!(
        include_str!("history.lua"),
        include_str!("record.lua"),
        include_str!("invalidate.lua")
    ))
});
pub(super) static SINCE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(concat!(
        include_str!("history.lua"),
        include_str!("record.lua"),
        include_str!("since.lua")
    ))
});
pub(super) static KEEP: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("keep.lua")));
pub(super) static LEASE: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("lease.lua")));
pub(super) static RENEW: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("renew.lua")));
pub(super) static RELEASE: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("release.lua")));
