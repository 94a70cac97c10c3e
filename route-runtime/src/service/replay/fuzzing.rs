//! Fuzzing of the request headers that decide how a request is answered, with values that no client
//! sends.

use actix_web::test::TestRequest;

use super::preconditions::matches_weakly;
use super::*;
use crate::stored::directives;

#[test]
fn fuzz_accept_encoding() {
    let words = [
        "gzip", "br", "zstd", "identity", "deflate", "x-gzip", "*", ";", ";q=", "q=0", "q=1",
        "q=0.001", "q=1.0000", "q=-1", "q=1e9", "q=NaN", ",", " ", "\t", "\"", "=", "GZIP",
    ];
    fuzz::run("accept-encoding", &words, |input| {
        let Ok(value) = HeaderValue::from_bytes(input) else {
            return None;
        };
        let request = TestRequest::default().insert_header((header::ACCEPT_ENCODING, value));
        let preferred = preferred(&request.to_srv_request());
        let text = String::from_utf8_lossy(input).to_lowercase();
        if preferred != ContentEncoding::Identity {
            let is_named = text.contains(preferred.as_str()) || text.contains('*');
            assert!(is_named, "{preferred:?} was not asked for");
            // Most clients that do not want an encoding say so like this.
            let refused = format!("{};q=0", preferred.as_str());
            assert_ne!(text, refused, "{preferred:?} was refused");
        }
        Some((preferred.as_str(), text.matches(',').count().min(8)))
    });
}

#[test]
fn fuzz_if_none_match() {
    let words = [
        "\"",
        "W/",
        "\"abc\"",
        "W/\"abc\"",
        "*",
        ",",
        " ",
        "abc",
        "w/",
        "\\",
        "\"\"",
        "'",
    ];
    let etags = ["\"abc\"", "W/\"abc\"", "\"\"", "\"a,b\""];
    fuzz::run("if-none-match", &words, |input| {
        let Ok(value) = HeaderValue::from_bytes(input) else {
            return None;
        };
        let request = TestRequest::default().insert_header((header::IF_NONE_MATCH, value));
        let request = request.to_srv_request();
        let known = etags.map(|etag| matches_weakly(etag.as_bytes(), request.headers()));
        let text = String::from_utf8_lossy(input);
        for (etag, is_known) in etags.iter().zip(known) {
            let tag = etag.trim_start_matches("W/");
            assert!(
                !is_known || text.contains(tag) || text.trim() == "*",
                "{tag}"
            );
            // A tag that is sent back unchanged is known.
            assert!(
                is_known || text != tag && text != format!("W/{tag}"),
                "{tag}"
            );
        }
        Some((known, text.matches(',').count().min(8)))
    });
}

#[test]
fn fuzz_cache_control() {
    let words = [
        "no-store",
        "private",
        "no-cache",
        "max-age=1",
        "s-maxage",
        "=",
        "\"",
        "\\",
        ",",
        " ",
        "\t",
        "NO-STORE",
        "x=\"",
        "\\\"",
        "private=\"set-cookie\"",
        "é",
    ];
    fuzz::run("cache-control", &words, |input| {
        let text = String::from_utf8_lossy(input);
        let found: Vec<_> = directives(&text).collect();
        for name in &found {
            assert!(!name.is_empty() && name.trim() == name && !name.contains('='));
            assert!(!name.chars().any(|c| c.is_ascii_uppercase()));
        }
        if !text.contains('"') {
            let parts = text
                .split(',')
                .map(|part| part.split('=').next().unwrap_or_default());
            let parts = parts.map(|part| part.trim().to_ascii_lowercase());
            assert_eq!(
                found,
                parts.filter(|part| !part.is_empty()).collect::<Vec<_>>()
            );
        }
        (
            found.len().min(8),
            found.iter().any(|name| name == "no-store"),
        )
    });
}
