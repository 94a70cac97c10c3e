//! Checks that a store which comes back as an earlier one makes nothing valid again.
//!
//! Each check is a short history of a few instances. An instance does what a cache does: it has the
//! record in force up to one mark, remembers what it has read, and stamps what it renders. The truth
//! is what information can have reached whom: an instance must not use content whose render began
//! before an invalidation of which it can know.

use std::collections::{BTreeSet, HashMap};

use super::{Checked, Loss, entry, one};
use crate::store::{EntryKey, Epoch, Invalidation, Mark, Store, Tag};

/// The histories, each with the number of times that floors rise. The first ones were found by
/// looking for the shortest that breaks a simpler rule.
///
/// `poll(0)` asks the store as instance 0; `inv(0,x)` invalidates `x`; `get(0,x)` reads `x`, or
/// renders it, and `write(0)` writes what was rendered first; `restart(0)` begins anew with an empty
/// memory. `remember`, `back` and `empty` change the store.
const HISTORIES: &[(&str, usize)] = &[
    // Numbers alone: as many new invalidations as were lost.
    (
        "poll(0) remember inv(0,y) get(0,x) back inv(1,x) poll(0) get(0,x)",
        1,
    ),
    // A late write from before the loss, with a number that was given again.
    (
        "remember inv(1,y) get(1,x) back inv(0,x) write(1) get(0,x)",
        1,
    ),
    // A late write after the store was emptied.
    ("inv(0,x) empty get(0,x) inv(1,x) write(0) get(1,x)", 1),
    // The same tag is invalidated again, so a hash of the history would be the same.
    (
        "remember inv(0,x) get(0,x) back inv(1,x) poll(0) get(0,x)",
        1,
    ),
    (
        "poll(0) remember inv(1,y) get(1,x) back inv(0,x) write(1) get(0,x)",
        1,
    ),
    // The floor has to be above the numbers of whoever asks.
    ("inv(0,x) inv(0,x) empty get(0,y) inv(0,y) get(0,y)", 1),
    // Several instances that know the same lost mark make the floors rise once.
    ("remember inv(0,x) poll(1) back poll(0) poll(1)", 1),
    (
        "remember inv(0,x) poll(1) poll(2) poll(3) poll(4) back poll(0) poll(1) poll(2) poll(3) \
         poll(4) poll(0) poll(1)",
        1,
    ),
    // One of them has not heard of the last one.
    (
        "remember inv(0,x) poll(1) inv(0,x) poll(2) poll(3) poll(4) back poll(0) poll(1) poll(2) \
         poll(3) poll(4) poll(0) poll(1)",
        2,
    ),
    // Nothing was lost: the store comes back with the same last mark.
    (
        "inv(0,x) poll(1) remember get(0,x) write(0) back poll(0) poll(1) get(1,x) restart(1) \
         get(1,x) write(1) get(0,x)",
        0,
    ),
    // An entry of the lost time is not believed after a restart.
    (
        "remember inv(0,y) get(0,x) write(0) back restart(0) inv(1,x) get(1,x) get(0,x)",
        0,
    ),
];

pub(super) async fn histories<S: Store>(
    open: &impl AsyncFn(&str) -> S,
    lose: &impl AsyncFn(&str, Loss),
) {
    for (number, (history, rises)) in HISTORIES.iter().enumerate() {
        let name = format!("loss {number}");
        let mut world = World::new(&name, history, open).await;
        for act in history.split_whitespace() {
            world.act(act, open, lose).await;
        }
        assert!(
            world.floors.len() == *rises,
            "losses: floors rise once for each mark that the store has lost, and not otherwise: \
             {} times instead of {rises} in `{history}`",
            world.floors.len()
        );
    }
}

/// Checks that a mark from long ago, whose word the store may have forgotten, is not taken for one
/// that the store knows.
pub(super) async fn too_old<S: Store>(open: &impl AsyncFn(&str) -> S) {
    let store = one(open, "old").await;
    let first = store.invalidate(&[], Invalidation::Absent).await.mark;
    // Naming a mark far above lets the numbers jump.
    let lost = Mark {
        epoch: Epoch(70_000),
        word: 1,
    };
    let floor = store.since(lost).await.until;
    assert!(
        floor.epoch > lost.epoch,
        "losses: the number rises above every number that was named: {floor:?} for {lost:?}"
    );
    store.invalidate(&[], Invalidation::Absent).await;
    let foreign = Mark {
        word: first.word.wrapping_add(1),
        ..first
    };
    let news = store.since(foreign).await;
    assert!(
        news.floor.absent == news.until.epoch && news.floor.stale == news.until.epoch,
        "losses: a mark that the store cannot know gets floors at the last number, however old it \
         is: {news:?}"
    );
    let key = EntryKey {
        build: None,
        name: "/old",
    };
    for mark in [first, foreign] {
        assert!(
            !store.take(key, entry(b"old", mark, 0)).await,
            "losses: a write from long ago is refused"
        );
    }
    store.write(key, entry(b"new", news.until, 0)).await;
    assert!(
        store.read_as(key, foreign).await.is_none(),
        "losses: whoever names a mark from long ago that the store cannot know finds nothing"
    );
}

