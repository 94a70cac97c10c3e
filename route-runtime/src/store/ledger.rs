//! The record of invalidations, tag by tag, in bounded memory.

use std::collections::HashMap;

use super::{Epoch, Invalidation, Invalidations, Mark, Risen, Tag};

/// The standing of content after the invalidations since its render began.
///
/// The variants are ordered from worst to best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// A tag of the content was made absent: the content must not be used.
    Absent,
    /// A tag of the content was made stale.
    Stale,
    /// Nothing that the content depends on was invalidated.
    Valid,
}

/// The record of the epochs at which tags were invalidated.
///
/// It holds at most `capacity` tags, and at most [`BYTES`] bytes of their names, because a client
/// may have a say in how long they are. A tag that is forgotten raises a floor below which all
/// content counts as invalidated: forgetting costs renders, never correctness.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    tags: HashMap<Tag, Risen>,
    /// The bytes of all tag names together.
    bytes: usize,
    floor: Risen,
    capacity: usize,
}

/// The most bytes of names that are remembered: as many as 65 536 names of 256 bytes have.
const BYTES: usize = 16 * 1024 * 1024;

impl Ledger {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            tags: HashMap::new(),
            bytes: 0,
            floor: Risen::default(),
            capacity: capacity.max(1),
        }
    }

    /// Records that `tag` was invalidated at `epoch`. Never lowers a recorded epoch.
    pub(crate) fn raise(&mut self, tag: &Tag, how: Invalidation, epoch: Epoch) {
        let mut risen = Risen::default();
        risen.raise(how, epoch);
        self.merge(tag, risen);
    }

    pub(crate) fn merge(&mut self, tag: &Tag, risen: Risen) {
        if let Some(known) = self.tags.get_mut(tag) {
            known.merge(risen);
            return;
        }
        let bytes = tag.as_str().len();
        if bytes > BYTES {
            return self.floor.merge(risen);
        }
        while self.tags.len() >= self.capacity || self.bytes + bytes > BYTES {
            self.forget_oldest();
        }
        self.bytes += bytes;
        self.tags.insert(tag.clone(), risen);
    }

    pub(crate) fn floor(&self) -> Risen {
        self.floor
    }

    pub(crate) fn raise_floor(&mut self, floor: Risen) {
        self.floor.merge(floor);
    }

    /// Judges content whose render began at `started` and which depends on `tags`.
    pub(crate) fn standing(&self, started: Epoch, tags: &[Tag]) -> Standing {
        let mut worst = judge(started, self.floor);
        for tag in tags {
            if let Some(&risen) = self.tags.get(tag) {
                worst = worst.min(judge(started, risen));
            }
        }
        worst
    }

    /// Returns everything recorded above `after`, complete up to `until`.
    pub(crate) fn since(&self, after: Epoch, until: Mark) -> Invalidations {
        let above = self.tags.iter().filter(|(_, risen)| risen.latest() > after);
        Invalidations {
            until,
            floor: self.floor,
            tags: above.map(|(tag, &risen)| (tag.clone(), risen)).collect(),
        }
    }

    /// Forgets the oldest quarter of the tags at once, so that the search for the oldest is paid
    /// once in many insertions.
    fn forget_oldest(&mut self) {
        let mut epochs: Vec<Epoch> = self.tags.values().map(|risen| risen.latest()).collect();
        let quarter = epochs.len() / 4;
        let (_, &mut bound, _) = epochs.select_nth_unstable(quarter);
        let Self { floor, bytes, .. } = self;
        self.tags.retain(|tag, risen| {
            let kept = risen.latest() > bound;
            if !kept {
                floor.merge(*risen);
                *bytes -= tag.as_str().len();
            }
            kept
        });
    }
}

