//! Clients that mean harm. Nothing of what one sends reaches another, nobody else waits for it,
//! and no answer to it says that the server failed.

use tests::{Response, Server, production, request};

mod bytes;
mod deception;
mod floods;
mod framing;
mod poisoning;

/// What everybody is to be answered, whoever asked before: all but what tells the time, and how
/// the answer came about.
fn seen(mut response: Response) -> Response {
    let changing = ["date", "age", "cache-status"];
    let headers = &mut response.headers;
    headers.retain(|(name, _)| !changing.contains(&&**name));
    headers.sort();
    response
}

/// How an innocent client asks.
const ORDINARY: [(&str, &[(&str, &str)]); 3] = [
    ("GET", &[]),
    ("GET", &[("Accept-Encoding", "gzip, deflate, br")]),
    ("HEAD", &[]),
];

/// What an innocent client is answered.
fn innocent(server: &Server, target: &str) -> Vec<Response> {
    let ask =
        |(method, headers): &(&str, &[_])| seen(server.send(&request(method, target, headers, "")));
    ORDINARY.iter().map(ask).collect()
}

/// Sends these bytes on a connection of their own, which they have to end, and reads all that
/// comes.
fn raw(server: &Server, bytes: &[u8]) -> Vec<u8> {
    let mut connection = server.connect();
    // The server may have read enough before it has read everything.
    connection.try_write(bytes).ok();
    connection.rest()
}

/// The status of each response in what came, but for those that say to go on.
fn statuses(answer: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(answer);
    let lines = text.split("HTTP/1.").skip(1);
    let statuses = lines.filter_map(|line| line.get(2..5)?.parse().ok());
    statuses.filter(|status| *status >= 200).collect()
}
