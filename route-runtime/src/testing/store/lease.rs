//! Checks of leases: there is one holder at a time, and never for ever.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::storm::resume;
use super::{Checked, page};
use crate::store::{EntryKey, Lease, LeaseToken, Store};

const LONG: Duration = Duration::from_secs(600);

fn granted(lease: Lease, when: &str) -> LeaseToken {
    match lease {
        Lease::Granted(token) => token,
        Lease::Held(_) => panic!("leases: one is granted {when}"),
    }
}

fn held(lease: Lease, longest: Duration, when: &str) {
    match lease {
        Lease::Granted(_) => panic!("leases: one is held {when}"),
        Lease::Held(left) => assert!(
            !left.is_zero() && left <= longest,
            "leases: who must wait is told for how long at most: {left:?} of {longest:?}"
        ),
    }
}

/// Checks that a lease is granted, held and given back, and that nobody can give back the lease of
/// another holder.
pub(super) async fn one_holder<S: Store>([here, there]: &[Checked<S>; 2]) {
    let key = page("/leased");
    let token = granted(here.lease(key, LONG).await, "that nobody holds");
    held(there.lease(key, LONG).await, LONG, "by another instance");
    held(here.lease(key, LONG).await, LONG, "by the same instance");
    let others = [
        page("/other"),
        EntryKey { build: None, ..key },
        EntryKey {
            build: Some("build-2"),
            ..key
        },
    ];
    for other in others {
        granted(there.lease(other, LONG).await, "of each key for itself");
    }
    there
        .release(key, LeaseToken(token.0.wrapping_add(1)))
        .await;
    held(
        there.lease(key, LONG).await,
        LONG,
        "though another token was given back",
    );
    here.release(key, token).await;
    let next = granted(there.lease(key, LONG).await, "that was given back");
    assert!(next != token, "leases: each has a token of its own");
    here.release(key, token).await;
    held(
        here.lease(key, LONG).await,
        LONG,
        "though its last holder gives it back again",
    );
    there.release(key, next).await;
    there.release(key, next).await;
    granted(here.lease(key, LONG).await, "that was given back twice");
}

/// Checks that a lease is granted "for at most `length`".
pub(super) async fn run_out<S: Store>([here, there]: &[Checked<S>; 2]) {
    let key = page("/run-out");
    let short = Duration::from_millis(60);
    let stale = granted(here.lease(key, short).await, "that nobody holds");
    let deadline = Instant::now() + Duration::from_secs(10);
    let taken = loop {
        match there.lease(key, LONG).await {
            Lease::Granted(token) => break token,
            Lease::Held(left) => {
                assert!(
                    left <= short && Instant::now() < deadline,
                    "leases: one whose holder has died runs out"
                );
                tokio::time::sleep(left).await;
            }
        }
    };
    here.release(key, stale).await;
    held(
        here.lease(key, LONG).await,
        LONG,
        "though one that had run out is given back",
    );
    there.release(key, taken).await;
}

/// Checks that only one of many callers at once is granted the lease.
pub(super) async fn contended<S: Store>(stores: &[Checked<S>; 2]) {
    let mut tasks = JoinSet::new();
    for task in 0..16 {
        let store = stores[task % 2].clone();
        tasks.spawn(async move { store.lease(page("/contended"), LONG).await });
    }
    let mut holders = 0;
    while let Some(lease) = tasks.join_next().await.transpose().unwrap_or_else(resume) {
        holders += usize::from(matches!(lease, Lease::Granted(_)));
    }
    assert!(
        holders == 1,
        "leases: of sixteen who ask at once one is granted, and not {holders}"
    );
}

/// Checks that the holder of a lease, and nobody else, moves its end.
pub(super) async fn renewed<S: Store>([here, there]: &[Checked<S>; 2]) {
    let key = page("/renewed");
    let short = Duration::from_secs(60);
    let token = granted(here.lease(key, short).await, "that nobody holds");
    let other = LeaseToken(token.0.wrapping_add(1));
    assert!(
        !there.renew(key, other, LONG).await,
        "leases: only its holder renews one"
    );
    held(there.lease(key, LONG).await, short, "that another renewed");
    assert!(
        here.renew(key, token, LONG).await,
        "leases: its holder can renew one"
    );
    match there.lease(key, LONG).await {
        Lease::Held(left) => assert!(
            left > short && left <= LONG,
            "leases: one that is renewed lasts for the new length from then on: {left:?} of {LONG:?}"
        ),
        Lease::Granted(_) => panic!("leases: one is held that was renewed"),
    }
    here.release(key, token).await;
    assert!(
        !here.renew(key, token, LONG).await,
        "leases: one that was given back cannot be renewed"
    );
    let next = granted(there.lease(key, LONG).await, "that nobody holds any more");
    there.release(key, next).await;
}
