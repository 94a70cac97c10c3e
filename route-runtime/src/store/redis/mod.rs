//! A [`Store`] in Redis or Valkey, shared by many instances.
//!
//! ```text
//! {<prefix>}:2:record           hash: name, last mark, floors, sizes of the two sets below
//! {<prefix>}:2:absent           sorted set: tags by the epoch at which they were made absent
//! {<prefix>}:2:stale            sorted set: tags by the epoch at which they were made stale
//! {<prefix>}:2:words            string: the words of the last 65 536 epochs, 8 bytes each
//! {<prefix>}:2:reserve          string: 1 MiB, given up to record an invalidation if the server is full
//! {<prefix>}:2:e:<build>:<hash> hash: an entry
//! {<prefix>}:2:l:<build>:<hash> a lease's token
//! {<prefix>}:2:changed:<db>     channel: the last epoch
//! ```

mod entry;
mod link;
mod options;
mod reserve;
mod scripts;
mod seen;
mod url;

use std::collections::{HashMap, hash_map};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use redis::{Script, ScriptInvocation};

use self::entry::{
    FIELDS, Keys, RECORD_FIELDS, RawRead, RawRecorded, RawSince, Read, RedisMetadata, mark, micros,
    word_bytes, word_range,
};
use self::link::{CallKind, Limit, Link};
use self::options::RedisLimits;
pub use self::options::RedisStoreOptions;
use self::reserve::{is_full, make_room};
use self::scripts::{INVALIDATE, KEEP, LEASE, RELEASE, RENEW, SINCE, WRITE};
use self::seen::Question;
use super::random::{random, word};
use super::{
    EntryKey, Epoch, Invalidation, Invalidations, Lease, LeaseToken, Mark, Recorded, Risen, Store,
    StoreError, StoreFuture, StoredEntry, Tag,
};

/// The number of tags of each kind that are remembered by name.
const TAGS: usize = 65_536;
/// The bytes that the names of each kind may have. Both kinds together are as many as an instance
/// remembers.
const BYTES: usize = 8 * 1024 * 1024;
/// The longest time that an entry is kept without being written.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);
/// The longest time that removing entries may take, to have a reserve again.
const REFILLED: Limit = Limit {
    kind: CallKind::Write,
    time: Duration::from_secs(30),
};
/// The longest time that an entry is kept that is not listed and that nobody has read.
const UNREAD: Duration = Duration::from_secs(3600);
/// The highest epoch to which the server's scripts can count.
const HIGHEST: u64 = (1 << 53) - 2;

