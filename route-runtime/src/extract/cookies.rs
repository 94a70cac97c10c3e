//! The cookies of a request, and those to be sent with its response.

use std::convert::Infallible;
use std::fmt;
use std::future::{Ready, ready};
use std::rc::Rc;

use actix_web::cookie::time::{Duration, OffsetDateTime};
use actix_web::cookie::{Cookie, Expiration};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};

use super::jar::Jar;

/// The cookies of a request: reads what the client sent, sets and deletes what it keeps.
///
/// What is set or deleted is seen at once by every `Cookies` of the same request, and sent with
/// the response whatever it turns out to be: what the handler returns, an error, a redirect. Each
/// name is sent once, as it was last set. A cookie that the handler put on the response itself
/// wins over one set here under the same name.
///
/// Names and values are any text: they are percent-encoded when sent and decoded when read.
/// What a client sends and nobody can read (no `=`, no name, encoded bytes that are no UTF-8) is
/// skipped; of several cookies of one name the first, which has the longest path, is read.
///
/// It reads the request: a route with this argument is rendered for each one, or with
/// `dynamic = "force-static"` finds no cookies. Cookies are sent when the handler is done: per-route
/// middleware can set them before it calls the handler, and adds them to the response afterwards.
///
/// # Example
///
/// ```
/// use actix_web::{App, http::header, test};
/// use route_runtime::{Cookies, Routes, route};
///
/// #[route(POST, "/visits")]
/// async fn visit(cookies: Cookies) -> String {
///     let visits = cookies.get("visits").and_then(|text| text.parse().ok()).unwrap_or(0) + 1;
///     cookies.set(("visits", visits.to_string()));
///     cookies.delete("first");
///     format!("{:?} {}", cookies.get("visits"), cookies.has("first"))
/// }
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), route_runtime::RoutesError> {
/// let routes = Routes::from_iter([visit::ROUTE])?;
/// let app = test::init_service(App::new().service(routes)).await;
/// let request = test::TestRequest::post()
///     .uri("/visits")
///     .insert_header((header::COOKIE, "visits=6; first=yes"))
///     .to_request();
/// let response = test::call_service(&app, request).await;
/// let sent: Vec<_> = response.headers().get_all(header::SET_COOKIE).collect();
/// assert_eq!(
///     sent,
///     ["visits=7; Path=/", "first=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"],
/// );
/// assert_eq!(test::read_body(response).await, r#"Some("7") false"#);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Cookies {
    jar: Rc<Jar>,
}

impl Cookies {
    /// Returns the value of this cookie: as set in this request, else as the client sent it.
    ///
    /// None if it was deleted, or set with a `Max-Age` that is not positive.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        self.jar.get(name)
    }

    /// Returns whether [`get`](Self::get) would return a value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Every cookie's name and value as [`get`](Self::get) returns it: first what the client sent,
    /// in its order, then what is new.
    ///
    /// What is set or deleted meanwhile does not change the iteration.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (String, String)> + use<> {
        self.jar.all().into_iter()
    }

    /// Sets a cookie: a `(name, value)`, or a [`Cookie`] with attributes.
    ///
    /// One without a `Path` gets `Path=/`, or clients would keep it for the directory of this path
    /// only. It replaces what was set or deleted under its name before. An attribute that no header
    /// can hold, such as a `Domain` with a line break, keeps the cookie from being sent: the mistake
    /// is logged, and the response stays as it is.
    ///
    /// # Example
    ///
    /// ```
    /// use actix_web::cookie::{Cookie, SameSite};
    /// use route_runtime::{Cookies, route};
    ///
    /// #[route(POST, "/login")]
    /// async fn login(cookies: Cookies) -> &'static str {
    ///     let session = Cookie::build("session", "s3cr3t");
    ///     let session = session.http_only(true).secure(true).same_site(SameSite::Lax);
    ///     cookies.set(session.finish());
    ///     cookies.set(("theme", "dark"));
    ///     "welcome"
    /// }
    /// ```
    pub fn set(&self, cookie: impl IntoCookie) {
        let mut cookie = cookie.into_cookie();
        if cookie.path().is_none() {
            cookie.set_path("/");
        }
        self.jar.set(cookie);
    }

    /// Deletes a cookie: sets it to nothing, with `Path=/` and a date long past.
    ///
    /// Clients tell cookies apart by path and domain too. One that was set with others than `/` and
    /// none is deleted by [`set`](Self::set)ting a [`Cookie`] that has them, after
    /// [`make_removal`](Cookie::make_removal).
    pub fn delete(&self, name: impl Into<String>) {
        let mut cookie = Cookie::new(name.into(), "");
        cookie.set_max_age(Duration::ZERO);
        cookie.set_expires(Expiration::from(OffsetDateTime::UNIX_EPOCH));
        self.set(cookie);
    }
}

/// Shows names only: a value may be a secret.
impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.iter().map(|(name, _)| name))
            .finish()
    }
}

impl FromRequest for Cookies {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let known = request.extensions().get::<Rc<Jar>>().cloned();
        let jar = known.unwrap_or_else(|| {
            let jar = Rc::new(Jar::read(request.headers()));
            request.extensions_mut().insert(Rc::clone(&jar));
            jar
        });
        ready(Ok(Self { jar }))
    }
}

/// What [`Cookies::set`] takes: a [`Cookie`], or a name and a value.
pub trait IntoCookie {
    /// The cookie, with the attributes it has.
    fn into_cookie(self) -> Cookie<'static>;
}

impl IntoCookie for Cookie<'_> {
    fn into_cookie(self) -> Cookie<'static> {
        self.into_owned()
    }
}

