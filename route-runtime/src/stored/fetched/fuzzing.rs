//! Fuzzing of bytes from a store that are no data, or none of ours.

use super::*;

#[test]
fn fuzz_stored_data() {
    let words = [
        "\u{1}\0\0\0\u{1}",
        "\u{3}\0\0\0\x32\x30\x30",
        "\u{3}\0\0\0GET",
        "\0\0\0\0",
        "\u{4}\0\0\0",
        "\u{1}\0\0\0",
        "\u{3}\0\0\0x-a",
        "\u{8}\0\0\0http://a",
        "\u{feff}",
    ];
    fuzz::run("data", &words, |input| {
        let response = FetchResponse::read(input)?;
        // The response is written twice, because names are read in any case and written in one.
        let mut once = Vec::new();
        response.write(&mut once).unwrap();
        let again = FetchResponse::read(&once).expect("what was written can be read");
        let mut twice = Vec::new();
        again.write(&mut twice).unwrap();
        assert_eq!((once.len(), twice.len()), (input.len(), input.len()));
        assert_eq!(again.bytes(), response.bytes());
        assert!(response.weight() >= response.bytes().len());
        drop((
            response.text(),
            response.json::<serde_json::Value>().is_ok(),
        ));
        let headers = response.headers().len();
        Some((
            response.status().as_u16(),
            headers,
            response.bytes().len().min(16),
        ))
    });
}
