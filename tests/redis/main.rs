//! Tests of the store in Redis, with real servers. They need `redis-server`, which is also the
//! sentinels.

mod access;
mod apart;
mod bounds;
mod cluster;
mod faults;
mod proxy;
mod sentinels;
mod server;
mod sharding;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use route_runtime::store::{
    EntryKey, Invalidation, Invalidations, Mark, RedisStore, RedisStoreOptions, Store, StoreError,
    StoredEntry, Tag,
};
use route_runtime::testing::store::{Loss, changes, leases, losses, suite};

use crate::server::Redis;

/// A time far longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn patiently() -> RedisStoreOptions {
    let options = RedisStore::options();
    let options = options.read_limit(PATIENCE).write_limit(PATIENCE);
    let options = options.invalidation_limit(PATIENCE);
    options.connect_limit(PATIENCE)
}

async fn patient(url: &str) -> RedisStore {
    patiently().connect(url).await.unwrap()
}

fn key(name: &str) -> EntryKey<'_> {
    EntryKey {
        build: Some("f00d"),
        name,
    }
}

fn entry(body: &[u8], started: Mark) -> StoredEntry {
    StoredEntry {
        body: Arc::from(body),
        created: SystemTime::now() - Duration::from_secs(100),
        started,
        revalidate: None,
        expire: None,
        tags: Arc::from([Tag::from("t")]),
        listed: true,
    }
}

fn tags(names: &[&str]) -> Vec<Tag> {
    names.iter().map(|&name| Tag::from(name)).collect()
}

/// Invalidates as an instance that has just started.
async fn invalidate(store: &RedisStore, tag: &str) -> Result<Mark, StoreError> {
    invalidate_as(store, tag, Mark::START).await
}

async fn invalidate_as(store: &RedisStore, tag: &str, seen: Mark) -> Result<Mark, StoreError> {
    let tags = tags(&[tag]);
    let recorded = store.invalidate(&tags, Invalidation::Absent, seen).await?;
    Ok(recorded.mark)
}

/// Returns all invalidations, as an instance learns them that has just started.
async fn all(store: &RedisStore) -> Invalidations {
    store.invalidations(Mark::START, None).await.unwrap()
}

