//! Encodings, validators and HEAD.

use std::io::Read as _;
use std::thread;
use std::time::Duration;

use tests::Response;

use crate::origin::Origin;
use crate::software::Software;
use crate::{ask, behind_each, get};

/// Returns the decoded body of a response. Fails if the client does not accept the encoding.
fn decoded(response: &Response, accepted: &str) -> String {
    let encoding = response.header("content-encoding").unwrap_or("identity");
    let is_accepted = encoding == "identity" || accepted.contains(encoding);
    assert!(is_accepted, "{encoding} for {accepted}");
    let mut text = String::new();
    let body = &*response.body;
    let read = match encoding {
        "gzip" => flate2::read::GzDecoder::new(body).read_to_string(&mut text),
        "br" => brotli::Decompressor::new(body, 4096).read_to_string(&mut text),
        _ => return response.text().to_owned(),
    };
    read.expect("it is encoded as it says");
    text
}

#[test]
fn each_client_gets_an_encoding_that_it_accepts_and_304_for_its_validator() {
    behind_each(|software| {
        let origin = Origin::start("false");
        let proxy = software.start(origin.address);
        let text = get(origin.address, "/text", &[]).text().to_owned();
        let clients = [
            "gzip", "identity", "br", "gzip, br", "identity", "gzip", "br",
        ];
        for accepted in clients {
            let accept = ("accept-encoding", accepted);
            let full = get(proxy.address, "/text", &[accept]);
            assert_eq!(full.status, 200);
            assert_eq!(decoded(&full, accepted), text, "{accepted}");
            let tag = full.header("etag").expect("it has an ETag");
            let known = get(proxy.address, "/text", &[accept, ("if-none-match", tag)]);
            assert_eq!((known.status, &*known.body), (304, &b""[..]), "{accepted}");
            let other = [accept, ("if-none-match", "\"another\"")];
            let other = get(proxy.address, "/text", &other);
            assert_eq!(decoded(&other, accepted), text, "{accepted}");
            let found = full.header("content-encoding").unwrap_or("none");
            println!("{}: {accepted} gets {found}, {tag}", software.name());
        }
    });
}

#[test]
fn head_is_answered_like_get_before_and_after_it() {
    behind_each(|software| {
        let origin = Origin::start("false");
        let proxy = software.start(origin.address);
        let head = || ask("HEAD", proxy.address, "/text", &[]);
        let before = head();
        let full = get(proxy.address, "/text", &[]);
        assert_eq!(full.text().len(), 7200);
        for head in [before, head()] {
            assert_eq!(head.status, 200);
            for name in ["etag", "content-type", "vary"] {
                assert_eq!(head.header(name), full.header(name), "{name}");
            }
            // Varnish does not tell the length while it is still fetching the body.
            let length = head.header("content-length");
            let is_fetching = software == Software::Varnish && length.is_none();
            assert!(
                is_fetching || length == full.header("content-length"),
                "{length:?}"
            );
        }
    });
}

#[test]
fn a_response_that_becomes_stale_and_has_not_changed_stays_whole() {
    behind_each(|software| {
        let origin = Origin::start("false");
        let proxy = software.start(origin.address);
        let mut tag = None;
        for _ in 0..20 {
            let full = get(proxy.address, "/same", &[]);
            assert_eq!((full.status, full.text()), (200, "always the same"));
            let found = full.header("etag").expect("it has an ETag").to_owned();
            let tag = tag.get_or_insert(found.clone());
            assert_eq!(*tag, found);
            let known = get(proxy.address, "/same", &[("if-none-match", tag)]);
            // These two answer in full when their copy is stale and the app answers anew.
            let may_be_whole = matches!(software, Software::Nginx | Software::Squid);
            let is_whole = may_be_whole && known.text() == "always the same";
            assert!(known.status == 304 || is_whole, "{known:?}");
            thread::sleep(Duration::from_millis(200));
        }
    });
}
