//! Checks of many reads and writes at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::{Checked, entry, page};
use crate::store::Store;

const WRITERS: u64 = 8;
const WRITES: u64 = 40;

/// Checks that "a reader sees a whole entry, never half of one", and that the newest of all writes
/// stays.
pub(super) async fn whole_and_newest<S: Store>(stores: &[Checked<S>; 2]) {
    let newest = WRITERS * WRITES;
    let marks = stores[0].marks(newest as usize + 1).await;
    let marks = Arc::new(marks);
    let mut tasks = JoinSet::new();
    for writer in 0..WRITERS {
        let store = stores[usize::from(writer % 2 == 0)].clone();
        let marks = Arc::clone(&marks);
        tasks.spawn(async move {
            for number in 0..WRITES {
                // Each number occurs once, in an order that goes up and down.
                let started = 1 + (number * 17 % WRITES) * WRITERS + writer;
                let body = body(started);
                let mark = marks[started as usize];
                store.write(page("/storm"), entry(&body, mark, 10)).await;
                tokio::task::yield_now().await;
            }
        });
    }
    for reader in 0..4 {
        let store = stores[reader % 2].clone();
        tasks.spawn(async move {
            let mut last = 0;
            for _ in 0..4 * WRITES {
                if let Some(read) = store.read(page("/storm")).await {
                    assert!(
                        *read.body == *body(read.started.epoch.0),
                        "entries: a reader sees a whole entry, never half of one"
                    );
                    assert!(
                        read.started.epoch.0 >= last,
                        "entries: a write must not replace what is newer, also of many at once"
                    );
                    last = read.started.epoch.0;
                }
                tokio::task::yield_now().await;
            }
        });
    }
    let all = async {
        while tasks
            .join_next()
            .await
            .transpose()
            .unwrap_or_else(resume)
            .is_some()
        {}
    };
    let minute = Duration::from_secs(60);
    assert!(
        tokio::time::timeout(minute, all).await.is_ok(),
        "time: {newest} writes of eight tasks are done within a minute"
    );
    for store in stores {
        let left = store
            .read(page("/storm"))
            .await
            .map(|it| it.started.epoch.0);
        assert!(
            left == Some(newest),
            "entries: of many writes at once, the newest stays: {left:?} instead of {newest}"
        );
    }
}

/// Makes a body whose length and bytes tell its number.
fn body(number: u64) -> Vec<u8> {
    let length = 1000 + usize::try_from(number).expect("it is small") * 97;
    vec![(number % 256) as u8; length]
}

pub(super) fn resume<T>(ended: tokio::task::JoinError) -> T {
    std::panic::resume_unwind(ended.into_panic())
}
