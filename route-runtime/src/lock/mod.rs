//! How each route is rendered, as a file to be committed: a change of code that turns a route
//! static or dynamic, or alters how long it is fresh, is then seen in review, and fails in CI.
//!
//! The commands `lock` and `check --locked` are [`Lock::of`] and [`Lock::check`].
//!
//! ```
//! use route_runtime::lock::Lock;
//! use route_runtime::{Routes, route};
//!
//! #[route("/news/[id]", revalidate = 10, tags = ["news", "news:{id}"])]
//! async fn news(id: u64) -> String {
//!     format!("news {id}")
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let routes = Routes::from_iter([news::ROUTE])?;
//! let text = Lock::of(&routes).to_string();
//! assert_eq!(
//!     text.lines().last(),
//!     Some("GET /news/[id] cached revalidate=10 tag=news tag=news:{id} # `revalidate = 10`"),
//! );
//!
//! // Later, with what was committed:
//! text.parse::<Lock>()?.check(&routes)?;
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::declaration::{DynamicReason, Rendering, Revalidate};
use crate::routes::{Route, Routes};

mod error;

pub use error::{Difference, LockError};

const TITLE: &str = "# How each route is rendered: `lock` writes it, `check --locked` compares it.";

/// What is written, and the only version that is read.
const VERSION: &str = "version 1";

/// Stands before why a route is rendered as it is.
const WHY: &str = " # ";

/// How each route is rendered: method, pattern, decision, lifetimes, tags, and why.
///
/// Displayed, it is one line per route, sorted, without dates and without places in the source, so
/// that it changes only where a route does. Why a route is rendered as it is stands there for the
/// reader and is not compared: to rename an argument changes nothing for those who ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// By pattern and method.
    routes: BTreeMap<Name, Line>,
}

/// Pattern and method; the pattern first, to sort by.
type Name = (String, String);

/// What follows the name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    /// The decision, lifetimes and tags: what is compared.
    decision: String,
    why: String,
}

impl Lock {
    /// How the routes are rendered as they are now.
    #[must_use]
    pub fn of(routes: &Routes) -> Self {
        let routes = routes.iter().map(|route| (name(&route), line(&route)));
        Self {
            routes: routes.collect(),
        }
    }

    /// Compares with how the routes are rendered now.
    ///
    /// # Errors
    ///
    /// [`LockError::Differs`], with every difference.
    pub fn check(&self, routes: &Routes) -> Result<(), LockError> {
        let now: BTreeMap<_, _> = routes.iter().map(|route| (name(&route), route)).collect();
        let mut differences = Vec::new();
        for (name, old) in &self.routes {
            let Some(route) = now.get(name) else {
                differences.push(Difference::Gone {
                    old: written(name, old),
                });
                continue;
            };
            let new = line(route);
            if new.decision != old.decision {
                differences.push(Difference::Changed {
                    old: written(name, old),
                    new: written(name, &new),
                    rendering: route.rendering(),
                    place: route.place(),
                });
            }
        }
        for (name, route) in &now {
            if !self.routes.contains_key(name) {
                differences.push(Difference::New {
                    new: written(name, &line(route)),
                    rendering: route.rendering(),
                    place: route.place(),
                });
            }
        }
        if differences.is_empty() {
            Ok(())
        } else {
            Err(LockError::Differs(differences))
        }
    }
}

fn name(route: &Route<'_>) -> Name {
    (escaped(route.pattern()), route.method().to_string())
}

fn line(route: &Route<'_>) -> Line {
    let rendering = route.rendering();
    let mut decision = String::from("dynamic");
    if rendering.is_cached() {
        decision = match route.revalidate() {
            Some(Revalidate::After(seconds)) => format!("cached revalidate={seconds}"),
            Some(Revalidate::Never) | None => "cached revalidate=never".into(),
        };
        if let Some(expire) = route.expire() {
            decision.push_str(&format!(" expire={}", expire.as_secs()));
        }
        for tag in route.tags() {
            decision.push_str(&format!(" tag={}", escaped(&tag)));
        }
    }
    let why = match rendering {
        // Without the place, whose line changes with whatever stands before it.
        Rendering::Dynamic(DynamicReason::Beside(method, _)) => format!("{method} beside it"),
        other => other.to_string(),
    };
    // An argument may have been written on several lines.
    let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
    Line { decision, why }
}

