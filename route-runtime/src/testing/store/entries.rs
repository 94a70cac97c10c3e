//! Checks of entries: what is written comes back, or something newer does.

use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use super::{Checked, entry, now, page};
use crate::store::{Mark, Store, StoredEntry, Tag};

/// Checks that "a store returns exactly what was written or nothing".
pub(super) async fn exact<S: Store>(store: &Checked<S>) {
    assert!(
        store.read(page("/nothing")).await.is_none(),
        "entries: what was never written is absent"
    );
    let all_bytes: Vec<u8> = (0..=255).collect();
    let mebibyte: Vec<u8> = (0..1 << 20_u32).map(|n| (n % 251) as u8).collect();
    for body in [
        &b""[..],
        b"text\r\n",
        b"\0",
        b"\n{}\n",
        &all_bytes,
        &mebibyte,
    ] {
        let name = format!("/body/{}", body.len());
        round_trip(store, &name, entry(body, Mark::START, 5)).await;
    }
    let odd = Duration::new(7, 123_456_789);
    for (revalidate, expire) in [
        (None, None),
        (Some(Duration::ZERO), None),
        (Some(odd), Some(Duration::from_secs(86_400))),
        (Some(Duration::from_nanos(1)), Some(Duration::from_secs(60))),
        (None, Some(Duration::MAX)),
        (Some(Duration::MAX), None),
    ] {
        let written = StoredEntry {
            revalidate,
            expire,
            ..entry(b"lifetimes", Mark::START, 5)
        };
        let name = format!("/lifetimes/{revalidate:?}/{expire:?}");
        round_trip(store, &name, written).await;
    }
    for age in [0, 1, 3600, 20 * 86_400] {
        round_trip(
            store,
            &format!("/age/{age}"),
            entry(b"age", Mark::START, age),
        )
        .await;
    }
    let ancient = StoredEntry {
        created: UNIX_EPOCH + Duration::new(1, 2),
        ..entry(b"ancient", Mark::START, 0)
    };
    round_trip(store, "/ancient", ancient).await;
    let ahead = StoredEntry {
        created: now() + Duration::from_secs(3600),
        ..entry(b"from the future", Mark::START, 0)
    };
    round_trip(store, "/ahead", ahead).await;
    for tags in [
        &[][..],
        &["", " ", "\0", "\n", "\r\n", "\"", "\\", "a,b", "{}", "*"],
        &["é", "日本", "🦀", "%2F", "../..", "A", "a", "a"],
        &["post:7", "_N_T_/api/posts/[id]"],
    ] {
        let written = StoredEntry {
            tags: tags.iter().map(|&tag| Tag::from(tag)).collect(),
            ..entry(b"tags", Mark::START, 5)
        };
        round_trip(store, &format!("/tags/{}", tags.len()), written).await;
    }
    for listed in [true, false] {
        let written = StoredEntry {
            listed,
            ..entry(b"listed or not", Mark::START, 5)
        };
        round_trip(store, &format!("/listed/{listed}"), written).await;
    }
}

async fn round_trip<S: Store>(store: &Checked<S>, name: &str, written: StoredEntry) {
    let begun = Instant::now();
    store.write(page(name), written.clone()).await;
    let read = store.read(page(name)).await;
    let took = begun.elapsed();
    let Some(read) = read else {
        panic!("entries: what was just written at `{name}` can be read")
    };
    same(name, &written, &read, took);
}

