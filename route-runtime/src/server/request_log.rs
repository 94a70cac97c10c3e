//! The log of requests in development: one line for each.

use std::fmt::{self, Write as _};

use actix_web::body::MessageBody;
use actix_web::dev::{Service as _, ServiceRequest, ServiceResponse};
use actix_web::{App, Error, HttpMessage as _};

use crate::engine::{Clock, Moment};
use crate::routes::AppFactory;
use crate::service::Matched;
use crate::target;

/// Makes the app log each of its requests, whether a route answers it, another service of the app or
/// nothing. The log is outside all other middleware.
pub(super) fn with_request_log<T, B>(app: App<T>, clock: Clock) -> App<impl AppFactory<B>>
where
    T: AppFactory<B>,
    B: MessageBody + 'static,
{
    app.wrap_fn(move |request, service| {
        let line = RequestLine::begin(&request, &clock);
        let response = service.call(request);
        async move {
            let response = response.await;
            line.log(&response);
            response
        }
    })
}

/// The line of a request that is being answered. It never holds the query, which may be secret.
struct RequestLine {
    method: String,
    path: String,
    begun: Moment,
    clock: Clock,
}

impl RequestLine {
    fn begin(request: &ServiceRequest, clock: &Clock) -> Self {
        Self {
            method: request.method().to_string(),
            path: request.path().into(),
            begun: clock.now(),
            clock: clock.clone(),
        }
    }

    /// Logs the line. The head of the response is ready then, but a stream may only begin.
    fn log<B>(&self, response: &Result<ServiceResponse<B>, Error>) {
        let status = match response {
            Ok(response) => response.status(),
            // actix-web answers like this when a middleware fails instead of responding.
            Err(error) => error.as_response_error().status_code(),
        };
        let matched = response.as_ref().ok().and_then(|response| {
            let extensions = response.request().extensions();
            extensions.get::<Matched>().cloned()
        });
        tracing::info!(
            target: target::ACCESS,
            { http.route = matched.as_ref().map(Matched::pattern) },
            "{} {} {} in {:.1} ms",
            self.method,
            Printable(&self.path),
            status.as_u16(),
            1000.0 * self.clock.now().since(self.begun).as_secs_f64()
        );
    }
}

/// A text of a client, shown with escapes instead of characters that a terminal would obey or hide.
struct Printable<'a>(&'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '"' | '\'' | '\\' => f.write_char(c),
            _ => write!(f, "{}", c.escape_debug()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_shown_without_characters_that_a_terminal_obeys() {
        for (path, expected) in [
            ("/plain/%20'\"\\é/日本", "/plain/%20'\"\\é/日本"),
            ("/\u{1b}[31m\n\r\u{7f}", "/\\u{1b}[31m\\n\\r\\u{7f}"),
            // A C1 control, a change of direction, and a space without width.
            ("/\u{9b}2J\u{202e}\u{200b}", "/\\u{9b}2J\\u{202e}\\u{200b}"),
        ] {
            assert_eq!(Printable(path).to_string(), expected);
        }
    }
}
