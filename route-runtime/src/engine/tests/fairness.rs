//! Places for renders, refreshes and reads, which no handler can take from another.

use super::*;
use crate::store::{MemoryStore, Store};

const HANGING: [Owner; 8] = [
    Owner("hangs 1"),
    Owner("hangs 2"),
    Owner("hangs 3"),
    Owner("hangs 4"),
    Owner("hangs 5"),
    Owner("hangs 6"),
    Owner("hangs 7"),
    Owner("hangs 8"),
];

const INNOCENT: Owner = Owner("innocent");

const TWO: Lifetime = Lifetime::revalidate(secs(2));

/// Asks for `count` keys of an owner at once.
fn crowd_of(cache: &Cache, owner: Owner, count: usize, origin: &Origin) -> Vec<Asking> {
    (0..count)
        .map(|id| {
            let (cache, origin) = (cache.clone(), origin.clone());
            let path = format!("/{owner}/{id}");
            tokio::spawn(async move { cache.get_of(owner, &path, &origin).await })
        })
        .collect()
}

/// Asks for more keys of each owner than there are places, all of which hang.
async fn hang(cache: &Cache, owners: &[Owner], places: usize, in_turn: bool) -> Origin {
    let hanging = Origin::gated(&Gate::closed(), |_| store("never", TWO));
    for (number, owner) in (1..).zip(owners) {
        drop(crowd_of(cache, *owner, 2 * places + 2, &hanging));
        if in_turn {
            cache.until_missed(number * (2 * places as u64 + 2)).await;
        }
    }
    cache
        .until_missed(owners.len() as u64 * (2 * places as u64 + 2))
        .await;
    hanging
}

#[tokio::test]
async fn handlers_that_hang_leave_places_for_the_renders_of_another() {
    for places in [1, 2, 128] {
        for owners in [&HANGING[..3], &HANGING[..]] {
            for in_turn in [false, true] {
                let cache = Cache::with(|config| config.limits.places.renders = places);
                let hanging = hang(&cache, owners, places, in_turn).await;
                let free = places.saturating_sub(hanging.active());
                let gate = Gate::closed();
                let origin = Origin::gated(&gate, |_| store("made", TWO));
                let asking = crowd_of(&cache, INNOCENT, 200, &origin);
                until(|| origin.active() >= free.div_ceil(2).max(1)).await;
                gate.open();
                let answers = all_told(asking).await;
                assert_eq!(tally(&answers), [(200, "miss made")]);
                assert_eq!(origin.most(), free.div_ceil(2).max(1), "of {places}");
            }
        }
    }
}

#[tokio::test]
async fn a_handler_of_which_one_path_hangs_renders_its_other_paths() {
    let cache = Cache::new();
    hang(&cache, &HANGING[..2], 128, true).await;
    let hanging = Origin::gated(&Gate::closed(), |_| store("never", TWO));
    let own = cache.clone();
    tokio::spawn(async move { own.get_of(INNOCENT, "/hangs", &hanging).await });
    turns().await;
    let origin = Origin::numbers(TWO);
    let answers = all_told(crowd_of(&cache, INNOCENT, 20, &origin)).await;
    assert_eq!(answers.len(), 20);
    assert!(answers.iter().all(|told| told.starts_with("miss ")));
}

#[tokio::test]
async fn handlers_whose_refreshes_hang_leave_places_for_the_refreshes_of_another() {
    for (places, owners) in [(8, &HANGING[..3]), (8, &HANGING[..]), (1, &HANGING[..2])] {
        let cache = Cache::with(|config| config.limits.places.refreshes = places);
        let fill = Origin::numbers(TWO);
        let all = owners.iter().chain([&INNOCENT]);
        for owner in all.clone() {
            all_told(crowd_of(&cache, *owner, 2 * places + 2, &fill)).await;
        }
        cache.hands.advance(secs(2));
        let hanging = Origin::gated(&Gate::closed(), |_| store("never", TWO));
        for owner in owners {
            let answers = all_told(crowd_of(&cache, *owner, 2 * places + 2, &hanging)).await;
            assert!(answers.iter().all(|told| told.starts_with("stale ")));
        }
        let fresh = Origin::new(|_, _| async { store("fresh", TWO) });
        for id in 0..2 * places + 2 {
            let path = format!("/{INNOCENT}/{id}");
            cache.get_of(INNOCENT, &path, &fresh).await.unwrap();
            until(|| fresh.runs() > id && fresh.active() == 0).await;
            turns().await;
            let answer = cache.get_of(INNOCENT, &path, &fresh).await;
            assert_eq!(told(&answer), "hit fresh");
        }
    }
}

