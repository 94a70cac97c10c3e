//! Fuzzing of files that are not ours, or that were changed by somebody who can make a checksum.

use super::format::{MAGIC, Unusable, decode, encode};
use super::line::{FIRST, chain, check, checked, names, written};
use super::place::Part;
use crate::store::EntryKey;

const KEY: EntryKey<'static> = EntryKey {
    build: Some("b"),
    name: "/a",
};

/// Checks that an entry read from a file reads the same after it is written again. Returns the
/// entry's shape, or, as the error, whether the file holds the entry of another key.
fn check_file(file: &[u8]) -> Result<(usize, usize, bool, bool), bool> {
    let filed = decode(file, KEY, Part::Listed).map_err(|error| error == Unusable::Foreign)?;
    let written = encode(KEY, &filed.entry, &filed.record);
    assert_eq!(decode(&written, KEY, Part::Listed).as_ref(), Ok(&filed));
    let entry = &filed.entry;
    Ok((
        entry.body.len().min(16),
        entry.tags.len(),
        entry.revalidate.is_some(),
        entry.expire.is_some(),
    ))
}

#[test]
fn fuzz_stored_files() {
    let words = [
        "route-cache 1 ",
        "route-cache 2 ",
        "\n",
        "{",
        "}",
        "\"name\":\"/a\",",
        "\"build\":\"b\",",
        "\"build\":null,",
        "\"created\":\"-1.5\",",
        "\"started\":18446744073709551615,",
        "\"revalidate\":\"0.000000001\",",
        "\"expire\":\"18446744073709551615.999999999\",",
        "\"tags\":[\"\\u0000\"],",
        "\"record\":\"\"",
        "9223372036854775807",
        "+1",
    ];
    fuzz::run("stored-file", &words, |rest| {
        let as_it_is = check_file(rest);
        // With a correct checksum, which no damage leaves, but only a fault of ours.
        let checksum = blake3::hash(rest).to_hex();
        let sealed = [MAGIC.as_bytes(), checksum.as_bytes(), b"\n", rest].concat();
        (as_it_is, check_file(&sealed))
    });
}

/// Checks a line of the record in the same way. Returns its shape: how it begins, and its length.
fn check_line(line: &[u8], before: &str) -> Option<(Vec<u8>, usize)> {
    let read = checked(line, before)?;
    let once = written(&read, before);
    let content = once.strip_suffix(b"\n").expect("a line has an end");
    let again = checked(content, before).expect("what was written can be read");
    assert_eq!(written(&again, before), once);
    Some((content[17..25].to_vec(), content.len().min(160)))
}

#[test]
fn fuzz_lines_of_the_record() {
    let words = [
        "route-record 1 ",
        "{\"floor\":{",
        "{\"tag\":{\"tag\":\"t\",",
        "{\"absent\":{\"epoch\":1,",
        "{\"stale\":{\"epoch\":1,",
        "\"until\":1,",
        "\"absent\":1,",
        "\"stale\":1",
        "\"tags\":[\"t\"]",
        "18446744073709551615",
        "}}",
        "\\u0000",
        "0123456789abcdef ",
    ];
    fuzz::run("record-line", &words, |content| {
        let first = content.first_chunk::<FIRST>();
        let is_first = first.is_some_and(|first| names(first).is_some());
        let before = chain(content);
        let sealed = [check(&before, content).as_bytes(), b" ", content].concat();
        (
            is_first,
            check_line(content, &before),
            check_line(&sealed, &before),
        )
    });
}