async fn read(store: &RedisStore, name: &str) -> Result<Option<StoredEntry>, StoreError> {
    store.read(key(name), Mark::START).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_redis_store_keeps_the_contract() {
    let server = Redis::start();
    let open = async |name: &str| {
        patiently()
            .prefix(name)
            .connect(&server.url())
            .await
            .unwrap()
    };
    suite(open).await;
    leases(open).await;
    changes(open).await;
    // Every key has to expire at some time.
    for key in server.ask(&["KEYS", "*"]).lines() {
        let left: i64 = server.ask(&["PTTL", key]).parse().unwrap();
        assert!((1..=60 * 86_400_000).contains(&left), "{key}: {left}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_redis_store_makes_nothing_valid_again_that_a_server_has_lost() {
    let server = Redis::start();
    let open = async |name: &str| {
        let options = patiently().prefix(name);
        options.connect(&server.url()).await.unwrap()
    };
    // What is remembered lies in another database.
    let copy = |name: &str, from: &str, to: &str| {
        let all = format!("{{{name}}}:*");
        for key in server.ask_in(to, &["KEYS", &all]).lines() {
            server.ask_in(to, &["DEL", key]);
        }
        for key in server.ask_in(from, &["KEYS", &all]).lines() {
            server.ask_in(from, &["COPY", key, key, "DB", to]);
        }
    };
    let lose = async |name: &str, loss| match loss {
        Loss::Remember => copy(name, "0", "9"),
        Loss::ComeBack => copy(name, "9", "0"),
        Loss::Empty => copy(name, "10", "0"),
    };
    losses(open, lose).await;
}

#[tokio::test]
async fn prefixes_and_databases_share_nothing() {
    let server = Redis::start();
    let url = server.url();
    let stores = [
        patient(&url).await,
        patient(&format!("{url}/3")).await,
        patiently().prefix("other").connect(&url).await.unwrap(),
    ];
    let [first, others @ ..] = &stores;
    let elsewhere = others[0].changed();
    first
        .write(key("/a"), entry(b"a", Mark::START))
        .await
        .unwrap();
    invalidate(first, "t").await.unwrap();
    for other in others {
        assert_eq!(read(other, "/a").await.unwrap(), None);
        assert_eq!(all(other).await.until, Mark::START);
    }
    invalidate(&others[0], "t").await.unwrap();
    tokio::time::timeout(PATIENCE, elsewhere)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn an_entry_is_removed_at_its_expire_or_after_thirty_days() {
    let server = Redis::start();
    let store = patient(&server.url()).await;
    for (name, expire, longest) in [
        ("/never", None, 30 * 86_400),
        ("/hour", Some(3600), 3600 - 100),
        ("/year", Some(365 * 86_400), 30 * 86_400),
        ("/gone", Some(50), 1),
    ] {
        let written = StoredEntry {
            expire: expire.map(Duration::from_secs),
            ..entry(b"body", Mark::START)
        };
        store.write(key(name), written).await.unwrap();
        let keys = server.ask(&["KEYS", "*:e:*"]);
        let left: i64 = server
            .ask(&["PTTL", keys.lines().next().unwrap_or("-")])
            .parse()
            .unwrap();
        assert!(
            left <= longest * 1000 && (left > longest * 1000 - 60_000),
            "{name}: {left}"
        );
        store.remove(key(name)).await.unwrap();
    }
}

/// Returns for how many seconds the server keeps its only entry.
fn seconds_left(server: &Redis) -> i64 {
    let key = server.ask(&["KEYS", "*:e:*"]);
    let left: i64 = server.ask(&["PTTL", &key]).parse().unwrap();
    left / 1000
}

#[tokio::test]
async fn an_entry_that_is_not_listed_is_kept_for_an_hour_until_an_instance_has_read_it() {
    const HOUR: i64 = 3600;
    const MONTH: i64 = 30 * 24 * HOUR;
    let server = Redis::start();
    let (one, two) = (patient(&server.url()).await, patient(&server.url()).await);
    let about = |seconds: i64, what: &str| {
        let left = seconds_left(&server);
        assert!((seconds - 60..=seconds).contains(&left), "{what}: {left}");
    };
    let unlisted = |expire: Option<i64>| StoredEntry {
        expire: expire.map(|it| Duration::from_secs(it.unsigned_abs())),
        listed: false,
        ..entry(b"body", Mark::START)
    };
    for (expire, unread, then) in [
        (None, HOUR, MONTH),
        (Some(2 * HOUR), HOUR, 2 * HOUR - 100),
        (Some(HOUR / 2), HOUR / 2 - 100, HOUR / 2 - 100),
    ] {
        one.write(key("/a"), unlisted(expire)).await.unwrap();
        about(unread, "unread");
        // Written again, also by another instance, it is as new.
        two.write(key("/a"), unlisted(expire)).await.unwrap();
        about(unread, "unread");
        let listed = read(&two, "/a").await.unwrap().unwrap().listed;
        assert!(!listed);
        // Nothing waits for the server to be told.
        let deadline = Instant::now() + PATIENCE;
        while seconds_left(&server) < then - 60 {
            assert!(Instant::now() < deadline, "it is kept longer");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        about(then, "read");
        read(&one, "/a").await.unwrap().unwrap();
        about(then, "read again");
        one.remove(key("/a")).await.unwrap();
    }
    // A listed entry is kept at once, also in the place of another.
    one.write(key("/a"), unlisted(None)).await.unwrap();
    let listed = StoredEntry {
        listed: true,
        ..unlisted(None)
    };
    one.write(key("/a"), listed).await.unwrap();
    about(MONTH, "listed");
}

#[tokio::test]
async fn an_entry_that_replaces_one_that_was_just_read_is_not_taken_for_it() {
    let server = Redis::start();
    let store = patient(&server.url()).await;
    let unlisted = StoredEntry {
        listed: false,
        ..entry(b"a", Mark::START)
    };
    store.write(key("/a"), unlisted).await.unwrap();
    let name = server.ask(&["KEYS", "*:e:*"]);
    // As if it had been replaced between the read and what follows it.
    let ends: u64 = server.ask(&["HGET", &name, "ends"]).parse().unwrap();
    let script = include_str!("../../route-runtime/src/store/redis/keep.lua");
    let keep = |ends: u64| server.ask(&["EVAL", script, "1", &name, &ends.to_string()]);
    assert_eq!(keep(ends - 1), "0");
    assert!(seconds_left(&server) <= 3600);
    assert_eq!(keep(ends), "1");
    assert!(seconds_left(&server) > 3600);
    assert_eq!(keep(ends), "0");
    server.ask(&["DEL", &name]);
    assert_eq!(keep(ends), "0");
}

/// The server's clock stamps an entry. The writer's clock says only how old the entry is.
#[tokio::test]
async fn ages_are_measured_by_the_clock_of_the_server() {
    let server = Redis::start();
    let store = patient(&server.url()).await;
    store
        .write(key("/a"), entry(b"a", Mark::START))
        .await
        .unwrap();
    let name = server.ask(&["KEYS", "*:e:*"]);
    let created: i64 = server.ask(&["HGET", &name, "created"]).parse().unwrap();
    let time = server.ask(&["TIME"]);
    let seconds: i64 = time.lines().next().unwrap().parse().unwrap();
    let age = seconds - created / 1_000_000;
    assert!((99..160).contains(&age), "{age}");
    // As if another machine, whatever its clock says, had written the entry an hour ago.
    let hour = (created - 3_500_000_000).to_string();
    server.ask(&["HSET", &name, "created", &hour]);
    let read = read(&store, "/a").await.unwrap().unwrap();
    let age = SystemTime::now().duration_since(read.created).unwrap();
    assert!((3599..3660).contains(&age.as_secs()), "{age:?}");
}

#[tokio::test]
async fn an_entry_that_is_damaged_or_of_another_record_is_absent() {
    let server = Redis::start();
    let store = patient(&server.url()).await;
    for damage in [
        &["HDEL", "body"][..],
        &["HDEL", "metadata"],
        &["HSET", "metadata", "{"],
        &[
            "HSET",
            "metadata",
            r#"{"name":"/b","build":"f00d","tags":[]}"#,
        ],
        &["HSET", "started", "soon"],
        &["HSET", "started", "7"],
        &["HSET", "created", "-99999999999999999999"],
        &["HSET", "record", "another"],
    ] {
        store
            .write(key("/a"), entry(b"a", Mark::START))
            .await
            .unwrap();
        assert!(read(&store, "/a").await.unwrap().is_some());
        let name = server.ask(&["KEYS", "*:e:*"]);
        server.ask(&[&[damage[0], &name], &damage[1..]].concat());
        assert_eq!(read(&store, "/a").await.unwrap(), None, "{damage:?}");
        server.ask(&["DEL", &name]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_scans_or_lists_a_hundred_thousand_entries() {
    const TASKS: usize = 100;
    let server = Redis::start();
    let store = Arc::new(patient(&server.url()).await);
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            for number in 0..100_000 / TASKS {
                let name = format!("/{task}/{number}");
                store
                    .write(key(&name), entry(b"body", Mark::START))
                    .await
                    .unwrap();
            }
        });
    }
    tasks.join_all().await;
    server.ask(&["CONFIG", "RESETSTAT"]);
    read(&store, "/7/7").await.unwrap().unwrap();
    invalidate(&store, "t").await.unwrap();
    all(&store).await;
    store.remove(key("/7/7")).await.unwrap();
    let size: u64 = server.ask(&["DBSIZE"]).parse().unwrap();
    assert!((99_999..100_010).contains(&size), "{size}");
    let calls = server.ask(&["INFO", "commandstats"]);
    for scan in [
        "keys", "scan", "hscan", "zscan", "hgetall", "hkeys", "smembers", "sort",
    ] {
        assert!(!calls.contains(&format!("cmdstat_{scan}:")), "{calls}");
    }
}

#[tokio::test]
async fn a_url_may_have_a_password_tls_and_a_database() {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let directory = std::env::temp_dir().join(format!("route-tls-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let certificate = signed.cert.pem();
    let tls = tests::free_port().to_string();
    let server = Redis::with(&[
        "--save",
        "",
        "--requirepass",
        "open sesame",
        "--tls-port",
        &tls,
        "--tls-cert-file",
        &file("certificate", &certificate),
        "--tls-key-file",
        &file("key", &signed.signing_key.serialize_pem()),
        "--tls-auth-clients",
        "no",
    ]);
    let options = patiently();
    let url = format!("rediss://:open%20sesame@localhost:{tls}/2");
    let trusting = options.clone().root_certificate(certificate);
    let store = trusting.connect(&url).await.unwrap();
    store
        .write(key("/a"), entry(b"a", Mark::START))
        .await
        .unwrap();
    assert!(read(&store, "/a").await.unwrap().is_some());
    assert!(!format!("{store:?}").contains("sesame"));
    // A store refuses a server whose certificate it does not trust. A server refuses a store
    // without the password.
    let stranger = options.clone().connect(&url).await.unwrap();
    assert!(read(&stranger, "/a").await.is_err());
    let nobody = options.connect(&server.url()).await.unwrap();
    assert!(read(&nobody, "/a").await.is_err());
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test]
async fn an_invalid_url_or_certificate_is_an_error() {
    for url in [
        "",
        "localhost",
        "http://localhost",
        "redis://",
        "redis://h:port",
    ] {
        let error = RedisStore::connect(url).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "this is no URL of a Redis server",
            "{url}"
        );
    }
    let options = RedisStore::options().root_certificate("no certificate");
    let error = options.connect("rediss://localhost").await.unwrap_err();
    assert_eq!(error.to_string(), "this is no certificate in PEM");
}