#[tokio::test]
async fn a_thousand_keys_of_one_handler_at_once_are_all_rendered() {
    let cache = Cache::new();
    let origin = Origin::new(|_, _| async {
        turns().await;
        store("made", TWO)
    });
    let answers = all_told(crowd_of(&cache, INNOCENT, 1000, &origin)).await;
    assert_eq!(tally(&answers), [(1000, "miss made")]);
    assert_eq!(origin.most(), 64);
}

/// Each asks the next through a service that does not say for whom it asks.
#[tokio::test]
async fn a_chain_of_five_handlers_through_a_foreign_service_does_not_block_itself() {
    fn link(cache: &Cache, rest: &'static [Owner], id: usize) -> Origin {
        let cache = cache.clone();
        Origin::new(move |_, _| {
            let cache = cache.clone();
            async move {
                // All wait here until the others have taken their places too.
                turns().await;
                let Some((next, rest)) = rest.split_first() else {
                    return store("end", TWO);
                };
                let origin = link(&cache, rest, id);
                let asked = async move {
                    let path = format!("/{next}/{id}");
                    cache.get_of(*next, &path, &origin).await
                };
                let answer = tokio::spawn(asked).await.expect("requests do not panic");
                store(body(&answer.expect("it is answered")), TWO)
            }
        })
    }
    let cache = Cache::new();
    let asking = (0..200).map(|id| {
        let (cache, origin) = (cache.clone(), link(&cache, &HANGING[1..5], id));
        tokio::spawn(async move {
            let path = format!("/{}/{id}", HANGING[0]);
            cache.get_of(HANGING[0], &path, &origin).await
        })
    });
    let answers = all_told(asking.collect()).await;
    assert_eq!(tally(&answers), [(200, "miss end")]);
}

#[tokio::test]
async fn a_path_that_the_store_holds_is_answered_while_its_handler_hangs() {
    let shared = Arc::new(MemoryStore::new(10_000_000));
    let cache = || {
        let shared = Arc::clone(&shared);
        Cache::with(|config| config.store = Some(shared as Arc<dyn Store>))
    };
    let (first, second) = (cache(), cache());
    let origin = Origin::numbers(Lifetime::FOREVER);
    let path = format!("/{}/kept", HANGING[0]);
    first.get_of(HANGING[0], &path, &origin).await.unwrap();
    first.engine.settled().await;

    hang(&second, &HANGING[..1], 128, true).await;
    let answer = second.get_of(HANGING[0], &path, &origin).await;
    assert_eq!(told(&answer), "hit 1");
}

#[tokio::test]
async fn places_come_back_from_renders_that_fail_and_from_requests_that_hang_up() {
    let cache = Cache::with(|config| config.limits.places.renders = 4);
    let panicking = Origin::new(|_, _| async { panic!("expected by a test") });
    let answers = all_told(crowd_of(&cache, INNOCENT, 100, &panicking)).await;
    assert_eq!(answers.len(), 100);
    let hanging = Origin::gated(&Gate::closed(), |_| store("never", TWO));
    let cancelled = crowd_of(&cache, HANGING[0], 100, &hanging);
    cache.until_missed(200).await;
    cancelled.iter().for_each(Asking::abort);
    let shares = cache.engine.stats().shares;
    assert_eq!((shares[0].running, shares[0].waiting), (2, 98));
    // Those under way run into their limit, and those that wait are turned away.
    cache.hands.advance(secs(10));
    turns().await;
    cache.hands.advance(LIMIT);
    cache.engine.settled().await;
    let shares = cache.engine.stats().shares;
    let [share] = &shares[..] else {
        panic!("{shares:?}");
    };
    assert_eq!(share.handler, HANGING[0].0);
    assert_eq!((share.running, share.waiting, share.overloaded), (0, 0, 98));
    let answers = all_told(crowd_of(&cache, INNOCENT, 0, &panicking)).await;
    assert!(answers.is_empty());
}
