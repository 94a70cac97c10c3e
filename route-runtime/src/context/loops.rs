//! Requests that this process makes to itself.
//!
//! A render that fetches a route of its own program waits for a render that may wait for it in
//! turn. Within the process the cache sees such a loop; over HTTP it does not. So each request
//! names the render that it is made for, in the header that exists for such loops (`CDN-Loop`, RFC
//! 8586). A request that comes back with that name is part of that render. The name is random, and
//! means nothing to anybody else.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::http::header::HeaderMap;

use crate::engine::{Ancestry, Key};

pub(crate) const HEADER: &str = "cdn-loop";

/// The requests under way that may come back. A clone is another handle to the same requests.
#[derive(Clone, Debug)]
pub(crate) struct Loops(Arc<UnderWay>);

#[derive(Debug)]
struct UnderWay {
    /// The name of this process in the header.
    id: String,
    /// The random key that makes the numbers impossible to guess.
    random: RandomState,
    next: AtomicU64,
    /// A copy of the number of requests, which is read without the lock.
    count: AtomicUsize,
    renders: Mutex<HashMap<u64, Ancestry<Key>>>,
}

impl Default for Loops {
    fn default() -> Self {
        let random = RandomState::new();
        Self(Arc::new(UnderWay {
            id: format!("route-{:016x}", RandomState::new().hash_one(0)),
            random,
            next: AtomicU64::new(0),
            count: AtomicUsize::new(0),
            renders: Mutex::default(),
        }))
    }
}

impl Loops {
    /// Registers a request that is made for this render, until the returned value is dropped.
    pub(crate) fn enter(&self, render: Ancestry<Key>) -> Entered {
        // The numbers are consecutive but hashed with a random key, so nobody can tell the next
        // one.
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        let number = self.0.random.hash_one(number);
        self.0.lock().insert(number, render);
        self.0.count.fetch_add(1, Ordering::Release);
        Entered {
            loops: self.clone(),
            number,
        }
    }

    /// Returns the render that a request comes from, if a render of this process made it.
    pub(crate) fn caller(&self, headers: &HeaderMap) -> Option<Ancestry<Key>> {
        if self.0.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        let values = headers.get_all(HEADER).filter_map(|it| it.to_str().ok());
        let mut names = values.flat_map(|value| value.split(',')).map(str::trim);
        let number = names.find_map(|name| {
            let render = name.strip_prefix(&*self.0.id)?.strip_prefix("; render=")?;
            u64::from_str_radix(render, 16).ok()
        })?;
        self.0.lock().get(&number).cloned()
    }
}

impl UnderWay {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Ancestry<Key>>> {
        self.renders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request under way, for as long as this value lives.
#[derive(Debug)]
pub(crate) struct Entered {
    loops: Loops,
    number: u64,
}

impl Entered {
    /// Returns the header's value, which is added after that of the caller.
    pub(crate) fn header(&self) -> String {
        let mut header = self.loops.0.id.clone();
        write!(header, "; render={:016x}", self.number).expect("writing to a string does not fail");
        header
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.loops.0.lock().remove(&self.number);
        self.loops.0.count.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;
    use crate::engine::Engine;
    use crate::stored::Stored;

    fn caller(loops: &Loops, header: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(header).unwrap();
        headers.append(HeaderName::from_static(HEADER), value);
        let caller = loops.caller(&headers)?;
        Some(format!("{caller:?}"))
    }

    #[test]
    fn only_requests_under_way_are_recognised() {
        let loops = Loops::default();
        let render = Engine::<Key, Stored>::alone(Key::new("/a"), None).unwrap();
        assert_eq!(caller(&loops, "route-1; render=1"), None);

        let entered = loops.enter(render.clone());
        let header = entered.header();
        let expected = Some(r#"[Key("/a")]"#.to_owned());
        assert_eq!(caller(&loops, &header), expected);
        assert_eq!(
            caller(&loops, &format!("cdn.example, {header}, other; a=b")),
            expected
        );
        assert_eq!(caller(&loops, &header.replace("render=", "render=f")), None);
        assert_eq!(caller(&Loops::default(), &header), None);

        drop(entered);
        assert_eq!(caller(&loops, &header), None);
    }
}
