//! Tests of users with few rights, and of TLS with several servers.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use route_runtime::store::{Lease, LeaseToken};

use super::*;
use crate::faults::recovers;
use crate::sharding::Shards;

const GUIDE: &str = include_str!("../../route-runtime/docs/guide/instances.md");

/// Returns the rules for a user that the guide gives, all those lines that have this word.
fn rules(word: &str) -> Vec<&'static str> {
    let lines = GUIDE
        .lines()
        .filter(|line| line.starts_with("ACL SETUSER "));
    let words = lines.map(|line| line.split(' ').collect::<Vec<_>>());
    let rules = words.flatten().collect::<Vec<_>>();
    let mut rules = rules
        .split(|it| *it == "ACL")
        .filter(|it| it.contains(&word));
    let found = rules.next().expect("the guide has it").to_vec();
    assert_eq!(found[..2], ["SETUSER", "app"]);
    assert_eq!(rules.next(), None);
    [&["ACL"], &found[..]].concat()
}

/// Makes every call that a store makes. Returns the errors, each with its causes.
async fn everything(store: &RedisStore) -> Vec<String> {
    let mut errors = Vec::new();
    let mut check = |error: Option<StoreError>| {
        let Some(error) = error else { return };
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text += &format!(": {error}");
            cause = error.source();
        }
        errors.push(text);
    };
    let minute = Duration::from_secs(60);
    // A record that has lost a part is made anew.
    check(store.invalidations(Mark::START, None).await.err());
    check(store.write(key("/a"), entry(b"a", Mark::START)).await.err());
    check(read(store, "/a").await.err());
    // Reading this one makes the store keep it for longer, in the background.
    let unlisted = StoredEntry {
        listed: false,
        ..entry(b"b", Mark::START)
    };
    check(store.write(key("/b"), unlisted).await.err());
    check(read(store, "/b").await.err());
    check(store.remove(key("/a")).await.err());
    for how in [Invalidation::Absent, Invalidation::Stale] {
        check(
            store
                .invalidate(&tags(&["t"]), how, Mark::START)
                .await
                .err(),
        );
        // A name that is too long is forgotten at once.
        let long = Tag::new("x".repeat(8 * 1024 * 1024 + 1));
        check(store.invalidate(&[long], how, Mark::START).await.err());
    }
    check(store.invalidations(Mark::START, None).await.err());
    let granted = store.lease(key("/a"), minute).await;
    check(store.lease(key("/a"), minute).await.err());
    let token = match granted {
        Ok(Lease::Granted(token)) => token,
        Ok(Lease::Held(_)) => LeaseToken(1),
        Err(error) => {
            check(Some(error));
            LeaseToken(1)
        }
    };
    check(store.renew(key("/a"), token, minute).await.err());
    check(store.release(key("/a"), token).await.err());
    errors
}

fn nothing_fails(errors: &[String]) {
    assert!(errors.is_empty(), "{errors:#?}");
}

#[tokio::test]
async fn a_user_needs_exactly_the_commands_that_the_guide_lists() {
    let server = Redis::start();
    let url = format!("redis://app:secret@127.0.0.1:{}/1", server.port);
    let user = rules("+hset");
    assert_eq!(server.ask(&user), "OK");
    let store = patient(&url).await;
    nothing_fails(&everything(&store).await);
    // This one hears of changes, too.
    crate::sharding::hears(&store).await;

    let commands = user.iter().filter_map(|rule| rule.strip_prefix('+'));
    for command in commands {
        server.ask(&["FLUSHALL"]);
        server.ask(&["SCRIPT", "FLUSH"]);
        server.ask(&["ACL", "LOG", "RESET"]);
        assert_eq!(server.ask(&user), "OK");
        let without = format!("-{command}");
        assert_eq!(server.ask(&["ACL", "SETUSER", "app", &without]), "OK");
        // Entries are looked for only to make room for invalidations.
        let limit = if command == "scan" { "1mb" } else { "0" };
        server.ask(&["CONFIG", "SET", "maxmemory", limit]);
        let errors = everything(&patient(&url).await).await;
        let refused = format!("permissions to run the '{command}' command");
        // Redis 7.0 does not say which command a script may not run, except in its own log.
        let unnamed = "script can't run this command";
        if matches!(command, "hget" | "pexpireat") {
            // Nothing waits for what is done in the background.
            recovers(async || match server.ask(&["ACL", "LOG"]) {
                log if log.lines().any(|line| line == command) => Ok(()),
                log => Err(StoreError::new(log)),
            })
            .await;
            continue;
        }
        let log = server.ask(&["ACL", "LOG"]);
        let found = errors.iter().any(|it| it.contains(&refused))
            || errors.iter().any(|it| it.contains(unnamed))
                && log.lines().any(|line| line == command);
        assert!(found, "{command}: {errors:#?} {log}");
    }
}

