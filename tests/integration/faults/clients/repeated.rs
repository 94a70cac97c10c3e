//! The client's own text, which no response repeats.

use tests::{Server, production};

use super::{FORM, JSON, MULTIPART, all, part, post, send};

/// A value that clients send, and no response repeats.
const MARKER: &str = "hunter2";

/// Wrong shapes of every kind of value, with the marker for the value and for the name.
fn wrong_json() -> Vec<String> {
    let values = [
        r#""hunter2""#,
        r#""hunter2\", expected `hunter2`""#,
        r#"["hunter2"]"#,
        r#"{"hunter2":"hunter2"}"#,
        "1.5",
        "-7",
        "hunter2",
        "null",
    ];
    let names = [
        "title", "likes", "state", "place", "shape", "slug", "hunter2",
    ];
    let members = names.iter().flat_map(|name| {
        let member = move |value| format!(r#"{{"title":"hunter2","{name}":{value}}}"#);
        values.iter().map(member)
    });
    members
        .chain(values.iter().map(|value| (*value).into()))
        .collect()
}

#[test]
fn nothing_that_was_sent_and_no_name_of_a_type_is_repeated() {
    let server = Server::routes(&production(all()));
    let mut found = Vec::new();
    for json in wrong_json() {
        found.push(post(&server, "/clients/json", JSON, &json));
        found.push(post(&server, "/clients/inside/json", JSON, &json));
        found.push(post(&server, "/clients/either", JSON, &json));
        let form = part("article", JSON, &json) + "--x--\r\n";
        found.push(post(&server, "/clients/upload", MULTIPART, form));
    }
    for name in ["title", "likes", "state", "place", "shape", "slug", MARKER] {
        let query = format!("{name}={MARKER}");
        for query in [
            query.clone(),
            format!("title={MARKER}&{query}"),
            format!("{query}&{query}"),
        ] {
            found.push(server.get(&format!("/clients/query?{query}")));
            found.push(server.get(&format!("/clients/page?{query}")));
            let inside = format!("/clients/inside/query?{query}");
            found.push(post(&server, &inside, FORM, ""));
            found.push(post(&server, "/clients/form", FORM, &query));
        }
    }
    for kind in [
        "",
        MARKER,
        "hunter2/hunter2",
        "text/plain; charset=hunter2",
        "multipart/hunter2",
    ] {
        for path in ["json", "form", "text", "either", "upload"] {
            let path = format!("/clients/{path}");
            found.push(post(
                &server,
                &path,
                kind,
                [b"hunter2".as_slice(), &[0xff]].concat(),
            ));
        }
    }
    for name in ["If-Modified-Since", "Content-Type"] {
        found.push(send(
            &server,
            "GET",
            "/clients/header",
            &[(name, MARKER)],
            b"",
        ));
    }
    for encoding in ["gzip", "br", "zstd"] {
        let headers = [("Content-Encoding", encoding), ("Content-Type", JSON)];
        for path in ["/clients/json", "/clients/bytes"] {
            found.push(send(&server, "POST", path, &headers, b"hunter2 hunter2"));
        }
    }
    for parts in [
        part("age", "text/plain", MARKER),
        part("age", MARKER, MARKER),
        part(MARKER, "text/plain", MARKER),
        part("age", "text/plain", "1").repeat(2),
        "--hunter2\r\n\r\nhunter2".into(),
        "--x\r\nhunter2: hunter2\r\n\r\nhunter2\r\n".into(),
    ] {
        found.push(post(
            &server,
            "/clients/upload",
            MULTIPART,
            parts + "--x--\r\n",
        ));
    }
    found.push(server.get("/clients/path/hunter2"));
    found.push(post(&server, "/clients/inside/hunter2", JSON, ""));
    found.push(post(&server, "/clients/guarded?likes=hunter2", JSON, ""));

    let mut refused = 0;
    for response in found.iter().filter(|response| response.status != 200) {
        refused += 1;
        let text = response.text();
        assert!(
            (400..500).contains(&response.status),
            "{} {text}",
            response.status
        );
        for forbidden in [MARKER, "::", "Input"] {
            assert!(!text.contains(forbidden), "{text}");
        }
    }
    // Only a few of all these are right after all, or are text.
    assert!(refused > 250, "{refused} of {}", found.len());
}
