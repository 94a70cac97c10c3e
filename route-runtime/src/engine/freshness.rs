//! Freshness: the effect of age on an entry. This module is pure.

use std::time::Duration;

/// The time for which content may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lifetime {
    /// The age at which content becomes stale. `None` means never.
    pub(crate) revalidate: Option<Duration>,
    /// The age at which content must not be used any more. `None` means never.
    pub(crate) expire: Option<Duration>,
}

#[cfg(test)]
impl Lifetime {
    /// A lifetime in which content is fresh at any age.
    pub(crate) const FOREVER: Self = Self {
        revalidate: None,
        expire: None,
    };

    /// Makes a lifetime in which content is stale from this age on, and never expires.
    pub(crate) const fn revalidate(after: Duration) -> Self {
        Self {
            revalidate: Some(after),
            expire: None,
        }
    }

    /// Adds the age from which content must not be used any more.
    #[must_use]
    pub(crate) const fn expire(mut self, after: Duration) -> Self {
        self.expire = Some(after);
        self
    }
}

/// The worth of an entry at some age. The order is from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Freshness {
    /// The entry is used as it is.
    Fresh,
    /// The entry is used while one task refreshes it.
    Stale,
    /// The entry is not used, as if there were none.
    Expired,
}

impl Lifetime {
    /// Returns the shorter of two lengths. `None` means for ever.
    pub(crate) fn shorter(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
        match (one, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// Returns what content of this age is worth.
    ///
    /// Both bounds are exclusive: fresh while `age < revalidate`, stale while `age < expire`.
    /// `revalidate = 0` is never fresh. The answer never improves with age.
    pub(crate) fn freshness(self, age: Duration) -> Freshness {
        if self.expire.is_some_and(|expire| age >= expire) {
            Freshness::Expired
        } else if self.revalidate.is_some_and(|revalidate| age >= revalidate) {
            Freshness::Stale
        } else {
            Freshness::Fresh
        }
    }

    /// Returns how many whole seconds of freshness are left, rounded down, and negative once the
    /// content is stale. Returns `None` for content that is fresh for ever.
    pub(crate) fn seconds_left(self, age: Duration) -> Option<i64> {
        let fresh = match (self.revalidate, self.expire) {
            (Some(revalidate), Some(expire)) => revalidate.min(expire),
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => return None,
        };
        Some(if fresh >= age {
            whole_seconds(fresh - age)
        } else {
            let over = age - fresh;
            -whole_seconds(over) - i64::from(over.subsec_nanos() > 0)
        })
    }
}

fn whole_seconds(length: Duration) -> i64 {
    i64::try_from(length.as_secs()).unwrap_or(i64::MAX - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn the_bounds_of_a_lifetime_are_exact() {
        fn check(lifetime: Lifetime, age: Duration, expected: (Freshness, Option<i64>)) {
            let actual = (lifetime.freshness(age), lifetime.seconds_left(age));
            assert_eq!(actual, expected, "{lifetime:?} at {age:?}");
        }
        use Freshness::{Expired, Fresh, Stale};
        let two = Lifetime::revalidate(ms(2000));
        check(two, ms(0), (Fresh, Some(2)));
        check(two, ms(1), (Fresh, Some(1)));
        check(two, ms(1999), (Fresh, Some(0)));
        check(two, ms(2000), (Stale, Some(0)));
        check(two, ms(2001), (Stale, Some(-1)));
        check(two, ms(3000), (Stale, Some(-1)));
        check(two, Duration::MAX, (Stale, Some(-i64::MAX)));
        let both = two.expire(ms(5000));
        check(both, ms(4999), (Stale, Some(-3)));
        check(both, ms(5000), (Expired, Some(-3)));
        check(Lifetime::FOREVER, Duration::MAX, (Fresh, None));
        check(
            Lifetime::FOREVER.expire(ms(1000)),
            ms(999),
            (Fresh, Some(0)),
        );
        check(
            Lifetime::FOREVER.expire(ms(1000)),
            ms(1000),
            (Expired, Some(0)),
        );
        check(Lifetime::revalidate(ms(0)), ms(0), (Stale, Some(0)));
        // Inherited lifetimes may cross. Then the stricter bound wins.
        check(two.expire(ms(1000)), ms(1000), (Expired, Some(0)));
    }

    proptest! {
        #[test]
        fn freshness_never_improves_with_age(
            revalidate in proptest::option::of(0u64..100),
            expire in proptest::option::of(0u64..100),
            age in 0u64..200,
            more in 0u64..200,
        ) {
            let lifetime = Lifetime { revalidate: revalidate.map(ms), expire: expire.map(ms) };
            prop_assert!(lifetime.freshness(ms(age)) <= lifetime.freshness(ms(age + more)));
            prop_assert!(lifetime.seconds_left(ms(age)) >= lifetime.seconds_left(ms(age + more)));
        }
    }
}