#[tokio::test]
async fn a_user_reaches_only_the_keys_and_the_channel_of_its_prefix() {
    let server = Redis::start();
    let url = format!("redis://app:secret@127.0.0.1:{}", server.port);
    let user = rules("+hset");
    assert_eq!(server.ask(&user), "OK");
    // Without the right to listen, there is no connection.
    let other = patiently().prefix("other").connect(&url).await.unwrap();
    let errors = everything(&other).await;
    assert!(
        errors.iter().all(|it| it.to_lowercase().contains("perm")),
        "{errors:#?}"
    );
    assert!(
        errors.iter().any(|it| it.contains("channel")),
        "{errors:#?}"
    );
    assert_eq!(server.ask(&["ACL", "SETUSER", "app", "&{other}:*"]), "OK");
    let other = patiently().prefix("other").connect(&url).await.unwrap();
    let errors = everything(&other).await;
    assert!(errors.iter().all(|it| it.contains("keys")), "{errors:#?}");
    assert_eq!(server.ask(&["DBSIZE"]), "0");
}

#[tokio::test]
async fn a_user_in_a_cluster_needs_two_more_commands() {
    let shards = Shards::start();
    let name = |node: &Redis| format!("redis-cluster://app:secret@127.0.0.1:{}", node.port);
    let url = name(&shards.nodes[1]);
    for node in &shards.nodes {
        assert_eq!(node.ask(&rules("+hset")), "OK");
    }
    let errors = everything(&patient(&url).await).await;
    assert!(
        errors.iter().all(|it| it.contains("'cluster|slots'")),
        "{errors:#?}"
    );
    assert!(!errors.is_empty());
    for node in &shards.nodes {
        assert_eq!(node.ask(&rules("+asking")), "OK");
    }
    let store = patient(&url).await;
    nothing_fails(&everything(&store).await);
    // The slot begins to move: what is not here is asked for there.
    let [home, other, _] = &shards.nodes;
    let _moving = crate::sharding::Move::begin(home, other);
    assert_eq!(read(&store, "/none").await.unwrap(), None);
    assert_eq!(other.ask(&["ACL", "SETUSER", "app", "-asking"]), "OK");
    let error = read(&store, "/none").await.unwrap_err();
    let cause = error.source().unwrap().to_string();
    assert!(cause.contains("'asking'"), "{cause}");
}

#[tokio::test]
async fn users_with_sentinels_need_three_more_commands() {
    let server = Redis::start();
    let watch = format!("sentinel monitor main 127.0.0.1 {} 1\n", server.port);
    let sentinel = Redis::sentinel(&watch, &[]);
    assert_eq!(server.ask(&rules("+hset")), "OK");
    assert_eq!(server.ask(&rules("+role")), "OK");
    let user = rules("+sentinel|master");
    assert_eq!(sentinel.ask(&user), "OK");
    let url = format!(
        "redis-sentinel://app:secret@127.0.0.1:{}/main/1?sentinel_user=app&sentinel_password=secret",
        sentinel.port
    );
    nothing_fails(&everything(&patient(&url).await).await);
    for command in [
        "sentinel|master",
        "sentinel|get-master-addr-by-name",
        "role",
    ] {
        let at = if command == "role" {
            &server
        } else {
            &sentinel
        };
        let without = format!("-{command}");
        assert_eq!(at.ask(&["ACL", "SETUSER", "app", &without]), "OK");
        let error = read(&patient(&url).await, "/a")
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(&format!("'{command}'")), "{error}");
        let with = format!("+{command}");
        assert_eq!(at.ask(&["ACL", "SETUSER", "app", &with]), "OK");
    }
}

