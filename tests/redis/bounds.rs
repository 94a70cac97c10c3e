//! A test of how much a server has to remember of invalidations.

use super::*;

const MIB: usize = 1024 * 1024;
/// The most bytes that the names of each kind may have.
const BYTES: usize = 8 * MIB;

fn long(number: u64) -> Tag {
    Tag::new(format!("{number:09} {}", "x".repeat(MIB - 10)))
}

/// Returns how many names of a kind the server remembers, and how many bytes they have.
fn kept(server: &Redis, kind: &str) -> (usize, usize) {
    let names = server.ask(&["ZRANGE", &format!("{{route}}:2:{kind}"), "0", "-1"]);
    let names: Vec<_> = names.lines().collect();
    let counted = |field: &str| {
        let counted = server.ask(&["HGET", "{route}:2:record", field]);
        counted.parse::<usize>().unwrap()
    };
    let bytes = names.iter().map(|name| name.len()).sum();
    assert_eq!(counted(&format!("{kind}s")), names.len());
    assert_eq!(counted(&format!("{kind}-bytes")), bytes);
    (names.len(), bytes)
}

#[tokio::test]
async fn long_names_do_not_grow_the_record_beyond_its_limit_in_bytes() {
    let server = Redis::start();
    let store = patient(&server.url()).await;
    for (kind, how) in [
        ("absent", Invalidation::Absent),
        ("stale", Invalidation::Stale),
    ] {
        let before = all(&store).await.until.epoch.0;
        for number in 1..=20 {
            // The same name again takes no more room.
            for _ in 0..2 {
                let tags = [long(number)];
                store.invalidate(&tags, how, Mark::START).await.unwrap();
            }
            let most = usize::try_from(number.min(8)).unwrap();
            assert_eq!(kept(&server, kind), (most, most * MIB));
        }
        let news = all(&store).await;
        let floor = match how {
            Invalidation::Absent => news.floor.absent,
            Invalidation::Stale => news.floor.stale,
        };
        // The last that the server has forgotten is the second invalidation of the twelfth name.
        assert_eq!(floor.0, before + 24);
    }
    // Each kind has room of its own, and the answer has each name only once.
    let news = all(&store).await;
    let bytes: usize = news.tags.iter().map(|(tag, _)| tag.as_str().len()).sum();
    assert_eq!(bytes, BYTES, "the same eight, of both kinds");
    // A name larger than the room is forgotten at once, so its invalidation reaches every entry.
    let huge = Tag::new("x".repeat(BYTES + 1));
    let last = store
        .invalidate(&[huge], Invalidation::Absent, Mark::START)
        .await
        .unwrap();
    assert_eq!(kept(&server, "absent"), (0, 0));
    let news = all(&store).await;
    assert_eq!(news.floor.absent, last.mark.epoch);
}
