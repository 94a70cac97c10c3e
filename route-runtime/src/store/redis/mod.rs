//! A [`Store`] in Redis or Valkey, shared by many instances.
//!
//! ```text
//! {<prefix>}:1:record           hash: name, last epoch, floors, sizes of the two sets below
//! {<prefix>}:1:absent           sorted set: tags by the epoch at which they were made absent
//! {<prefix>}:1:stale            sorted set: tags by the epoch at which they were made stale
//! {<prefix>}:1:e:<build>:<hash> hash: an entry
//! {<prefix>}:1:l:<build>:<hash> a lease's token
//! {<prefix>}:1:changed:<db>     channel: the last epoch
//! ```

mod entry;
mod link;
mod options;
mod scripts;
mod seen;

use std::collections::{HashMap, hash_map};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use redis::{Script, ScriptInvocation};

use self::entry::{FIELDS, Keys, RawRead, RawSince, Read, RedisMetadata, micros};
use self::link::Link;
use self::options::RedisLimits;
pub use self::options::RedisStoreOptions;
use self::scripts::{INVALIDATE, LEASE, RELEASE, RENEW, SINCE, WRITE};
use self::seen::{Question, Seen};
use super::random::random;
use super::{
    EntryKey, Epoch, Invalidation, Invalidations, Lease, LeaseToken, Risen, Store, StoreError,
    StoreFuture, StoredEntry, Tag,
};

/// The number of tags of each kind that are remembered by name.
const TAGS: usize = 65_536;
/// The bytes that the names of each kind may have. Both kinds together are as many as an instance
/// remembers.
const BYTES: usize = 8 * 1024 * 1024;
/// The longest time that an entry is kept without being written.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);
/// The highest epoch to which the server's scripts can count.
const HIGHEST: u64 = (1 << 53) - 2;

