//! A new engine in front of the store that an old engine left.

use super::*;

#[tokio::test]
async fn entries_and_invalidations_outlive_the_engine() {
    let cluster = Cluster::new();
    let origin = Origin::numbers(Lifetime::FOREVER);
    let old = cluster.instance().await;
    old.rendered("/a", &origin).await;
    old.rendered("/b", &origin).await;
    old.invalidate("/b").await;
    old.rendered("/c", &origin).await;
    drop(old);
    let new = cluster.instance().await;
    assert_eq!(new.told("/a", &origin).await, "hit 1");
    assert_eq!(new.rendered("/b", &origin).await, "miss 4");
    assert_eq!(new.told("/c", &origin).await, "hit 3");
    // The numbers of new invalidations are above every stored stamp, so they reach all entries.
    for path in ["/a", "/b", "/c"] {
        new.invalidate(path).await;
        let told = new.rendered(path, &origin).await;
        assert!(told.starts_with("invalidated"), "{path}: {told}");
    }
}

#[tokio::test]
async fn the_age_of_an_entry_goes_on_by_the_wall_clock() {
    let cluster = Cluster::new();
    let origin = Origin::numbers(TWO.expire(secs(10)));
    let old = cluster.instance().await;
    old.rendered("/a", &origin).await;
    drop(old);
    cluster.pass(secs(1)).await;
    let new = cluster.instance().await;
    let answer = new.get("/a", &origin).await.unwrap();
    assert_eq!((body(&answer), answer.age), ("1", secs(1)));
    drop(new);
    cluster.pass(secs(4)).await;
    let new = cluster.instance().await;
    let answer = new.get("/a", &origin).await.unwrap();
    assert_eq!((&*told(&Ok(answer)), origin.runs()), ("stale 1", 1));
    new.settled().await;
    assert_eq!(new.told("/a", &origin).await, "hit 2");
    drop(new);
    cluster.pass(secs(10)).await;
    let new = cluster.instance().await;
    assert_eq!(new.told("/a", &origin).await, "miss 3");
}

#[tokio::test]
async fn a_recalled_entry_is_neither_rendered_nor_refreshed() {
    let cluster = Cluster::new();
    let origin = Origin::numbers(TWO);
    let old = cluster.instance().await;
    old.rendered("/a", &origin).await;
    old.rendered("/thrown-away", &origin).await;
    old.invalidate("/thrown-away").await;
    cluster.pass(secs(3)).await;
    let new = cluster.instance().await;
    let recall = async |path| new.engine.recall(&Key::new(path), None).await;
    assert!(recall("/a").await);
    assert!(!recall("/thrown-away").await);
    assert!(!recall("/never").await);
    new.settled().await;
    assert_eq!(origin.runs(), 2);
    assert_eq!(new.told("/a", &origin).await, "stale 1");
    new.settled().await;
    // The entry in memory is newer.
    assert!(!recall("/a").await);
    assert_eq!(new.told("/a", &origin).await, "hit 3");

    let slot = new.engine.slot();
    old.get_slot(&old.engine.slot(), &origin).await.unwrap();
    old.settled().await;
    assert!(new.engine.recall(&Key::new("/slot"), Some(&slot)).await);
    assert!(new.engine.lookup_slot(&slot, OWNER).is_some());
}

#[tokio::test]
async fn another_build_sees_data_and_no_pages() {
    let cluster = Cluster::new();
    let origin = Origin::numbers(Lifetime::FOREVER);
    let old = cluster.instance().await;
    old.rendered("/a", &origin).await;
    old.rendered("data", &origin).await;
    let new = cluster.made(true, |config| config.build = "next".into());
    new.follow().await;
    assert_eq!(new.rendered("/a", &origin).await, "miss 3");
    assert_eq!(new.told("data", &origin).await, "hit 2");
    // An invalidation reaches both builds.
    new.invalidate("/a").await;
    turns().await;
    assert_eq!(old.told("/a", &origin).await, "invalidated 4");
}