/// A certificate for this machine, in files.
struct Certificate {
    directory: PathBuf,
    pem: String,
}

impl Certificate {
    fn make(name: &str) -> Self {
        let signed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let directory = format!("route-tls-{name}-{}", std::process::id());
        let directory = std::env::temp_dir().join(directory);
        fs::create_dir_all(&directory).unwrap();
        let pem = signed.cert.pem();
        fs::write(directory.join("certificate"), &pem).unwrap();
        let key = signed.signing_key.serialize_pem();
        fs::write(directory.join("key"), key).unwrap();
        Self { directory, pem }
    }

    /// Returns the options of a server that speaks TLS on this port, also to other servers.
    fn options(&self, port: u16) -> Vec<String> {
        let file = |name: &str| self.directory.join(name).display().to_string();
        let options = [
            ("--tls-port", port.to_string()),
            ("--tls-cert-file", file("certificate")),
            ("--tls-key-file", file("key")),
            ("--tls-ca-cert-file", file("certificate")),
            ("--tls-auth-clients", "no".to_owned()),
            ("--tls-replication", "yes".to_owned()),
        ];
        options
            .into_iter()
            .flat_map(|(name, value)| [name.to_owned(), value])
            .collect()
    }

    async fn connect(&self, url: &str) -> RedisStore {
        let options = patiently().root_certificate(self.pem.as_str());
        options.connect(url).await.unwrap()
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.directory).ok();
    }
}

#[tokio::test]
async fn a_store_in_a_cluster_speaks_tls_with_every_node() {
    let certificate = Certificate::make("cluster");
    let mut ports = Vec::new();
    let shards = Shards::with(|| {
        let port = tests::free_port();
        ports.push(port);
        let mut options = certificate.options(port);
        options.extend(["--tls-cluster", "yes"].map(String::from));
        options
    });
    // This node knows that another one has the keys.
    let url = format!("rediss-cluster://127.0.0.1:{}", ports[1]);
    let store = certificate.connect(&url).await;
    nothing_fails(&everything(&store).await);
    crate::sharding::hears(&store).await;
    let clients = shards.nodes[0].ask(&["CLIENT", "LIST"]);
    let at = format!("laddr=127.0.0.1:{} ", ports[0]);
    // The replica is a client, too.
    let by_tls = |line: &&str| line.contains(&at) && !line.contains(" flags=S ");
    assert_eq!(clients.lines().filter(by_tls).count(), 3, "{clients}");
    let stranger = read(&patient(&url).await, "/a")
        .await
        .unwrap_err()
        .to_string();
    assert!(stranger.contains("certificate"), "{stranger}");
}

#[tokio::test]
async fn a_store_speaks_tls_with_sentinels_and_with_the_server_that_they_name() {
    let certificate = Certificate::make("sentinel");
    let [at, sentinel_at] = [tests::free_port(), tests::free_port()];
    let options = certificate.options(at);
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    let server = Redis::with(&[&["--save", ""], &options[..]].concat());
    let watch = format!("sentinel monitor main 127.0.0.1 {at} 1\n");
    let options = certificate.options(sentinel_at);
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    let _sentinel = Redis::sentinel(&watch, &options);
    let url = format!("rediss-sentinel://127.0.0.1:{sentinel_at}/main");
    let store = certificate.connect(&url).await;
    recovers(async || store.write(key("/a"), entry(b"a", Mark::START)).await).await;
    nothing_fails(&everything(&store).await);
    let clients = server.ask(&["CLIENT", "LIST"]);
    let at = format!("laddr=127.0.0.1:{at} ");
    assert!(clients.contains(&at), "{clients}");
}