/// Checks which marks a store takes, in a store that has lost nothing.
pub(super) async fn marks<S: Store>(store: &Checked<S>) {
    let key = EntryKey {
        build: None,
        name: "/marks",
    };
    let recorded = store.invalidate(&[], Invalidation::Absent).await;
    assert!(
        recorded.before == Mark::START,
        "invalidations: the mark before the first one is the start: {:?}",
        recorded.before
    );
    let next = store
        .invalidate_as(&[], Invalidation::Absent, recorded.mark)
        .await;
    assert!(
        next.before == recorded.mark && next.mark.word != recorded.mark.word,
        "invalidations: each comes with the mark before it, and has a word of its own: {next:?}"
    );
    let foreign = Mark {
        word: next.mark.word.wrapping_add(1),
        ..next.mark
    };
    store.write(key, entry(b"known", next.mark, 0)).await;
    assert!(
        !store.take(key, entry(b"foreign", foreign, 0)).await,
        "losses: a write is refused if its render began at a mark that the store does not know"
    );
    assert!(
        store.read_as(key, foreign).await.is_none(),
        "losses: whoever names a mark that the store does not know finds nothing"
    );
    let before = store.since(Mark::START).await;
    assert!(
        before.until == next.mark && before.floor.absent == Epoch(0),
        "losses: reading and writing raise no number: {before:?}"
    );
    let news = store.since(foreign).await;
    assert!(
        news.until.epoch > foreign.epoch && news.floor.absent == news.until.epoch,
        "losses: a mark that the store does not know raises both floors above it: {news:?}"
    );
    assert!(
        news.floor.stale == news.floor.absent,
        "losses: both floors rise: {news:?}"
    );
    let again = store.since(foreign).await;
    assert!(
        again.until == news.until,
        "losses: the floors rise once for each mark: {again:?} after {news:?}"
    );
    assert!(
        !store.take(key, entry(b"old", next.mark, 0)).await,
        "losses: a write below the floor is refused"
    );
    let third = store.invalidate(&[], Invalidation::Absent).await.mark;
    let lost = Mark {
        word: third.word.wrapping_add(1),
        ..third
    };
    let own = store.since_own(third, lost).await;
    assert!(
        own.until.epoch > third.epoch && own.floor.absent == own.until.epoch,
        "losses: the second mark that is named is checked as the first: {own:?}"
    );
}

/// Some instances in front of one store, and what each can know.
struct World<'a, S> {
    name: &'a str,
    history: &'a str,
    instances: Vec<Instance<S>>,
    /// The invalidations: their tags, and when they were carried out.
    invalidated: Vec<(String, usize)>,
    /// The invalidations that the store can know, as it is and as it was remembered.
    known: BTreeSet<usize>,
    remembered: BTreeSet<usize>,
    floors: BTreeSet<Epoch>,
    now: usize,
}

struct Instance<S> {
    store: Checked<S>,
    seen: Mark,
    floor: Epoch,
    tags: HashMap<String, Epoch>,
    /// The content: the mark at which its render began, and when that was.
    memory: HashMap<String, (Mark, usize)>,
    unwritten: Vec<(String, Mark, usize)>,
    known: BTreeSet<usize>,
}

impl<S: Store> Instance<S> {
    fn new(store: Checked<S>) -> Self {
        Self {
            store,
            seen: Mark::START,
            floor: Epoch(0),
            tags: HashMap::new(),
            memory: HashMap::new(),
            unwritten: Vec::new(),
            known: BTreeSet::new(),
        }
    }

    fn uses(&self, tag: &str, started: Mark) -> bool {
        let risen = self.tags.get(tag).copied().unwrap_or_default();
        started.epoch >= self.floor.max(risen)
    }
}

impl<'a, S: Store> World<'a, S> {
    async fn new(name: &'a str, history: &'a str, open: &impl AsyncFn(&str) -> S) -> Self {
        let mut instances = Vec::new();
        for _ in 0..5 {
            instances.push(Instance::new(one(open, name).await));
        }
        Self {
            name,
            history,
            instances,
            invalidated: Vec::new(),
            known: BTreeSet::new(),
            remembered: BTreeSet::new(),
            floors: BTreeSet::new(),
            now: 0,
        }
    }