impl<N: Into<String>, V: Into<String>> IntoCookie for (N, V) {
    fn into_cookie(self) -> Cookie<'static> {
        Cookie::new(self.0.into(), self.1.into())
    }
}

#[cfg(test)]
mod tests {
    use actix_web::HttpResponse;
    use actix_web::http::header::{self, HeaderValue};
    use actix_web::test::TestRequest;
    use futures_util::FutureExt as _;

    use super::*;
    use crate::extract::with_cookies;

    fn request(header: &[u8]) -> HttpRequest {
        let request = TestRequest::default();
        request
            .insert_header((header::COOKIE, HeaderValue::from_bytes(header).unwrap()))
            .to_http_request()
    }

    fn cookies(request: &HttpRequest) -> Cookies {
        let extracted = Cookies::extract(request).now_or_never();
        let Ok(cookies) = extracted.unwrap();
        cookies
    }

    #[track_caller]
    fn check(cookies: &Cookies, expected: &[(&str, &str)]) {
        let all: Vec<_> = cookies.iter().collect();
        let all: Vec<_> = all
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        assert_eq!(all, expected);
        for (name, value) in expected {
            assert_eq!(cookies.get(name).as_deref(), Some(*value), "{name}");
        }
    }

    /// What is sent, given what the response has of its own.
    fn sent(request: &HttpRequest, own: &[&'static str]) -> Vec<String> {
        let mut response = HttpResponse::Ok();
        for value in own {
            response.append_header((header::SET_COOKIE, *value));
        }
        let response = with_cookies(response.finish(), request);
        let values = response.headers().get_all(header::SET_COOKIE);
        values.map(|it| it.to_str().unwrap().into()).collect()
    }

    #[test]
    fn what_can_be_read_is_and_the_rest_is_skipped() {
        let header = b"a=1; b=a%20b%3B; broken; =anonymous; bad=%FF; a=2;; c=; d=x=y; e=\"q\"; caf%C3%A9=\xC3\xA9";
        let expected = [
            ("a", "1"),
            ("b", "a b;"),
            ("c", ""),
            ("d", "x=y"),
            ("e", "q"),
            ("café", "é"),
        ];
        check(&cookies(&request(header)), &expected);
    }

    #[test]
    fn changes_are_seen_at_once_by_every_handle() {
        let request = request(b"a=1; b=2; c=3");
        let (ours, other) = (cookies(&request), cookies(&request));
        ours.set(("b", "two"));
        ours.set(("new", String::from("4")));
        other.delete("a");
        check(&ours, &[("b", "two"), ("c", "3"), ("new", "4")]);
        check(&other, &[("b", "two"), ("c", "3"), ("new", "4")]);
        assert!(!ours.has("a") && ours.has("c"));
        ours.set(("a", "again"));
        check(
            &other,
            &[("a", "again"), ("b", "two"), ("c", "3"), ("new", "4")],
        );
    }

    #[test]
    fn each_name_is_sent_once_as_last_set() {
        let request = request(b"a=1");
        let cookies = cookies(&request);
        assert!(sent(&request, &[]).is_empty());
        cookies.set(("a", "1"));
        cookies.set(("b", "2"));
        cookies.delete("b");
        cookies.delete("c");
        cookies.set(("a", "3"));
        let gone = "Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
        assert_eq!(
            sent(&request, &[]),
            [
                "a=3; Path=/".into(),
                format!("b=; {gone}"),
                format!("c=; {gone}")
            ]
        );
        check(&cookies, &[("a", "3")]);
    }

    #[test]
    fn attributes_are_kept_and_only_a_path_is_added() {
        let request = request(b"");
        let cookies = cookies(&request);
        let cookie = Cookie::build("a", "1").path("/admin").http_only(true);
        cookies.set(cookie.finish());
        let mut removed = Cookie::build("b", "2").path("/admin").finish();
        removed.make_removal();
        removed.unset_expires();
        cookies.set(removed);
        assert!(!cookies.has("b"), "a client that gets it has none");
        assert_eq!(
            sent(&request, &[]),
            ["a=1; HttpOnly; Path=/admin", "b=; Path=/admin; Max-Age=0"]
        );
    }

    #[test]
    fn no_text_breaks_out_of_a_value_or_a_name() {
        let ours = request(b"");
        let text = "a b;\r\nSet-Cookie: x=y\0é%2C\"\\";
        cookies(&ours).set((text, text));
        let sent = sent(&ours, &[]);
        let pair = sent[0].strip_suffix("; Path=/").unwrap();
        assert!(!pair.contains([' ', ';', '\r', '\n', '"', '\\']), "{pair}");
        check(&cookies(&request(pair.as_bytes())), &[(text, text)]);
    }

    #[test]
    fn what_no_header_can_hold_is_not_sent() {
        let request = request(b"");
        let cookies = cookies(&request);
        cookies.set(Cookie::build("a", "1").domain("x\r\ny").finish());
        cookies.set(("b", "2"));
        assert_eq!(sent(&request, &[]), ["b=2; Path=/"]);
    }

    #[test]
    fn the_responses_own_cookies_win_and_stay_as_they_are() {
        let request = request(b"");
        let cookies = cookies(&request);
        for name in ["a", "b c", "d"] {
            cookies.set((name, "set"));
        }
        let own = ["a=own", "b%20c=own; Secure", "a=own too", "no cookie"];
        assert_eq!(
            sent(&request, &own),
            [
                "a=own",
                "b%20c=own; Secure",
                "a=own too",
                "no cookie",
                "d=set; Path=/"
            ]
        );
    }

    #[test]
    fn debugging_shows_no_values() {
        let cookies = cookies(&request(b"session=secret"));
        assert_eq!(format!("{cookies:?}"), r#"{"session"}"#);
    }
}
