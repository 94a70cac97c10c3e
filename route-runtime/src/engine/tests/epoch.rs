use crate::engine::epoch::{Epochs, Stamp};
use crate::store::{Epoch, Invalidation, Invalidations, Risen, Standing, Tag};

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

#[test]
fn numbers_from_a_store_are_published_only_without_gaps() {
    let epochs = Epochs::new(8);
    let stamp = Stamp::new(epochs.published());
    assert!(!epochs.follow(Epoch(2), &tags(&["b"]), Invalidation::Absent));
    assert_eq!(epochs.published(), Epoch(0));
    assert!(epochs.follow(Epoch(1), &tags(&["a"]), Invalidation::Absent));
    assert_eq!(epochs.standing(&stamp, &tags(&["a"])), Standing::Absent);

    let absent = Risen {
        absent: Epoch(2),
        ..Risen::default()
    };
    let news = Invalidations {
        until: Epoch(5),
        floor: Risen::default(),
        tags: vec![(Tag::from("b"), absent)],
    };
    let before = Stamp::new(epochs.published());
    epochs.adopt(&news);
    epochs.adopt(&news);
    assert_eq!(epochs.published(), Epoch(5));
    assert_eq!(epochs.standing(&before, &tags(&["b"])), Standing::Absent);
    assert_eq!(epochs.standing(&before, &tags(&["c"])), Standing::Valid);
    // The record that was adopted already includes this number.
    assert!(epochs.follow(Epoch(4), &tags(&["c"]), Invalidation::Absent));
}
