//! Fuzzing of bytes from a store that are no response, or none of ours.

use super::super::StoredResponse;
use super::*;

/// Checks that a response is written as it was read, but with names in lower case. Returns whether
/// the bytes are a response.
fn check_read(bytes: &[u8]) -> bool {
    let Some(response) = StoredResponse::read(bytes) else {
        return false;
    };
    let written = |response: &StoredResponse| {
        let mut bytes = Vec::new();
        response.write(&mut bytes).unwrap();
        bytes
    };
    let once = written(&response);
    let again = StoredResponse::read(&once).expect("what was written can be read");
    assert_eq!(written(&again), once);
    assert_eq!((once.len(), again.status), (bytes.len(), response.status));
    assert_eq!(
        (again.headers, again.body),
        (response.headers.clone(), response.body.clone())
    );
    assert!(response.weight() >= response.body.len());
    true
}

#[test]
fn fuzz_stored_responses() {
    let words = [
        "\u{2}",
        "\0\0\0\0",
        "\u{1}\0\0\0",
        "\u{4}\0\0\0etag",
        "\u{3}\0\0\0\"7\"",
        "W/\"",
        "\"7\"",
        "content-type",
        "text/plain",
        "cache-control",
        "\u{c8}\0",
        "x-a",
        "\u{3}\0\0\0x-a",
    ];
    fuzz::run("response", &words, |rest| {
        check_read(rest);
        // This check is valid, which no damage but only a fault of ours leaves.
        let checked = [&[VERSION][..], &check(rest), rest].concat();
        let is_read = check_read(&checked);
        let decoded = decode(&checked);
        let shape = decoded.map(|(status, etag, headers, body)| {
            (
                status.as_u16(),
                etag.is_some(),
                headers.len(),
                body.len().min(16),
            )
        });
        (is_read, shape)
    });
}
