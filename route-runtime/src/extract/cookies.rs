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

/// The cookies of a request. Handlers read the cookies that the client sent, and set and delete
/// cookies of the client.
///
/// A change is visible at once to every `Cookies` of the same request. It is sent with the
/// response, whether the handler returns a value, an error or a redirect. Each name is sent once,
/// as it was last set. If the handler puts a cookie of the same name on the response itself, that
/// one is sent instead.
///
/// Names and values may be any text: they are percent-encoded when they are sent, and decoded when
/// they are read. A received cookie that cannot be read is skipped: one without `=`, without a
/// name, or with encoded bytes that are not UTF-8. If several received cookies have the same name,
/// the first is read, which is the one with the longest path.
///
/// `Cookies` reads the request, so a route with this argument is rendered for each request; with
/// `dynamic = "force-static"` it finds no cookies. Changes are put on the response when the handler
/// is done. Middleware of a route (`wrap`) can set cookies here before it calls the handler;
/// afterwards, it must add them to the response itself.
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
    /// Returns the value of a cookie, as it was last set in this request, or otherwise as the
    /// client sent it.
    ///
    /// Returns `None` if there is no such cookie, and if it was deleted or set with a `Max-Age`
    /// that is not positive.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        self.jar.get(name)
    }

    /// Returns whether [`get`](Self::get) would return a value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Returns the name of every cookie with the value that [`get`](Self::get) returns: first the
    /// cookies that the client sent, in its order, then those that are new.
    ///
    /// Cookies that are set or deleted during the iteration do not change it.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (String, String)> + use<> {
        self.jar.all().into_iter()
    }

    /// Sets a cookie, which is given as a pair `(name, value)` or as a [`Cookie`] with attributes.
    ///
    /// A cookie without a `Path` gets `Path=/`; without it, clients would send the cookie back only
    /// for paths in the directory of this one. The cookie replaces an earlier change under the same
    /// name. A cookie with an attribute that no header can hold, such as a `Domain` with a line
    /// break, is not sent: the mistake is logged, and the response is otherwise unchanged.
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

    /// Deletes a cookie, by setting it to the empty value with `Path=/` and a date long past.
    ///
    /// Clients also distinguish cookies by path and domain. To delete a cookie that was set with
    /// another path than `/`, or with a domain, make a [`Cookie`] with the same path and domain,
    /// call [`make_removal`](Cookie::make_removal) on it and [`set`](Self::set) it.
    pub fn delete(&self, name: impl Into<String>) {
        let mut cookie = Cookie::new(name.into(), "");
        cookie.set_max_age(Duration::ZERO);
        cookie.set_expires(Expiration::from(OffsetDateTime::UNIX_EPOCH));
        self.set(cookie);
    }
}

/// Shows the names only, because a value may be a secret.
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

/// An argument of [`Cookies::set`]: a [`Cookie`], or a pair of a name and a value.
pub trait IntoCookie {
    /// Returns the cookie, with its attributes.
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

    /// Returns the `Set-Cookie` values that are sent with a response that has these `own` ones.
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
    fn readable_cookies_are_read_and_the_others_are_skipped() {
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
    fn a_change_is_visible_at_once_to_every_cookies_of_the_request() {
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
    fn each_name_is_sent_once_as_it_was_last_set() {
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
    fn separators_in_a_name_or_a_value_are_encoded() {
        let ours = request(b"");
        let text = "a b;\r\nSet-Cookie: x=y\0é%2C\"\\";
        cookies(&ours).set((text, text));
        let sent = sent(&ours, &[]);
        let pair = sent[0].strip_suffix("; Path=/").unwrap();
        assert!(!pair.contains([' ', ';', '\r', '\n', '"', '\\']), "{pair}");
        check(&cookies(&request(pair.as_bytes())), &[(text, text)]);
    }

    #[test]
    fn a_cookie_that_no_header_can_hold_is_not_sent() {
        let request = request(b"");
        let cookies = cookies(&request);
        cookies.set(Cookie::build("a", "1").domain("x\r\ny").finish());
        cookies.set(("b", "2"));
        assert_eq!(sent(&request, &[]), ["b=2; Path=/"]);
    }

    #[test]
    fn cookies_of_the_response_itself_replace_those_set_under_the_same_name() {
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
    fn the_debug_output_shows_no_values() {
        let cookies = cookies(&request(b"session=secret"));
        assert_eq!(format!("{cookies:?}"), r#"{"session"}"#);
    }
}