/// A store in Redis (5 or later) or Valkey, for many instances. Needs the feature `redis`.
///
/// Instances with the same server, database and [prefix](RedisStoreOptions::prefix) share entries,
/// see each other's invalidations, and lease renders from one another.
///
/// # The URL
///
/// The URL is `redis://[user][:password@]host[:port][/database]`. With `rediss://` the connection
/// uses TLS, with the certificates of public authorities or
/// [one of your own](RedisStoreOptions::root_certificate). `redis+unix:///path` is a Unix socket.
///
/// The store uses one server. Redis Cluster is not supported, nor is Sentinel, except behind an
/// address that follows the primary. All keys of a store have one hash tag.
///
/// # When the server does not answer
///
/// Methods fail within the limits: 50 ms for reads, leases and their release, a second for
/// everything else. After three unanswered calls in a row, methods fail at once until the server
/// has answered something. If it does not do so within the limit for connecting, or if it talks
/// nonsense, the connection is given up and made anew in the background, with pauses of a second at
/// most. Nothing is retried and nothing is queued.
///
/// # Durability
///
/// Entries and invalidations are as durable as the server is set up to keep them. A server may lose
/// invalidations, because it was emptied, restarted without persistence, or failed over to a
/// replica that was behind. Then the first instance to call notices that the server does not know
/// the number that the instance has seen, and raises both floors: everything older counts as
/// invalidated, once, for all instances.
///
/// # Bounds
///
/// An entry is removed at its `expire`, or after 30 days without a write. The record of
/// invalidations is removed 60 days after its last use. The record holds 65 536 tags of each kind
/// by name, and 8 MiB of the names of each kind. Content older than a forgotten invalidation counts
/// as invalidated. No call scans keys.
///
/// A server that may become full should be set to evict whatever it likes
/// (`maxmemory-policy allkeys-lru`): that only costs renders.
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
    seen: Mutex<Seen>,
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
            limits: RedisLimits {
                connect: Duration::from_secs(2),
                read: Duration::from_millis(50),
                write: Duration::from_secs(1),
            },
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prepares a call of a script that begins with `record.lua`.
    fn with_record<'a>(&self, script: &'a Script, met: Epoch) -> ScriptInvocation<'a> {
        let mut call = script.prepare_invoke();
        call.key(&self.keys.record)
            .key(&self.keys.absent)
            .key(&self.keys.stale);
        let seen = self.seen();
        call.arg(&self.keys.channel)
            .arg(&seen.record)
            .arg(seen.epoch)
            .arg(random())
            .arg(met.0);
        call
    }

    fn saw(&self, record: &str, epoch: u64) {
        self.seen().saw(record, epoch);
    }
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
    fn read<'a>(&'a self, key: EntryKey<'a>) -> StoreFuture<'a, Option<StoredEntry>> {
        Box::pin(async move {
            let mut ask = redis::pipe();
            ask.cmd("TIME");
            ask.cmd("HMGET")
                .arg(&self.keys.record)
                .arg(&["name", "last"]);
            ask.cmd("HMGET").arg(self.keys.entry(key)).arg(FIELDS);
            let asked = Question {
                at: SystemTime::now(),
                seen: self.seen().clone(),
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
            Ok(asked.judge(key, answer).map(|(record, entry)| {
                self.saw(&record, entry.started.0);
                entry
            }))
        })
    }

    fn write<'a>(&'a self, key: EntryKey<'a>, entry: StoredEntry) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            if entry.started.0 > HIGHEST {
                return Err(StoreError::new("the entry's epoch is too high for Redis"));
            }
            let metadata = RedisMetadata {
                name: key.name.into(),
                build: key.build.map(Into::into),
                revalidate: entry.revalidate,
                expire: entry.expire,
                tags: entry.tags.iter().map(|tag| tag.as_str().into()).collect(),
            };
            let metadata = serde_json::to_vec(&metadata)
                .map_err(|error| StoreError::new("cannot encode an entry").with_cause(error))?;
            let (age, left) = match SystemTime::now().duration_since(entry.created) {
                Ok(age) => (micros(age), entry.expire.map(|it| it.saturating_sub(age))),
                Err(ahead) => (-micros(ahead.duration()), entry.expire),
            };
            let lives = left.map_or(LONGEST, |left| left.min(LONGEST));
            let mut call = self.with_record(&WRITE, entry.started);
            call.key(self.keys.entry(key))
                .arg(entry.started.0)
                .arg(age)
                .arg(lives.as_millis().max(1) as u64)
                .arg(metadata)
                .arg(&*entry.body);
            let write = |mut connection| async move { call.invoke_async(&mut connection).await };
            let (record, last): (String, u64) = self
                .link
                .call("write an entry", self.limits.write, write)
                .await?;
            self.saw(&record, last);
            Ok(())
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

    fn invalidate<'a>(&'a self, tags: &'a [Tag], how: Invalidation) -> StoreFuture<'a, Epoch> {
        Box::pin(async move {
            let mut call = self.with_record(&INVALIDATE, Epoch(0));
            match how {
                Invalidation::Absent => call.key(&self.keys.absent).arg("absent"),
                Invalidation::Stale => call.key(&self.keys.stale).arg("stale"),
            };
            call.arg(TAGS).arg(BYTES);
            for tag in tags {
                call.arg(tag.as_str());
            }
            let write = |mut connection| async move { call.invoke_async(&mut connection).await };
            let (record, epoch): (String, u64) = self
                .link
                .call("record an invalidation", self.limits.write, write)
                .await?;
            self.saw(&record, epoch);
            Ok(Epoch(epoch))
        })
    }

    fn invalidations(&self, after: Epoch) -> StoreFuture<'_, Invalidations> {
        Box::pin(async move {
            if after.0 > HIGHEST {
                return Err(StoreError::new("the epoch is too high for Redis"));
            }
            let mut call = self.with_record(&SINCE, after);
            call.arg(after.0);
            let read = |mut connection| async move { call.invoke_async(&mut connection).await };
            let (record, until, absent, stale, made_absent, made_stale): RawSince = self
                .link
                .call("read invalidations", self.limits.write, read)
                .await?;
            self.saw(&record, until);
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
                until: Epoch(until),
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
            let asked = self.link.call("ask for a lease", self.limits.read, ask);
            let held: u64 = match asked.await {
                Ok(held) => held,
                Err(error) => {
                    // The server may have granted it all the same. It does what follows in order.
                    let mut release = RELEASE.prepare_invoke();
                    release.key(self.keys.lease(key)).arg(token);
                    let release = |mut connection| async move {
                        release.invoke_async::<u64>(&mut connection).await
                    };
                    self.link.send(self.limits.write, release);
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
                .call("renew a lease", self.limits.write, ask)
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
                .call("give a lease back", self.limits.read, ask)
                .await?;
            Ok(())
        })
    }
}