    async fn act(
        &mut self,
        act: &str,
        open: &impl AsyncFn(&str) -> S,
        lose: &impl AsyncFn(&str, Loss),
    ) {
        self.now += 1;
        let (what, arguments) = act.split_once('(').unwrap_or((act, ""));
        let mut arguments = arguments.trim_end_matches(')').split(',');
        let who = arguments.next().and_then(|it| it.parse().ok()).unwrap_or(0);
        let tag = arguments.next().unwrap_or("");
        match what {
            "poll" => self.poll(who, None).await,
            "inv" => self.invalidate(who, tag).await,
            "get" => self.get(who, tag).await,
            "write" => self.write(who).await,
            "restart" => self.instances[who] = Instance::new(one(open, self.name).await),
            "remember" => {
                lose(self.name, Loss::Remember).await;
                self.remembered.clone_from(&self.known);
            }
            "back" => {
                lose(self.name, Loss::ComeBack).await;
                self.known.clone_from(&self.remembered);
            }
            "empty" => {
                lose(self.name, Loss::Empty).await;
                self.known.clear();
            }
            _ => unreachable!("an act of the table above"),
        }
    }

    async fn poll(&mut self, who: usize, own: Option<Mark>) {
        let instance = &mut self.instances[who];
        let news = match own {
            None => instance.store.since(instance.seen).await,
            Some(own) => instance.store.since_own(instance.seen, own).await,
        };
        assert!(
            news.until.epoch >= instance.seen.epoch,
            "losses: the numbers rise above what a caller has seen: {news:?} for {:?} in `{}`",
            instance.seen,
            self.history
        );
        instance.floor = instance.floor.max(news.floor.absent);
        for (tag, risen) in news.tags {
            let known = instance.tags.entry(tag.as_str().to_owned()).or_default();
            *known = risen.absent.max(*known);
        }
        instance.seen = news.until;
        self.known.extend(&instance.known);
        instance.known.clone_from(&self.known);
        if news.floor.absent > Epoch(0) {
            self.floors.insert(news.floor.absent);
        }
    }

    async fn invalidate(&mut self, who: usize, tag: &str) {
        let instance = &mut self.instances[who];
        let tags = [Tag::from(tag)];
        let how = Invalidation::Absent;
        let recorded = instance
            .store
            .invalidate_as(&tags, how, instance.seen)
            .await;
        let follows = recorded.before == instance.seen;
        if follows {
            instance.tags.insert(tag.to_owned(), recorded.mark.epoch);
            instance.seen = recorded.mark;
        }
        let number = self.invalidated.len();
        self.invalidated.push((tag.to_owned(), self.now));
        self.known.extend(&instance.known);
        self.known.insert(number);
        if follows {
            instance.known.insert(number);
        } else {
            self.poll(who, Some(recorded.mark)).await;
        }
    }

    async fn get(&mut self, who: usize, tag: &str) {
        if let Some(&(started, begun)) = self.instances[who].memory.get(tag)
            && self.instances[who].uses(tag, started)
        {
            return self.served(who, tag, begun);
        }
        if let Some((started, begun)) = self.read(who, tag).await
            && self.instances[who].uses(tag, started)
        {
            let memory = &mut self.instances[who].memory;
            memory.insert(tag.to_owned(), (started, begun));
            return self.served(who, tag, begun);
        }
        let instance = &mut self.instances[who];
        let rendered = (instance.seen, self.now);
        instance.memory.insert(tag.to_owned(), rendered);
        instance
            .unwritten
            .push((tag.to_owned(), rendered.0, rendered.1));
    }

    async fn read(&mut self, who: usize, tag: &str) -> Option<(Mark, usize)> {
        for _ in 0..2 {
            let instance = &self.instances[who];
            let read = instance.store.read_as(key(tag), instance.seen).await?;
            if read.started.epoch <= instance.seen.epoch {
                let begun = std::str::from_utf8(&read.body).ok()?.parse().ok()?;
                return Some((read.started, begun));
            }
            self.poll(who, None).await;
        }
        None
    }

    async fn write(&mut self, who: usize) {
        let instance = &mut self.instances[who];
        let (tag, started, begun) = instance.unwritten.remove(0);
        let written = entry(begun.to_string().as_bytes(), started, 0);
        if !instance.store.take(key(&tag), written).await {
            self.poll(who, None).await;
        }
    }

    fn served(&self, who: usize, tag: &str, begun: usize) {
        for &number in &self.instances[who].known {
            let (invalidated, when) = &self.invalidated[number];
            assert!(
                invalidated != tag || begun >= *when,
                "losses: nothing that was invalidated comes back when a store has lost that: \
                 `{tag}` for instance {who} in `{}`",
                self.history
            );
        }
    }
}

fn key(tag: &str) -> EntryKey<'_> {
    EntryKey {
        build: None,
        name: tag,
    }
}