/// A store in Redis (5 or later) or Valkey, for many instances. Needs the feature `redis`.
///
/// Instances with the same server, database and [prefix](RedisStoreOptions::prefix) share entries,
/// see each other's invalidations, and lease renders from one another.
///
/// # The URL
///
/// | URL | where the store is |
/// |---|---|
/// | `redis://[user][:password@]host[:port][/database]` | one server |
/// | `redis+unix:///path` | one server, by a Unix socket |
/// | `redis-cluster://[user][:password@]host[:port],…` | a Redis Cluster, of which one node or more are named |
/// | `redis-sentinel://[user][:password@]host[:port],…/name[/database]` | the primary that these sentinels know by this name |
///
/// With `rediss://`, `rediss-cluster://` and `rediss-sentinel://`, all connections use TLS, with the
/// certificates of public authorities or [one of your own](RedisStoreOptions::root_certificate).
/// The user and the password are for the servers. Sentinels that need them have their own:
/// `…/name?sentinel_user=app&sentinel_password=secret`.
///
/// All keys of a store have one hash tag, so in a cluster they are on one node. The store follows
/// them to other nodes, and it follows the primary after a fail-over. The
/// [guide](crate::guide::instances) tells more, and lists the commands that a user of the server
/// needs.
///
/// # When the server does not answer
///
/// Methods fail within the limits: 50 ms for reads, leases and their release, a second for
/// everything else. Invalidations have a connection of their own, so they do not wait for reads and
/// writes. Reads, writes, leases and invalidations fail separately: after three unanswered calls in
/// a row, calls of that kind fail at once until the server has answered a ping. If it does not do so
/// within the limit for connecting, or if it talks nonsense, the connection is given up and made
/// anew in the background, with pauses of a second at most. Nothing is queued, and nothing is
/// retried except as a cluster asks for it.
///
/// # Durability
///
/// Entries and invalidations are as durable as the server is set up to keep them. A server may lose
/// invalidations, because it was emptied, restarted without persistence, or failed over to a
/// replica that was behind. Each invalidation has a number and a random word, and each call names the
/// last that its instance knows. So the first call of an instance that knows a lost invalidation
/// shows the loss, also if the server has given the same numbers again. Then everything older counts
/// as invalidated, once, for all instances. A loss that no running instance knew of is not noticed.
///
/// # Bounds
///
/// An entry is removed at its `expire`, or after 30 days without a write. An entry that is not
/// [listed](StoredEntry::listed), of which requests can make as many as they like, is removed after
/// an hour if no instance has read it. The record of
/// invalidations is removed 60 days after its last use. The record holds 65 536 tags of each kind
/// by name, and 8 MiB of the names of each kind. Content older than a forgotten invalidation counts
/// as invalidated. No call scans keys.
///
/// A server that may become full should be set to evict whatever it likes
/// (`maxmemory-policy allkeys-lru`): that only costs renders. A server that evicts nothing refuses new
/// entries when it is full, which are then kept in memory only. It does not refuse invalidations: the
/// store keeps 1 MiB in reserve for them, and removes entries of its own to have it again. Only if
/// there is no entry to remove does an invalidation fail.
///
/// # Time
///
/// Ages are measured by the server's clock, so the clocks of machines may differ. An age is wrong
/// by at most the time that a call is on its way.
///
/// # Example
///
/// ```no_run
/// use route_runtime::store::RedisStore;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisStore::connect("redis://127.0.0.1:6379/0").await?;
/// # Ok(())
/// # }
/// ```
pub struct RedisStore {
    link: Link,
    keys: Keys,
    limits: RedisLimits,
    /// The name of the record when callers were last told of it; empty before that.
    told: Mutex<String>,
}

impl RedisStore {
    /// Connects to a server. This must be called in a tokio runtime with a timer, and the runtime
    /// must outlive the store.
    ///
    /// A server that does not answer is no error: the methods fail until it does.
    ///
    /// # Errors
    ///
    /// When the URL is not valid.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::options().connect(url).await
    }

    /// Returns the default options, to be changed.
    pub fn options() -> RedisStoreOptions {
        RedisStoreOptions {
            prefix: "route".to_owned(),
            root_certificate: None,
            limits: RedisLimits::default(),
        }
    }

    fn told(&self) -> MutexGuard<'_, String> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prepares a call of a script that begins with `record.lua`, for a caller that names these
    /// marks.
    fn with_record<'a>(
        &self,
        script: &'a Script,
        named: [Mark; 2],
    ) -> Result<ScriptInvocation<'a>, StoreError> {
        let mut call = script.prepare_invoke();
        call.key(&self.keys.record)
            .key(&self.keys.absent)
            .key(&self.keys.stale)
            .key(&self.keys.words)
            .key(&self.keys.reserve);
        call.arg(&self.keys.channel)
            .arg(random())
            .arg(&word().to_be_bytes());
        for mark in named {
            if mark.epoch.0 > HIGHEST {
                return Err(StoreError::new("the mark's number is too high for Redis"));
            }
            call.arg(mark.epoch.0).arg(&word_bytes(mark));
        }
        Ok(call)
    }
}

impl RedisStore {
    /// Makes room for a new reserve in the background, if a script has given up the old one.
    fn refill(&self, gave_up: bool) {
        if gave_up {
            let keys = self.keys.clone();
            let refill = |mut connection| async move { make_room(&keys, &mut connection).await };
            self.link.send(REFILLED, refill);
        }
    }
}

