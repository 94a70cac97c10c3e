//! Checks of keys: they are arbitrary, and different ones never meet.

use super::{Checked, entry};
use crate::store::{EntryKey, Mark, Store};

/// Checks that "two keys are one only if they are equal, byte by byte".
pub(super) async fn distinct<S: Store>(store: &Checked<S>) {
    let long = "x".repeat(100_000);
    let longer = format!("{long}y");
    let slashes = "/".repeat(5000);
    let names = [
        "",
        " ",
        "/",
        "//",
        ".",
        "..",
        "../../../../etc/passwd",
        "/../x",
        "\\..\\x",
        "C:\\x",
        "con",
        "\0",
        "a\0b",
        "a",
        "a ",
        "A",
        "a\n",
        "a\r\nDEL a",
        "*",
        "?",
        "[a]",
        "{a}",
        "a:b",
        "\"",
        "'",
        "%2F",
        "%2f",
        "~",
        "$HOME",
        "`id`",
        "é",
        "e\u{301}",
        "日本",
        "🦀",
        "\u{202e}x",
        "b1:a",
        &slashes,
        &long,
        &longer,
    ];
    let builds = [
        None,
        Some(""),
        Some("b1"),
        Some("B1"),
        Some("b1:"),
        Some("../b1"),
        Some("b1\0a"),
    ];
    let keys: Vec<_> = builds
        .iter()
        .flat_map(|&build| names.iter().map(move |&name| EntryKey { build, name }))
        .collect();
    for (number, &key) in keys.iter().enumerate() {
        assert!(
            store.read(key).await.is_none(),
            "keys: {} is absent though {number} other keys were written",
            shown(key)
        );
        store
            .write(key, entry(number.to_string().as_bytes(), Mark::START, 1))
            .await;
    }
    for (number, &key) in keys.iter().enumerate() {
        let read = store.read(key).await.map(|it| it.body.to_vec());
        assert!(
            read.as_deref() == Some(number.to_string().as_bytes()),
            "keys: {} holds what was written under it, and not what was under another",
            shown(key)
        );
    }
    for (number, &key) in keys.iter().enumerate() {
        store.remove(key).await;
        assert!(
            store.read(key).await.is_none(),
            "keys: {} can be removed",
            shown(key)
        );
        if let Some(&next) = keys.get(number + 1) {
            assert!(
                store.read(next).await.is_some(),
                "keys: removing {} leaves {}",
                shown(key),
                shown(next)
            );
        }
    }
}

fn shown(key: EntryKey<'_>) -> String {
    let name: String = key.name.chars().take(30).collect();
    let (build, length) = (key.build, key.name.len());
    format!("{name:?} ({length} bytes) of build {build:?}")
}
