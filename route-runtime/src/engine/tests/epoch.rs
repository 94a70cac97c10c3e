use crate::engine::epoch::{Epochs, Stamp};
use crate::store::{Epoch, Invalidation, Invalidations, Mark, Recorded, Risen, Standing, Tag};

fn tags(names: &[&str]) -> Vec<Tag> {
    names.iter().map(|&name| Tag::from(name)).collect()
}

#[test]
fn content_rendered_before_an_invalidation_is_absent_and_content_rendered_after_is_not() {
    let epochs = Epochs::new(8);
    let before = Stamp::new(epochs.published());
    assert_eq!(epochs.standing(&before, &tags(&["a"])), Standing::Valid);
    epochs.invalidate(&tags(&["a"]), Invalidation::Absent);
    let after = Stamp::new(epochs.published());
    assert_eq!(epochs.standing(&before, &tags(&["a"])), Standing::Absent);
    assert_eq!(epochs.standing(&after, &tags(&["a"])), Standing::Valid);
}

#[test]
fn a_raised_stamp_keeps_the_mark_of_staleness() {
    let epochs = Epochs::new(8);
    let stamp = Stamp::new(epochs.published());
    epochs.invalidate(&tags(&["a"]), Invalidation::Stale);
    assert_eq!(epochs.standing(&stamp, &tags(&["a"])), Standing::Stale);
    epochs.invalidate(&tags(&["b"]), Invalidation::Absent);
    assert_eq!(epochs.standing(&stamp, &tags(&["a"])), Standing::Stale);
    epochs.invalidate(&tags(&["a"]), Invalidation::Absent);
    assert_eq!(epochs.standing(&stamp, &tags(&["a"])), Standing::Absent);
}

#[test]
fn content_whose_tags_may_have_been_forgotten_is_absent() {
    let epochs = Epochs::new(16);
    let stamp = Stamp::new(epochs.published());
    let survivor = Stamp::new(epochs.published());
    for name in 0..1000 {
        epochs.invalidate(&[Tag::new(name.to_string())], Invalidation::Absent);
        // The stamp of an entry with no invalidated tag stays above the floor if the entry is
        // judged often enough.
        assert_eq!(epochs.standing(&survivor, &tags(&["s"])), Standing::Valid);
    }
    assert_eq!(epochs.standing(&stamp, &tags(&["0"])), Standing::Absent);
    assert_eq!(epochs.standing(&stamp, &tags(&["s"])), Standing::Absent);
}

fn mark(epoch: u64) -> Mark {
    Mark {
        epoch: Epoch(epoch),
        word: 100 + epoch,
    }
}

#[test]
fn marks_of_a_store_are_published_only_without_gaps() {
    let epochs = Epochs::new(8);
    let stamp = Stamp::new(epochs.published());
    let follow = |before, epoch, tag| {
        let recorded = Recorded {
            before,
            mark: mark(epoch),
        };
        epochs.follow(recorded, &tags(&[tag]), Invalidation::Absent)
    };
    assert!(!follow(mark(1), 2, "b"));
    assert!(!follow(Mark::START, 2, "b"));
    assert_eq!(epochs.mark(), Mark::START);
    assert!(follow(Mark::START, 1, "a"));
    assert_eq!((epochs.mark(), epochs.published()), (mark(1), Epoch(1)));
    assert_eq!(epochs.standing(&stamp, &tags(&["a"])), Standing::Absent);
    // The number is the next, but the history that leads to it is another.
    let other = Mark { word: 7, ..mark(1) };
    assert!(!follow(other, 2, "c"));

    let absent = Risen {
        absent: Epoch(2),
        ..Risen::default()
    };
    let news = Invalidations {
        until: mark(5),
        floor: Risen::default(),
        tags: vec![(Tag::from("b"), absent)],
    };
    let before = Stamp::new(epochs.published());
    assert!(epochs.adopt(&news));
    assert!(epochs.adopt(&news));
    assert_eq!(epochs.mark(), mark(5));
    assert_eq!(epochs.standing(&before, &tags(&["b"])), Standing::Absent);
    assert_eq!(epochs.standing(&before, &tags(&["c"])), Standing::Valid);
}

#[test]
fn the_record_of_a_store_that_does_not_know_what_is_published_is_not_adopted() {
    let epochs = Epochs::new(8);
    let news = |until| Invalidations {
        until,
        ..Invalidations::default()
    };
    assert!(epochs.adopt(&news(mark(3))));
    for until in [mark(2), Mark { word: 7, ..mark(3) }] {
        assert!(!epochs.adopt(&news(until)));
        assert_eq!(epochs.mark(), mark(3));
    }
}