/// Returns a mark that the server gave. Anything else that it says makes no sense.
fn given(epoch: u64, word: &[u8]) -> Result<Mark, StoreError> {
    mark(epoch, word).ok_or_else(|| StoreError::new("the server gave a number without its word"))
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL is left out, because it may hold a password.
        f.debug_struct("RedisStore")
            .field("keys", &self.keys)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Store for RedisStore {
    fn read<'a>(&'a self, key: EntryKey<'a>, seen: Mark) -> StoreFuture<'a, Option<StoredEntry>> {
        Box::pin(async move {
            let (first, last) = word_range(seen.epoch);
            let mut ask = redis::pipe();
            ask.cmd("TIME");
            ask.cmd("HMGET").arg(&self.keys.record).arg(RECORD_FIELDS);
            ask.cmd("GETRANGE")
                .arg(&self.keys.words)
                .arg(first)
                .arg(last);
            ask.cmd("HMGET").arg(self.keys.entry(key)).arg(FIELDS);
            let asked = Question {
                at: SystemTime::now(),
                told: self.told().clone(),
                seen,
            };
            let read = |mut connection| async move { ask.query_async(&mut connection).await };
            let answer: RawRead = self
                .link
                .call("read an entry", self.limits.read, read)
                .await?;
            let answer = Read::from(answer);
            if asked.shows_loss(&answer) {
                // A listener then asks for the invalidations, which makes the loss known to all.
                self.link.news().tell();
                return Ok(None);
            }
            let ends = answer.entry.as_ref().and_then(|entry| entry.ends);
            let read = asked.judge(key, answer);
            if let (Some(_), Some(ends)) = (&read, ends) {
                let mut call = KEEP.prepare_invoke();
                call.key(self.keys.entry(key)).arg(ends);
                let keep =
                    |mut connection| async move { call.invoke_async::<u64>(&mut connection).await };
                self.link.send(self.limits.write, keep);
            }
            Ok(read)
        })
    }

    fn write<'a>(&'a self, key: EntryKey<'a>, entry: StoredEntry) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let started = entry.started;
            if started.epoch.0 > HIGHEST {
                return Err(StoreError::new("the mark's number is too high for Redis"));
            }
            let metadata = RedisMetadata {
                name: key.name.into(),
                build: key.build.map(Into::into),
                revalidate: entry.revalidate,
                expire: entry.expire,
                tags: entry.tags.iter().map(|tag| tag.as_str().into()).collect(),
                listed: entry.listed,
            };
            let metadata = serde_json::to_vec(&metadata)
                .map_err(|error| StoreError::new("cannot encode an entry").with_cause(error))?;
            let (age, left) = match SystemTime::now().duration_since(entry.created) {
                Ok(age) => (micros(age), entry.expire.map(|it| it.saturating_sub(age))),
                Err(ahead) => (-micros(ahead.duration()), entry.expire),
            };
            let lives = left.map_or(LONGEST, |left| left.min(LONGEST));
            let unread = if entry.listed {
                lives
            } else {
                lives.min(UNREAD)
            };
            let millis = |time: Duration| time.as_millis().max(1) as u64;
            let mut call = WRITE.prepare_invoke();
            call.key(&self.keys.record)
                .key(&self.keys.words)
                .key(self.keys.entry(key));
            call.arg(&*self.told())
                .arg(random())
                .arg(started.epoch.0)
                .arg(&word_bytes(started))
                .arg(age)
                .arg(millis(lives))
                .arg(metadata)
                .arg(&*entry.body)
                .arg(millis(unread));
            let write = |mut connection| async move { call.invoke_async(&mut connection).await };
            let taken: u64 = self
                .link
                .call("write an entry", self.limits.write, write)
                .await?;
            Ok(taken == 1)
        })
    }

    fn remove<'a>(&'a self, key: EntryKey<'a>) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let mut ask = redis::cmd("UNLINK");
            ask.arg(self.keys.entry(key));
            let remove = |mut connection| async move { ask.query_async(&mut connection).await };
            self.link
                .call("remove an entry", self.limits.write, remove)
                .await
        })
    }

    fn invalidate<'a>(
        &'a self,
        tags: &'a [Tag],
        how: Invalidation,
        seen: Mark,
    ) -> StoreFuture<'a, Recorded> {
        Box::pin(async move {
            let mut call = self.with_record(&INVALIDATE, [seen, Mark::START])?;
            call.arg(&word().to_be_bytes());
            match how {
                Invalidation::Absent => call.key(&self.keys.absent).arg("absent"),
                Invalidation::Stale => call.key(&self.keys.stale).arg("stale"),
            };
            call.arg(TAGS).arg(BYTES);
            for tag in tags {
                call.arg(tag.as_str());
            }
            let write = |mut connection| async move {
                match call.invoke_async(&mut connection).await {
                    Err(error) if is_full(&error) => {
                        let has_room = make_room(&self.keys, &mut connection).await?;
                        match has_room {
                            true => call.invoke_async(&mut connection).await,
                            false => Err(error),
                        }
                    }
                    done => done,
                }
            };
            let (record, before, before_word, epoch, word, gave_up): RawRecorded = self
                .link
                .call("record an invalidation", self.limits.record, write)
                .await?;
            *self.told() = record;
            self.refill(gave_up);
            Ok(Recorded {
                before: given(before, &before_word)?,
                mark: given(epoch, &word)?,
            })
        })
    }

    fn invalidations(&self, seen: Mark, own: Option<Mark>) -> StoreFuture<'_, Invalidations> {
        Box::pin(async move {
            let call = self.with_record(&SINCE, [seen, own.unwrap_or_default()])?;
            let read = |mut connection| async move { call.invoke_async(&mut connection).await };
            let (record, until, word, absent, stale, made_absent, made_stale, gave_up): RawSince =
                self.link
                    .call("read invalidations", self.limits.record, read)
                    .await?;
            *self.told() = record;
            self.refill(gave_up);
            let mut tags = HashMap::new();
            let listed = made_absent.into_iter().map(|it| (it, Invalidation::Absent));
            let listed = listed.chain(made_stale.into_iter().map(|it| (it, Invalidation::Stale)));
            for ((tag, epoch), how) in listed {
                // The conversion is exact, because the number is below 2^53.
                let epoch = Epoch(epoch as u64);
                match tags.entry(Tag::new(tag)) {
                    hash_map::Entry::Vacant(free) => free.insert(Risen::default()),
                    hash_map::Entry::Occupied(held) => held.into_mut(),
                }
                .raise(how, epoch);
            }
            Ok(Invalidations {
                until: given(until, &word)?,
                floor: Risen {
                    absent: Epoch(absent),
                    stale: Epoch(stale),
                },
                tags: tags.into_iter().collect(),
            })
        })
    }

    /// Resolves on every message of the server, and whenever there is a connection again.
    fn changed(&self) -> StoreFuture<'_, ()> {
        let heard = self.link.news().heard();
        Box::pin(async {
            heard.await;
            Ok(())
        })
    }

    fn lease<'a>(&'a self, key: EntryKey<'a>, length: Duration) -> StoreFuture<'a, Lease> {
        Box::pin(async move {
            let token = u64::from_str_radix(&random()[..16], 16).unwrap_or_default();
            let mut call = LEASE.prepare_invoke();
            call.key(self.keys.lease(key))
                .arg(token)
                .arg(length.min(LONGEST).as_millis().max(1) as u64);
            let ask = |mut connection| async move { call.invoke_async(&mut connection).await };
            let asked = self.link.call("ask for a lease", self.limits.lease, ask);
            let held: u64 = match asked.await {
                Ok(held) => held,
                Err(error) => {
                    // The server may have granted it all the same. It does what follows in order.
                    let mut release = RELEASE.prepare_invoke();
                    release.key(self.keys.lease(key)).arg(token);
                    let release = |mut connection| async move {
                        release.invoke_async::<u64>(&mut connection).await
                    };
                    self.link.send(self.limits.renew, release);
                    return Err(error);
                }
            };
            Ok(match held {
                0 => Lease::Granted(LeaseToken(token)),
                left => Lease::Held(Duration::from_millis(left)),
            })
        })
    }

    fn renew<'a>(
        &'a self,
        key: EntryKey<'a>,
        token: LeaseToken,
        length: Duration,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let mut call = RENEW.prepare_invoke();
            call.key(self.keys.lease(key))
                .arg(token.0)
                .arg(length.min(LONGEST).as_millis().max(1) as u64);
            let ask = |mut connection| async move { call.invoke_async(&mut connection).await };
            let renewed: u64 = self
                .link
                .call("renew a lease", self.limits.renew, ask)
                .await?;
            Ok(renewed == 1)
        })
    }

    fn release<'a>(&'a self, key: EntryKey<'a>, token: LeaseToken) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let mut call = RELEASE.prepare_invoke();
            call.key(self.keys.lease(key)).arg(token.0);
            let ask = |mut connection| async move { call.invoke_async(&mut connection).await };
            let _: u64 = self
                .link
                .call("give a lease back", self.limits.lease, ask)
                .await?;
            Ok(())
        })
    }
}
