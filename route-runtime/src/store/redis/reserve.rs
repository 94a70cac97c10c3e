//! The room that is kept for invalidations.
//!
//! A server that is full, and is not set to evict, refuses whatever needs room. It must not refuse an
//! invalidation because the entries of this very store fill it. So 1 MiB is kept in reserve, which the
//! scripts give up to record an invalidation. Then entries are removed until there is a reserve again.

use redis::RedisError;
use redis::aio::ConnectionLike;

use super::entry::Keys;

/// The bytes of the reserve, as `record.lua` makes it.
const RESERVE: usize = 1 << 20;
/// The number of keys among which entries are looked for at once.
const AT_ONCE: usize = 200;

/// Returns whether the server refused a call because it is full.
pub(super) fn is_full(error: &RedisError) -> bool {
    error.code() == Some("OOM")
}

/// Removes entries, whichever the server lists first, until there is a reserve again. Returns whether
/// there is one: others may have filled the server.
pub(super) async fn make_room(
    keys: &Keys,
    connection: &mut impl ConnectionLike,
) -> Result<bool, RedisError> {
    let (pattern, mut cursor) = (keys.all_entries(), 0_u64);
    loop {
        let mut keep = redis::cmd("SETRANGE");
        keep.arg(&keys.reserve).arg(RESERVE - 1).arg("0");
        match keep.query_async::<()>(connection).await {
            Err(error) if is_full(&error) => {}
            done => return done.map(|()| true),
        }
        let mut removed = false;
        while !removed {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor)
                .arg("MATCH")
                .arg(&pattern)
                .arg("COUNT")
                .arg(AT_ONCE);
            let (next, found): (u64, Vec<String>) = scan.query_async(connection).await?;
            if !found.is_empty() {
                let mut remove = redis::cmd("UNLINK");
                remove.arg(&found);
                remove.query_async::<()>(connection).await?;
                removed = true;
            }
            cursor = next;
            if cursor == 0 && !removed {
                return Ok(false);
            }
        }
    }
}
