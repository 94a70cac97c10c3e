//! Pages: HTML instead of JSON.

use std::fmt::Write as _;

use route_runtime::page;

/// The requests that the index lists, each with a line about what it shows. A `GET` is a link;
/// other methods are for `curl -X`.
pub(crate) const SAMPLES: &[(&str, &[Sample])] = &[
    (
        "Posts",
        &[
            (
                "GET",
                "/api/posts",
                "the upstream’s posts; dynamic, because of the POST beside it",
            ),
            (
                "POST",
                "/api/posts",
                "a new one: 201 and its id; broken JSON is 400",
            ),
            (
                "GET",
                "/api/posts/1",
                "one post; 404 for what is no number or does not exist",
            ),
            (
                "GET",
                "/api/posts/1?dataField=title",
                "one field of it, by the query",
            ),
        ],
    ),
    (
        "Paths and parameters",
        &[
            ("GET", "/home?name=lee", "the path and the query"),
            ("GET", "/dashboard/1", "[team]"),
            ("GET", "/shop/1/2", "[tag]/[item]"),
            ("GET", "/blog/1/2", "[...slug]: one segment or more"),
            ("GET", "/docs", "[[...slug]]: none,"),
            ("GET", "/docs/a/b", "or any number"),
            (
                "GET",
                "/api/methods",
                "seven methods in one module, like one route.js",
            ),
        ],
    ),
    (
        "How long a response is kept",
        &[
            (
                "GET",
                "/api/time",
                "rendered once, kept for ever: it reads nothing of the request",
            ),
            (
                "GET",
                "/api/time/revalidate",
                "kept for 10 s, then stale while it is rendered again",
            ),
            (
                "GET",
                "/api/time/force-dynamic",
                "rendered for each request, by its own word",
            ),
            (
                "GET",
                "/api/time/force-static?a=1",
                "kept for ever: its request is blank, without a query",
            ),
            (
                "GET",
                "/api/time/error",
                "kept for ever, or does not compile",
            ),
            ("GET", "/api/time/search?a=1", "dynamic: it reads the query"),
            ("GET", "/api/time/cookies", "dynamic: it reads cookies"),
            ("GET", "/api/time/headers", "dynamic: it reads headers"),
            (
                "GET",
                "/api/time/with-post",
                "dynamic: there is a POST beside it",
            ),
            ("POST", "/api/time/with-post", "that POST"),
            (
                "GET",
                "/api/stock/acme",
                "kept for 10 s for each parameter, by tags; never older than a minute",
            ),
            (
                "GET",
                "/api/zones/utc",
                "rendered ahead for three parameters, for a CDN to keep; others are 404",
            ),
            (
                "POST",
                "/api/revalidate?path=/api/time",
                "invalidates a path,",
            ),
            ("POST", "/api/revalidate?tag=stock", "or of a tag"),
            (
                "GET",
                "/api/image",
                "a random image of the upstream, the same for ever",
            ),
            ("GET", "/api/image/revalidate", "another one after 5 s"),
            (
                "GET",
                "/api/primes/1000",
                "dynamic, made of a function’s value, which is kept for ever",
            ),
            ("DELETE", "/api/primes/1000", "until it is invalidated"),
        ],
    ),
    (
        "Sessions",
        &[
            ("GET", "/api/theme", "a cookie,"),
            ("POST", "/api/theme?theme=dark", "set"),
            ("DELETE", "/api/theme", "and deleted"),
            ("GET", "/api/redirect", "307 to /about"),
            (
                "GET",
                "/api/admin",
                "401 without “Authorization: Bearer tutorial”; kept for ever with it",
            ),
            (
                "GET",
                "/api/after",
                "counts a visit when its response has been sent",
            ),
        ],
    ),
    (
        "Streams and faults",
        &[
            ("GET", "/api/events", "server-sent events, one each second"),
            (
                "GET",
                "/api/stream?lines=3",
                "a body that is made while it is sent",
            ),
            (
                "GET",
                "/api/echo",
                "a WebSocket that says again what it is told; 400 for a browser’s GET",
            ),
            (
                "POST",
                "/api/upload",
                "a form with files, measured as it comes in",
            ),
            ("GET", "/api/slow", "504 after a second"),
            ("GET", "/api/panic", "500, and the server goes on"),
        ],
    ),
    (
        "Pages",
        &[("GET", "/", "this page"), ("GET", "/about", "another page")],
    ),
];

/// A request: its method, its path, and what it shows.
type Sample = (&'static str, &'static str, &'static str);

/// The index: every route of the tutorial.
#[page("/")]
async fn index() -> String {
    let mut body = String::from("<p>What routes can do, a route for each.</p>\n");
    for (title, samples) in SAMPLES {
        // Writing to a string does not fail.
        let _ = writeln!(body, "<h2>{}</h2>\n<dl>", escape(title));
        for (method, path, what) in *samples {
            let path = escape(path);
            let request = match *method {
                "GET" => format!("<a href=\"{path}\">{path}</a>"),
                method => format!("<code>{method}</code> {path}"),
            };
            let _ = writeln!(body, "<dt>{request}</dt><dd>{}</dd>", escape(what));
        }
        body.push_str("</dl>\n");
    }
    document("Route handlers", &body)
}

/// A page that never changes.
#[page("/about")]
async fn about() -> String {
    document(
        "About",
        "<p>Next.js Route Handlers on actix-web. <a href=\"/\">All routes</a></p>\n",
    )
}

/// Returns a whole HTML document. `body` is HTML, `title` is plain text.
fn document(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n<h1>{title}</h1>\n{body}</html>\n"
    )
}

const STYLE: &str = "
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin: 2rem 0 .5rem; font-size: 1.1rem }
dl { display: grid; grid-template-columns: minmax(14rem, auto) 1fr; gap: .2rem 1.5rem; margin: 0 }
dt { font-family: ui-monospace, monospace; font-size: .9rem }
dd { margin: 0; opacity: .8 }
@media (max-width: 40rem) { dl { display: block } dd { margin-bottom: .6rem } }
";

fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            _ => html.push(c),
        }
    }
    html
}