/// Fails unless both entries are equal, except for what a conversion between clocks may change in
/// `took`.
pub(super) fn same(name: &str, written: &StoredEntry, read: &StoredEntry, took: Duration) {
    assert!(
        read.body == written.body,
        "entries: the body at `{name}`, of {} bytes, comes back as it was written",
        written.body.len()
    );
    let moved = match read.created.duration_since(written.created) {
        Ok(later) => later,
        Err(earlier) => earlier.duration(),
    };
    assert!(
        moved <= took + Duration::from_millis(10),
        "time: `created` at `{name}` comes back as it was, but for as long as the calls took: \
         {:?} became {:?}",
        written.created,
        read.created
    );
    let comparable = StoredEntry {
        body: Arc::clone(&written.body),
        created: written.created,
        ..read.clone()
    };
    assert!(
        comparable == *written,
        "entries: mark, lifetimes, tags and `listed` at `{name}` come back as they were written: \
         {:?} {:?} {:?} {:?} {} became {:?} {:?} {:?} {:?} {}",
        written.started,
        written.revalidate,
        written.expire,
        written.tags,
        written.listed,
        read.started,
        read.revalidate,
        read.expire,
        read.tags,
        read.listed
    );
}

/// Checks that "a write must not replace an entry that is newer", whether the entries are listed,
/// are not, or take turns.
pub(super) async fn newer_wins<S: Store>(store: &Checked<S>) {
    let marks = store.marks(7).await;
    for listed in [[true, true], [true, false], [false, true]] {
        let name = format!("/newer/{listed:?}");
        let key = page(&name);
        let rows = [
            ("first", 1000, 5, "first"),
            ("finished before", 2000, 5, "first"),
            ("seen less, finished later", 10, 4, "first"),
            ("finished later", 500, 5, "finished later"),
            (
                "seen more, finished before",
                3000,
                6,
                "seen more, finished before",
            ),
            ("seen nothing", 0, 0, "seen more, finished before"),
        ];
        for ((written, age, started, stays), listed) in rows.into_iter().zip(listed.repeat(3)) {
            let entry = entry(written.as_bytes(), marks[started], age);
            store.write(key, StoredEntry { listed, ..entry }).await;
            let Some(read) = store.read(key).await else {
                panic!("entries: a write does not remove what it does not replace")
            };
            let read = String::from_utf8_lossy(&read.body).into_owned();
            assert!(
                read == stays,
                "entries: a write must not replace what is newer, and replaces what is older: \
                 after writing `{written}`, `{read}` is there instead of `{stays}`"
            );
        }
        store.remove(key).await;
        assert!(
            store.read(key).await.is_none(),
            "entries: what was removed is absent"
        );
    }
}

/// Checks that `remove` "removes an entry" and "succeeds if it is absent already".
pub(super) async fn removed<S: Store>(store: &Checked<S>) {
    let key = page("/removed");
    let marks = store.marks(10).await;
    store.remove(key).await;
    store.write(key, entry(b"new", marks[9], 0)).await;
    store
        .write(page("/other"), entry(b"other", marks[9], 0))
        .await;
    store.remove(key).await;
    assert!(
        store.read(key).await.is_none(),
        "entries: what was removed is absent"
    );
    assert!(
        store.read(page("/other")).await.is_some(),
        "entries: removing one leaves the others"
    );
    store.remove(key).await;
    store.write(key, entry(b"old", marks[3], 100)).await;
    assert!(
        store.read(key).await.is_some_and(|it| *it.body == *b"old"),
        "entries: what was removed is not compared with"
    );
}

/// Checks that one instance reads what another writes, and that the newer of their entries wins.
pub(super) async fn shared<S: Store>(here: &Checked<S>, there: &Checked<S>) {
    let key = page("/shared");
    let marks = there.marks(3).await;
    here.write(key, entry(b"here", marks[1], 10)).await;
    let body = |read: Option<StoredEntry>| read.map(|it| it.body.to_vec());
    assert!(
        body(there.read(key).await).as_deref() == Some(b"here"),
        "entries: what one instance writes, another reads"
    );
    there.write(key, entry(b"there", marks[2], 20)).await;
    here.write(key, entry(b"here, late", marks[1], 0)).await;
    assert!(
        body(here.read(key).await).as_deref() == Some(b"there"),
        "entries: the newer of two instances' entries stays"
    );
    there.remove(key).await;
    assert!(
        here.read(key).await.is_none(),
        "entries: what one instance removes is absent for another"
    );
}
