//! Checks of invalidations: they are numbered, durable and never lost.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::storm::resume;
use super::{Checked, entry, page};
use crate::store::{Epoch, Invalidation, Invalidations, Mark, Risen, Store, Tag};

const PATIENCE: Duration = Duration::from_secs(10);

fn tags(names: &[&str]) -> Vec<Tag> {
    names.iter().map(|&name| Tag::from(name)).collect()
}

fn risen(absent: u64, stale: u64) -> Risen {
    Risen {
        absent: Epoch(absent),
        stale: Epoch(stale),
    }
}

fn by_tag(news: &Invalidations) -> HashMap<&str, Risen> {
    let known: HashMap<_, _> = news
        .tags
        .iter()
        .map(|(tag, it)| (tag.as_str(), *it))
        .collect();
    assert!(
        known.len() == news.tags.len(),
        "invalidations: each tag is listed once"
    );
    known
}

/// Checks that the record is a state: each tag with its latest epochs, of both kinds.
pub(super) async fn state<S: Store>(store: &Checked<S>) {
    assert!(
        store.since(Mark::START).await == Invalidations::default(),
        "invalidations: in an empty store there are none"
    );
    store
        .write(page("/kept"), entry(b"kept", Mark::START, 1))
        .await;
    let mut marks = vec![Mark::START];
    let odd = ["", "\0\n", "日本", "a b", "A", "a"];
    for (number, (names, how)) in [
        (&["a", "b"][..], Invalidation::Absent),
        (&["a"], Invalidation::Stale),
        (&["b", "b"], Invalidation::Absent),
        (&[], Invalidation::Absent),
        (&odd, Invalidation::Stale),
    ]
    .into_iter()
    .enumerate()
    {
        let mark = store.invalidate(&tags(names), how).await.mark;
        marks.push(mark);
        let epoch = mark.epoch;
        assert!(
            epoch == Epoch(number as u64 + 1),
            "invalidations: they are numbered from 1 without gaps, one number for each call: \
             {epoch:?} for call {}",
            number + 1
        );
    }
    let all = store.since(Mark::START).await;
    assert!(
        all.until == marks[5] && all.floor == Risen::default(),
        "invalidations: everything up to the last is included, and nothing is forgotten: {:?} {:?}",
        all.until,
        all.floor
    );
    let mut expected = HashMap::from([("a", risen(1, 5)), ("b", risen(3, 0))]);
    expected.extend(odd[..5].iter().map(|&tag| (tag, risen(0, 5))));
    assert!(
        by_tag(&all) == expected,
        "invalidations: each tag comes with the latest epoch of each kind: {all:?}"
    );
    let later = store.since(marks[3]).await;
    assert!(
        later.until == marks[5]
            && odd
                .iter()
                .all(|tag| by_tag(&later).get(tag).is_some_and(|it| it.stale.0 == 5))
            && !by_tag(&later).contains_key("b"),
        "invalidations: those above a number are listed, and no others: {later:?}"
    );
    let again = store.since(marks[3]).await;
    assert!(
        by_tag(&again) == by_tag(&later) && again.until == later.until,
        "invalidations: asking changes nothing"
    );
    let none = store.since(marks[5]).await;
    assert!(
        none.until == marks[5] && none.tags.is_empty(),
        "invalidations: above the last there are none: {none:?}"
    );
    assert!(
        store.read(page("/kept")).await.is_some(),
        "invalidations: a store deletes no entries because of them"
    );
    ten_thousand(store).await;
}

async fn ten_thousand<S: Store>(store: &Checked<S>) {
    let many: Vec<_> = (0..10_000).map(|n| Tag::new(format!("tag {n}"))).collect();
    let recorded = store.invalidate(&many, Invalidation::Absent).await;
    let epoch = recorded.mark.epoch;
    let news = store.since(recorded.before).await;
    let known = by_tag(&news);
    assert!(
        news.floor.absent >= epoch || many.iter().all(|it| known[it.as_str()].absent == epoch),
        "invalidations: ten thousand tags of one call are all recorded"
    );
}

