//! Clients that mean harm. Nothing that one sends reaches another client or makes it wait, and no
//! response to it is a 5xx.

use tests::{Response, Server, production, request};

mod bytes;
mod deception;
mod floods;
mod framing;
mod poisoning;

/// Returns the part of a response that must be the same for every client, whoever came before.
///
/// Headers that tell the time, or how the response came about, are left out.
fn seen(mut response: Response) -> Response {
    let changing = ["date", "age", "cache-status"];
    let headers = &mut response.headers;
    headers.retain(|(name, _)| !changing.contains(&&**name));
    headers.sort();
    response
}

/// The requests of an innocent client: their methods and headers.
const ORDINARY: [(&str, &[(&str, &str)]); 3] = [
    ("GET", &[]),
    ("GET", &[("Accept-Encoding", "gzip, deflate, br")]),
    ("HEAD", &[]),
];

/// Returns the responses that an innocent client gets.
fn innocent(server: &Server, target: &str) -> Vec<Response> {
    let ask =
        |(method, headers): &(&str, &[_])| seen(server.send(&request(method, target, headers, "")));
    ORDINARY.iter().map(ask).collect()
}

/// Sends these bytes on a new connection, which they must end, and returns all that the server
/// sends.
fn raw(server: &Server, bytes: &[u8]) -> Vec<u8> {
    let mut connection = server.connect();
    // The server may close the connection before it has read everything.
    connection.try_write(bytes).ok();
    connection.rest()
}

/// Returns the status of each response in these bytes, except interim ones (1xx).
fn statuses(answer: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(answer);
    let lines = text.split("HTTP/1.").skip(1);
    let statuses = lines.filter_map(|line| line.get(2..5)?.parse().ok());
    statuses.filter(|status| *status >= 200).collect()
}