fn judge(started: Epoch, risen: Risen) -> Standing {
    if started < risen.absent {
        Standing::Absent
    } else if started < risen.stale {
        Standing::Stale
    } else {
        Standing::Valid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(names: &[&str]) -> Vec<Tag> {
        names.iter().map(|&name| Tag::from(name)).collect()
    }

    #[test]
    fn content_is_judged_by_the_worst_of_its_tags() {
        let mut ledger = Ledger::new(10);
        ledger.raise(&Tag::from("a"), Invalidation::Stale, Epoch(3));
        ledger.raise(&Tag::from("b"), Invalidation::Absent, Epoch(5));
        let check = |started, names: &[&str], expected| {
            assert_eq!(
                ledger.standing(Epoch(started), &tags(names)),
                expected,
                "{started} {names:?}"
            );
        };
        check(2, &["a"], Standing::Stale);
        check(3, &["a"], Standing::Valid);
        check(2, &["a", "b"], Standing::Absent);
        check(4, &["a", "b"], Standing::Absent);
        check(5, &["a", "b"], Standing::Valid);
        check(0, &["c"], Standing::Valid);
        check(0, &[], Standing::Valid);
    }

    #[test]
    fn a_later_invalidation_of_the_other_kind_hides_no_earlier_one() {
        let mut ledger = Ledger::new(10);
        ledger.raise(&Tag::from("a"), Invalidation::Absent, Epoch(3));
        ledger.raise(&Tag::from("a"), Invalidation::Stale, Epoch(7));
        ledger.raise(&Tag::from("a"), Invalidation::Absent, Epoch(1));
        assert_eq!(ledger.standing(Epoch(2), &tags(&["a"])), Standing::Absent);
        assert_eq!(ledger.standing(Epoch(3), &tags(&["a"])), Standing::Stale);
        assert_eq!(ledger.standing(Epoch(7), &tags(&["a"])), Standing::Valid);
    }

    #[test]
    fn forgetting_a_tag_makes_older_content_absent() {
        let mut ledger = Ledger::new(8);
        for epoch in 1..=100 {
            ledger.raise(
                &Tag::new(format!("t{epoch}")),
                Invalidation::Absent,
                Epoch(epoch),
            );
            assert!(ledger.tags.len() <= 8);
        }
        for epoch in 1..=100 {
            let tag = [Tag::new(format!("t{epoch}"))];
            assert_eq!(ledger.standing(Epoch(epoch - 1), &tag), Standing::Absent);
        }
        assert_eq!(ledger.standing(Epoch(100), &tags(&["t1"])), Standing::Valid);
    }

    #[test]
    fn long_names_do_not_grow_the_ledger_beyond_its_bound_of_bytes() {
        let mut ledger = Ledger::new(65_536);
        let tag = |epoch: u64| Tag::new(format!("{epoch} {}", "x".repeat(1_000_000)));
        for epoch in 1..=100 {
            ledger.raise(&tag(epoch), Invalidation::Absent, Epoch(epoch));
            let bytes: usize = ledger.tags.keys().map(|tag| tag.as_str().len()).sum();
            assert_eq!(ledger.bytes, bytes);
            assert!(bytes <= BYTES);
        }
        for epoch in 1..=100 {
            let standing = ledger.standing(Epoch(epoch - 1), &[tag(epoch)]);
            assert_eq!(standing, Standing::Absent);
        }
        let huge = Tag::new("x".repeat(BYTES + 1));
        ledger.raise(&huge, Invalidation::Absent, Epoch(101));
        assert_eq!(ledger.standing(Epoch(100), &[]), Standing::Absent);
    }

    #[test]
    fn since_lists_only_tags_invalidated_after_the_given_epoch() {
        let mut ledger = Ledger::new(8);
        ledger.raise(&Tag::from("a"), Invalidation::Absent, Epoch(1));
        ledger.raise(&Tag::from("b"), Invalidation::Stale, Epoch(2));
        let until = Mark {
            epoch: Epoch(2),
            word: 7,
        };
        let since = ledger.since(Epoch(1), until);
        assert_eq!(since.until, until);
        let stale = Risen {
            stale: Epoch(2),
            ..Risen::default()
        };
        assert_eq!(since.tags, [(Tag::from("b"), stale)]);
    }
}