/// Checks that invalidations are numbered "upwards from 1 and without gaps", whichever instances
/// call and however many calls there are at once.
pub(super) async fn numbered<S: Store>(stores: &[Checked<S>; 2]) {
    const TASKS: u64 = 8;
    const CALLS: u64 = 25;
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let store = stores[usize::from(task % 2 == 0)].clone();
        tasks.spawn(async move {
            let mut given = Vec::new();
            for call in 0..CALLS {
                let tag = Tag::new(format!("{task}-{call}"));
                let recorded = store
                    .invalidate(std::slice::from_ref(&tag), Invalidation::Absent)
                    .await;
                let epoch = recorded.mark.epoch;
                assert!(
                    given.last().is_none_or(|(_, last)| *last < epoch),
                    "invalidations: the numbers one caller is given go up"
                );
                let news = store.since(recorded.before).await;
                assert!(
                    news.until.epoch >= epoch && news.tags.iter().any(|(it, _)| *it == tag),
                    "invalidations: what was recorded is included from then on"
                );
                given.push((tag, epoch));
            }
            given
        });
    }
    let mut given = Vec::new();
    while let Some(part) = tasks.join_next().await.transpose().unwrap_or_else(resume) {
        given.extend(part);
    }
    let numbers: BTreeSet<_> = given.iter().map(|(_, epoch)| epoch.0).collect();
    assert!(
        numbers.into_iter().eq(1..=TASKS * CALLS),
        "invalidations: of many at once each has a number of its own, without gaps"
    );
    for store in stores {
        let news = store.since(Mark::START).await;
        let known = by_tag(&news);
        assert!(
            given.iter().all(|(tag, epoch)| known
                .get(tag.as_str())
                .is_some_and(|it| it.absent == *epoch)),
            "invalidations: every instance knows the number each call was given"
        );
    }
}

/// Checks that "the tags that it forgets raise the floor".
pub(super) async fn many<S: Store>(store: &Checked<S>) {
    let mut given = Vec::new();
    for batch in 0..70 {
        let tags: Vec<_> = (0..1000)
            .map(|n| Tag::new(format!("{batch}/{n}")))
            .collect();
        let how = if batch % 2 == 0 {
            Invalidation::Absent
        } else {
            Invalidation::Stale
        };
        let epoch = store.invalidate(&tags, how).await.mark.epoch;
        given.extend(tags.into_iter().map(|tag| (tag, how, epoch)));
    }
    let news = store.since(Mark::START).await;
    let known = by_tag(&news);
    for (tag, how, epoch) in given {
        let listed = known.get(tag.as_str()).copied().unwrap_or_default();
        let (listed, floor) = match how {
            Invalidation::Absent => (listed.absent, news.floor.absent),
            // Content that is absent is more than stale.
            Invalidation::Stale => (listed.stale, news.floor.stale.max(news.floor.absent)),
        };
        assert!(
            listed == epoch || floor >= epoch,
            "invalidations: of 70 000 tags none is lost; what is forgotten raises the floor: \
             {tag} at {epoch:?}, but {listed:?} and {floor:?}"
        );
    }
    assert!(
        news.floor.latest() < Epoch(70),
        "invalidations: the latest of 70 000 tags are not forgotten"
    );
}

/// Records some invalidations for [`outlived`], and returns them.
pub(super) async fn recorded<S: Store>(store: &Checked<S>) -> Invalidations {
    store
        .invalidate(&tags(&["a", "b"]), Invalidation::Absent)
        .await;
    store.invalidate(&tags(&["b"]), Invalidation::Stale).await;
    store.since(Mark::START).await
}

/// Checks that "when the future of `invalidate` resolves with `Ok`, the invalidation is durable".
pub(super) async fn outlived<S: Store>(store: &Checked<S>, before: &Invalidations) {
    let after = store.since(Mark::START).await;
    assert!(
        by_tag(&after) == by_tag(before) && after.until == before.until,
        "invalidations: they outlive the instance that recorded them: {before:?} became {after:?}"
    );
    assert!(
        store.invalidate(&[], Invalidation::Absent).await.mark.epoch == Epoch(3),
        "invalidations: the number outlives the instance that gave it"
    );
}

/// Checks that `changed` "resolves when others may have recorded invalidations since the last
/// call".
pub(super) async fn told<S: Store>(here: &Checked<S>, there: &Checked<S>) {
    let mut seen = Mark::START;
    for round in 1..=5 {
        // Every second round invalidates between two calls of `changed`, the others during one.
        let listening = (round % 2 == 0).then(|| here.0.changed());
        let given = there
            .invalidate(&tags(&["a"]), Invalidation::Absent)
            .await
            .mark;
        let caught_up = async {
            if let Some(listening) = listening {
                super::done("changed", listening.await);
                seen = here.since(seen).await.until;
            }
            // `changed` may resolve without an invalidation, so it is called until there is one.
            while seen.epoch < given.epoch {
                super::done("changed", here.0.changed().await);
                seen = here.since(seen).await.until;
            }
        };
        assert!(
            timeout(PATIENCE, caught_up).await.is_ok(),
            "changes: an instance is told of what another one has recorded (round {round})"
        );
    }
}
