//! The cookies of one request: those that were received with it, and those that are to be sent.

use std::borrow::Borrow;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::rc::Rc;

use actix_web::cookie::Cookie;
use actix_web::cookie::time::Duration;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};

use crate::target;

/// The received cookies and the changes to them. The jar is kept with the request, so that every
/// `Cookies` of the request shares it.
pub(super) struct Jar {
    received: InsertionOrder<Rc<str>, String>,
    changed: RefCell<InsertionOrder<Rc<str>, Cookie<'static>>>,
}

impl Jar {
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let mut received = InsertionOrder::default();
        for value in headers.get_all(header::COOKIE) {
            for pair in String::from_utf8_lossy(value.as_bytes()).split(';') {
                if let Some((name, value)) = parse_cookie(pair) {
                    received.insert_new(name.into(), value);
                }
            }
        }
        Self {
            received,
            changed: RefCell::default(),
        }
    }

    /// Returns the value of a cookie, as it was set in this request, or otherwise as the client
    /// sent it.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        match self.changed.borrow().get(name) {
            Some(cookie) => is_kept(cookie).then(|| cookie.value().into()),
            None => self.received.get(name).cloned(),
        }
    }

    /// Returns the names and values of all cookies: first those that the client sent, then those
    /// that are new.
    pub(super) fn all(&self) -> Vec<(String, String)> {
        let changed = self.changed.borrow();
        let received = self.received.iter().filter_map(|(name, value)| {
            let value = match changed.get(&**name) {
                Some(cookie) => is_kept(cookie).then(|| cookie.value())?,
                None => value,
            };
            Some((name.to_string(), value.to_owned()))
        });
        let new = changed
            .iter()
            .filter(|(name, cookie)| is_kept(cookie) && self.received.get(&**name).is_none())
            .map(|(name, cookie)| (name.to_string(), cookie.value().to_owned()));
        received.chain(new).collect()
    }

    pub(super) fn set(&self, cookie: Cookie<'static>) {
        let mut changed = self.changed.borrow_mut();
        changed.insert(cookie.name().into(), cookie);
    }
}

/// Puts the cookies that were set during a request on its response, after the response's own. A
/// cookie of the response itself replaces one that was set under the same name.
pub(crate) fn with_cookies(mut response: HttpResponse, request: &HttpRequest) -> HttpResponse {
    let Some(jar) = request.extensions().get::<Rc<Jar>>().cloned() else {
        return response;
    };
    let own: HashSet<String> = response
        .headers()
        .get_all(header::SET_COOKIE)
        .filter_map(|value| Some(parse_cookie(std::str::from_utf8(value.as_bytes()).ok()?)?.0))
        .collect();
    for (name, cookie) in jar.changed.borrow().iter() {
        if own.contains(&**name) {
            continue;
        }
        match HeaderValue::from_str(&cookie.encoded().to_string()) {
            Ok(value) => response.headers_mut().append(header::SET_COOKIE, value),
            Err(_) => tracing::error!(
                target: target::HANDLER,
                cookie = cookie.name(),
                "a cookie was not sent: no header can hold its attributes"
            ),
        }
    }
    response
}

/// Returns the decoded name and value of a cookie; none if it cannot be read.
fn parse_cookie(text: &str) -> Option<(String, String)> {
    let cookie = Cookie::parse_encoded(text).ok()?;
    Some((cookie.name().into(), cookie.value().into()))
}

/// Returns whether a client that receives this cookie keeps it, and does not delete it.
fn is_kept(cookie: &Cookie<'_>) -> bool {
    cookie.max_age().is_none_or(Duration::is_positive)
}

/// A map from names to values that iterates in the order in which the names were inserted.
///
/// It hashes names and does not compare each one with all others: a client may send as many names
/// as fit into its headers, which can be tens of thousands.
struct InsertionOrder<K, V> {
    items: Vec<(K, V)>,
    places: HashMap<K, usize>,
}

impl<K, V> Default for InsertionOrder<K, V> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            places: HashMap::new(),
        }
    }
}

impl<K: Hash + Eq + Clone, V> InsertionOrder<K, V> {
    fn get<Q: Hash + Eq + ?Sized>(&self, name: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let place = *self.places.get(name)?;
        Some(&self.items[place].1)
    }

    /// Inserts a value. It takes the place of an earlier value of the same name.
    fn insert(&mut self, name: K, value: V) {
        match self.places.get(&name) {
            Some(&place) => self.items[place].1 = value,
            None => self.insert_new(name, value),
        }
    }

    /// Inserts a value, unless there is one of the same name.
    fn insert_new(&mut self, name: K, value: V) {
        if !self.places.contains_key(&name) {
            self.places.insert(name.clone(), self.items.len());
            self.items.push((name, value));
        }
    }

    fn iter(&self) -> impl Iterator<Item = &(K, V)> {
        self.items.iter()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::hash::Hasher;

    use super::*;

    thread_local! {
        static COMPARED: Cell<usize> = const { Cell::new(0) };
    }

    #[derive(Clone)]
    struct Counting(usize);

    impl PartialEq for Counting {
        fn eq(&self, other: &Self) -> bool {
            COMPARED.set(COMPARED.get() + 1);
            self.0 == other.0
        }
    }

    impl Eq for Counting {}

    impl Hash for Counting {
        fn hash<H: Hasher>(&self, state: &mut H) {
            self.0.hash(state);
        }
    }

    #[test]
    fn the_number_of_comparisons_grows_linearly_with_the_number_of_names() {
        const NAMES: usize = 20_000;
        let mut ordered = InsertionOrder::default();
        for round in 0..2 {
            for name in 0..NAMES {
                ordered.insert_new(Counting(name), round);
                ordered.insert(Counting(name), round);
            }
        }
        assert!((0..NAMES).all(|name| ordered.get(&Counting(name)) == Some(&1)));
        assert!(ordered.iter().map(|(name, _)| name.0).eq(0..NAMES));
        // A name is compared once when it is found, and rarely when parts of two hashes are equal.
        assert!(COMPARED.get() < 10 * NAMES, "{}", COMPARED.get());
    }

    #[test]
    fn twenty_thousand_cookies_are_read_and_deleted() {
        let mut headers = HeaderMap::new();
        let pairs: Vec<_> = (0..20_000).map(|it| format!("{it:x}=")).collect();
        let value = HeaderValue::from_str(&pairs.join(";")).unwrap();
        headers.insert(header::COOKIE, value);
        let jar = Jar::read(&headers);
        let all = jar.all();
        assert_eq!((all.len(), &*all[255].0), (20_000, "ff"));
        for (name, _) in all {
            let mut cookie = Cookie::new(name, "");
            cookie.set_max_age(Duration::ZERO);
            jar.set(cookie);
        }
        assert!(jar.all().is_empty());
    }
}
