//! The explanation that each extractor gives.

use route_runtime::Mode;
use tests::{Server, production};

use super::{FORM, JSON, MULTIPART, all, check_400, check_html, check_json, part, post, send};

#[test]
fn a_json_body_is_told_what_is_wrong_and_where() {
    let server = Server::routes(&production(all()));
    for (body, detail) in [
        (
            r#"{"likes":1}"#,
            "missing field `title` at line 1 column 11",
        ),
        (
            r#"{"title":"#,
            "EOF while parsing a value at line 1 column 9",
        ),
        (
            r#"{"title":[]}"#,
            "invalid type: sequence, expected a string at line 1 column 9",
        ),
        (
            r#"{"title":"","likes":"hunter2"}"#,
            "invalid type: string, expected u32 at line 1 column 29",
        ),
        (
            r#"{"title":"","state":"hunter2"}"#,
            "unknown variant, expected `Draft` or `Published` at line 1 column 29",
        ),
        (
            r#"{"hunter2":""}"#,
            "unknown field, expected one of `title`, `likes`, `state`, `place`, `shape`, `slug` at line 1 column 10",
        ),
        (
            r#"{"title":"","place":[1]}"#,
            "invalid length 1, expected an array with 2 elements at line 1 column 23",
        ),
        (
            r#"{"title":"","shape":{"radius":"hunter2"}}"#,
            "data did not match any variant at line 1 column 41",
        ),
        (
            r#"{"title":"","slug":"hunter2"}"#,
            "a value is not accepted at line 1 column 29",
        ),
    ] {
        let found = post(&server, "/clients/json", JSON, body);
        check_400(&found, &format!("in the body: {detail}"));
    }
    let found = post(&server, "/clients/json", "text/plain", "{}");
    check_400(
        &found,
        "the header `Content-Type` must be `application/json`",
    );
    // The error of the first of two extractors is told.
    let found = post(&server, "/clients/either", JSON, "{}");
    check_400(
        &found,
        "in the body: missing field `title` at line 1 column 2",
    );
}

#[test]
fn a_query_and_a_form_are_told_what_is_wrong() {
    let server = Server::routes(&production(all()));
    for (text, detail) in [
        ("likes=1", "missing field `title`"),
        ("title=a&title=hunter2", "duplicate field `title`"),
        ("title=a&likes=hunter2", "invalid digit found in string"),
        ("title=a&likes=", "cannot parse integer from empty string"),
        (
            "title=a&place=hunter2",
            "invalid type: string, expected an array",
        ),
        ("title=a&slug=hunter2", "a value is not accepted"),
    ] {
        let found = server.get(&format!("/clients/query?{text}"));
        check_400(&found, &format!("in the query: {detail}"));
        let found = post(&server, "/clients/form", FORM, text);
        check_400(&found, &format!("in the body: {detail}"));
    }
    let found = post(&server, "/clients/form", JSON, "");
    let detail = "the header `Content-Type` must be `application/x-www-form-urlencoded`";
    check_json(&found, 415, "Unsupported Media Type", Some(detail));
    let found = server.get("/clients/page?likes=1");
    check_html(
        &found,
        400,
        "Bad Request",
        Some("in the query: missing field `title`"),
    );
}

#[test]
fn a_text_and_a_header_are_told_what_is_wrong() {
    let server = Server::routes(&production(all()));
    let undecodable = "the body is not text in the charset of the header `Content-Type`";
    check_400(
        &post(&server, "/clients/text", "text/plain", [0xff]),
        undecodable,
    );
    let found = post(&server, "/clients/text", "text/plain; charset=hunter2", "a");
    check_400(
        &found,
        "the charset of the header `Content-Type` is unknown",
    );
    let headers = [("Content-Encoding", "gzip")];
    let found = send(
        &server,
        "POST",
        "/clients/bytes",
        &headers,
        b"hunter2 hunter2",
    );
    check_400(&found, "the body could not be read");
    for headers in [&[][..], &[("If-Modified-Since", "hunter2")]] {
        let found = send(&server, "GET", "/clients/header", headers, b"");
        check_400(&found, "a header is missing or cannot be read");
    }
    // What a path leads to is not told, as with a parameter that does not parse.
    check_json(&server.get("/clients/path/hunter2"), 404, "Not Found", None);
}

#[test]
fn a_form_with_files_is_told_what_is_wrong() {
    let server = Server::routes(&production(all()));
    let age = |value: &str| part("age", "text/plain", value);
    let article = |value: &str| part("article", JSON, value);
    for (parts, detail) in [
        (article(r#"{"title":"a"}"#), "missing field `age`"),
        (
            age("hunter2"),
            "in the field `age`: invalid digit found in string",
        ),
        (
            part("age", JSON, "1"),
            "in the field `age`: the header `Content-Type` must be `text/plain`",
        ),
        (age("1") + &age("2"), "duplicate field `age`"),
        (part("hunter2", "text/plain", ""), "unknown field"),
        (
            article(r#"{"title":1}"#),
            "in the field `article`: invalid type: integer, expected a string at line 1 column 10",
        ),
    ] {
        let found = post(&server, "/clients/upload", MULTIPART, parts + "--x--\r\n");
        check_400(&found, detail);
    }
    let found = post(&server, "/clients/upload", MULTIPART, "--x\r\n");
    check_400(&found, "the body ended too early");
    let found = post(&server, "/clients/upload", "multipart/form-data", "");
    check_400(&found, "the header `Content-Type` has no `boundary`");
    let found = post(&server, "/clients/upload", JSON, "");
    let detail = "the header `Content-Type` must be `multipart/form-data`";
    check_json(&found, 415, "Unsupported Media Type", Some(detail));
}

#[test]
fn developers_see_the_whole_text() {
    let server = Server::routes(&production(all()).mode(Mode::Development));
    let found = post(
        &server,
        "/clients/json",
        JSON,
        r#"{"title":"","likes":"hunter2"}"#,
    );
    check_400(
        &found,
        "Json deserialize error: invalid type: string \"hunter2\", expected u32 at line 1 column 29",
    );
    let found = server.get("/clients/query?likes=hunter2");
    check_400(
        &found,
        "Query deserialize error: invalid digit found in string",
    );
    let form = part("age", "text/plain", "hunter2") + "--x--\r\n";
    let found = post(&server, "/clients/upload", MULTIPART, form);
    check_400(
        &found,
        "An error occurred processing field \"age\": Plain text deserialize error: cannot parse u8: invalid digit found in string",
    );
}