/// In one word and on one line; patterns may hold spaces.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for char in text.chars() {
        if char.is_whitespace() || char.is_control() || char == '%' {
            let mut bytes = [0; 4];
            for byte in char.encode_utf8(&mut bytes).bytes() {
                escaped.push_str(&format!("%{byte:02X}"));
            }
        } else {
            escaped.push(char);
        }
    }
    escaped
}

fn written((pattern, method): &Name, line: &Line) -> String {
    let Line { decision, why } = line;
    if why.is_empty() {
        format!("{method} {pattern} {decision}")
    } else {
        format!("{method} {pattern} {decision}{WHY}{why}")
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{TITLE}\n{VERSION}")?;
        for (name, line) in &self.routes {
            writeln!(f, "{}", written(name, line))?;
        }
        Ok(())
    }
}

impl FromStr for Lock {
    type Err = LockError;

    /// Reads what [`Display`](fmt::Display) writes. Empty lines and lines that start with `#` say
    /// nothing, so that a file may hold remarks.
    fn from_str(text: &str) -> Result<Self, LockError> {
        let mut lines = text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line.trim()))
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let version = lines.next().map_or("", |(_, line)| line);
        if version != VERSION {
            return Err(LockError::Version(version.into()));
        }
        let mut routes = BTreeMap::new();
        for (number, text) in lines {
            let wrong = |what| LockError::Line {
                number,
                text: text.into(),
                what,
            };
            let (compared, why) = text.split_once(WHY).unwrap_or((text, ""));
            let mut words = compared.splitn(3, ' ');
            let (Some(method), Some(pattern), Some(decision)) =
                (words.next(), words.next(), words.next())
            else {
                return Err(wrong("is no route"));
            };
            let is_decision = matches!(decision.split(' ').next(), Some("cached" | "dynamic"));
            if !is_decision || !pattern.starts_with('/') {
                return Err(wrong("is no route"));
            }
            let line = Line {
                decision: decision.into(),
                why: why.into(),
            };
            if routes
                .insert((pattern.into(), method.into()), line)
                .is_some()
            {
                return Err(wrong("is there twice"));
            }
        }
        Ok(Self { routes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_one_word_each() {
        assert_eq!(escaped("/a b/50%/é\u{a0}"), "/a%20b/50%25/é%C2%A0");
    }

    #[test]
    fn remarks_and_line_endings_say_nothing() {
        let plain: Lock = "version 1\nGET /a dynamic # why\nPOST /a dynamic\n"
            .parse()
            .unwrap();
        let other = "# ours\r\nversion 1\r\n\r\n# why\r\nPOST /a dynamic\r\nGET /a dynamic # why";
        assert_eq!(other.parse::<Lock>().unwrap(), plain);
        assert_eq!(
            plain.to_string(),
            format!("{TITLE}\nversion 1\nGET /a dynamic # why\nPOST /a dynamic\n")
        );
    }

    #[test]
    fn what_is_no_lock_is_an_error_that_quotes_it() {
        let check = |text: &str, expected: &str| {
            let error = text.parse::<Lock>().unwrap_err().to_string();
            assert_eq!(error.lines().next(), Some(expected), "{text}");
        };
        check("", "the lock of the routes starts with ``");
        check(
            "version 2\n",
            "the lock of the routes starts with `version 2`",
        );
        for line in [
            "<<<<<<< HEAD",
            "GET /a",
            "GET /a # dynamic",
            "GET a dynamic",
            "GET /a often",
        ] {
            check(
                &format!("# lock\nversion 1\n{line}\n"),
                &format!("line 3 of the lock of the routes is no route: `{line}`"),
            );
        }
        check(
            "version 1\nGET /a dynamic\nGET /a cached\n",
            "line 3 of the lock of the routes is there twice: `GET /a cached`",
        );
    }
}
