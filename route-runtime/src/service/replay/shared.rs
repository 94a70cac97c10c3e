//! Instructions for shared caches outside: how long they may use a response, and under which tags
//! it can be purged there.

use std::time::Duration;

use actix_web::http::header::{self, HeaderMap, HeaderName};

use super::tags::OutsideTags;
use super::value::text;
use crate::engine::Lifetime;

const CDN_CACHE_CONTROL: HeaderName = HeaderName::from_static("cdn-cache-control");

/// The longest lifetime in seconds that shared caches get: a year. Content that is fresh for ever
/// has it. Some caches count seconds in 32 bits.
const LONGEST: u64 = 31_536_000;

/// The age up to which content counts as new. Otherwise the time between a render and its response
/// would cost a second, since lifetimes are whole seconds, and all of `revalidate = 1`.
const JUST_NOW: Duration = Duration::from_millis(100);

/// The longest time for which shared caches outside may use content that is stale and never
/// expires.
const LONGEST_STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// The instructions for shared caches outside.
pub(in crate::service) struct Shared {
    pub(in crate::service) lifetime: Lifetime,
    /// Set if shared caches may use the response at all: not if it is stale or was invalidated.
    pub(in crate::service) is_current: bool,
    pub(in crate::service) tags: OutsideTags,
}

impl Shared {
    /// Adds the lifetime to a response whose content has this age.
    ///
    /// The lifetime is the part that is left at this age, so the response needs no `Age`: nginx
    /// does not read `Age`, and caches that do would count the age twice. HAProxy refuses a
    /// response with `Age: 0`.
    pub(super) fn add_lifetime(&self, headers: &mut HeaderMap, age: Duration) {
        let (browsers, cdn) = match self.seconds_left(age) {
            // HAProxy takes the last directive that it knows, up to version 2.8: after
            // `max-age=0`, only `public` makes a response cacheable.
            Some((fresh, stale)) => (
                format!("max-age=0, s-maxage={fresh}, public"),
                format!("max-age={fresh}, stale-while-revalidate={stale}, stale-if-error={stale}"),
            ),
            // After `s-maxage=0`, `public` would let it use the response for a lifetime of its own.
            None => ("public, max-age=0, s-maxage=0".into(), "max-age=0".into()),
        };
        headers.insert(header::CACHE_CONTROL, text(browsers));
        headers.insert(CDN_CACHE_CONTROL, text(cdn));
    }

    /// Adds the tags to those that the handler sets itself.
    pub(super) fn add_tags(&self, headers: &mut HeaderMap) {
        let OutsideTags { header, list, .. } = &self.tags;
        let name = HeaderName::from_static(header.name());
        let own = headers.get_all(&name).filter_map(|own| own.to_str().ok());
        let all: Vec<_> = own.chain([&**list]).collect();
        let value = all.join(header.separator().encode_utf8(&mut [0; 4]));
        headers.insert(name, text(value));
    }

    /// Returns for how many seconds from now shared caches may use the response as fresh, and for
    /// how many after that as stale. Returns `None` if they may not use it.
    fn seconds_left(&self, age: Duration) -> Option<(u64, u64)> {
        if !self.is_current {
            return None;
        }
        let age = if age < JUST_NOW { Duration::ZERO } else { age };
        let fresh = match self.lifetime.seconds_left(age) {
            None => LONGEST,
            Some(seconds) => u64::try_from(seconds).ok().filter(|it| *it > 0)?,
        };
        let Lifetime { revalidate, expire } = self.lifetime;
        let stale = match (revalidate, expire) {
            (None, _) => Duration::ZERO,
            (Some(revalidate), Some(expire)) => expire.saturating_sub(revalidate),
            (Some(revalidate), None) => revalidate.saturating_mul(10).min(LONGEST_STALE),
        };
        Some((fresh.min(LONGEST), stale.as_secs().min(LONGEST)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::declaration::TagHeader;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn left(lifetime: Lifetime, age: Duration) -> Option<(u64, u64)> {
        let shared = Shared {
            lifetime,
            is_current: true,
            tags: OutsideTags::of(TagHeader::default(), &[], || unreachable!("none is cut")),
        };
        shared.seconds_left(age)
    }

    #[test]
    fn shared_caches_get_the_rest_of_a_lifetime() {
        let ten = Lifetime::revalidate(seconds(10));
        assert_eq!(left(ten, seconds(0)), Some((10, 100)));
        assert_eq!(left(ten, Duration::from_millis(99)), Some((10, 100)));
        assert_eq!(left(ten, Duration::from_millis(100)), Some((9, 100)));
        assert_eq!(left(ten, Duration::from_millis(3001)), Some((6, 100)));
        assert_eq!(left(ten, Duration::from_millis(9001)), None);
        assert_eq!(left(ten, seconds(11)), None);
        assert_eq!(left(ten.expire(seconds(70)), seconds(4)), Some((6, 60)));
        assert_eq!(left(Lifetime::FOREVER, seconds(7)), Some((LONGEST, 0)));
        let hours = Lifetime::revalidate(seconds(3 * 60 * 60));
        let a_day = 24 * 60 * 60;
        assert_eq!(left(hours, seconds(0)), Some((3 * 60 * 60, a_day)));
        let years = Lifetime::revalidate(seconds(u32::MAX.into()));
        assert_eq!(left(years, seconds(0)), Some((LONGEST, a_day)));
    }

    proptest! {
        #[test]
        fn no_lifetime_outside_ends_after_ours(
            revalidate in 0_u64..100,
            expire in proptest::option::of(0_u64..200),
            age in 0_u64..100_000,
        ) {
            let age = Duration::from_millis(age);
            let lifetime = Lifetime {
                revalidate: Some(seconds(revalidate)),
                expire: expire.map(seconds),
            };
            if let Some((fresh, stale)) = left(lifetime, age) {
                prop_assert!(fresh > 0);
                prop_assert!(age + seconds(fresh) <= seconds(revalidate) + JUST_NOW);
                if let Some(expire) = expire {
                    prop_assert!(age + seconds(fresh + stale) <= seconds(expire) + JUST_NOW);
                }
            }
        }
    }
}
