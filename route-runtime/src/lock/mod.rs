//! The lock file, which records how each route is rendered and what guards it.
//!
//! The file is meant to be committed. A change of code that makes a route cached or dynamic, that
//! alters how long it is fresh, or that takes a middleware from it, is then visible in review and
//! fails in CI.
//!
//! The command `lock` writes [`Lock::of`] the routes to the file, and `check --locked` does
//! [`Lock::check`] with what was committed.
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
//! // Later, with the text that was committed:
//! text.parse::<Lock>()?.check(&routes)?;
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::declaration::{DynamicReason, OPTIONS, Rendering};
use crate::routes::{Route, Routes};

mod error;

pub use error::{Difference, LockError};

const TITLE: &str = "# How each route is rendered: `lock` writes it, `check --locked` compares it.";

/// The version line that is written. No other version is read.
const VERSION: &str = "version 2";

/// The separator between a route's decision and the reason for it.
const WHY: &str = " # ";

/// A record of how each route is rendered: method, pattern, decision, lifetimes, tags, whether shared
/// caches may keep it, the middleware that its requests pass, and reason.
///
/// [`Display`](fmt::Display) writes a sorted line for each route. The lines hold no dates and no
/// places in the source, so that a line changes only if its route does. The reason for a decision
/// is there for readers and is not compared: renaming an argument, for example, changes the reason
/// but no response.
///
/// Each `wrap=` is one middleware, the outermost first: `wrap=guard` is the route's own, and
/// `wrap=app::guard@/admin/[[...rest]]` that of a section. `,open` stands behind one that was declared by
/// `wrap_open`, and `,sometimes` behind one that covers only some of the route's paths. A middleware
/// is known by the path of its function, by the name of its type, or by the expression that makes it. A
/// closure has neither, so one closure in the place of another is not noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// The lines, sorted by pattern and method.
    routes: BTreeMap<Name, LockLine>,
}

/// The pattern and the method of a route, in the order by which routes are sorted.
type Name = (String, String);

/// The rest of a line, which follows the method and the pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
struct LockLine {
    /// The decision, lifetimes and tags, which are compared.
    decision: String,
    why: String,
}

impl Lock {
    /// Makes the lock of the routes as they are now.
    #[must_use]
    pub fn of(routes: &Routes) -> Self {
        let routes = routes.iter().map(|route| (name(&route), lock_line(&route)));
        Self {
            routes: routes.collect(),
        }
    }

    /// Compares the lock with how the routes are rendered now.
    ///
    /// # Errors
    ///
    /// [`LockError::Differs`], with every difference, if there are any.
    pub fn check(&self, routes: &Routes) -> Result<(), LockError> {
        let now: BTreeMap<_, _> = routes.iter().map(|route| (name(&route), route)).collect();
        let mut differences = Vec::new();
        for (name, old) in &self.routes {
            let Some(route) = now.get(name) else {
                differences.push(Difference::Gone {
                    old: line_text(name, old),
                });
                continue;
            };
            let new = lock_line(route);
            if new.decision != old.decision {
                differences.push(Difference::Changed {
                    old: line_text(name, old),
                    new: line_text(name, &new),
                    rendering: route.rendering(),
                    place: route.place(),
                });
            }
        }
        for (name, route) in &now {
            if !self.routes.contains_key(name) {
                differences.push(Difference::New {
                    new: line_text(name, &lock_line(route)),
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

fn lock_line(route: &Route<'_>) -> LockLine {
    let rendering = route.rendering();
    let is_cached = rendering.is_cached();
    let mut decision = String::from(if is_cached { "cached" } else { "dynamic" });
    // Settings of the server are left out: they do not belong to the route.
    let shown = route.shown(false);
    let options = OPTIONS.iter().filter(|it| is_cached || it.is_of_any);
    for (name, values) in options.filter_map(|option| option.lock) {
        for value in values(&shown) {
            decision.push_str(&format!(" {name}={}", escaped(&value)));
        }
    }
    let why = match rendering {
        // The place of the other method is left out: its line number changes with any code above
        // it.
        Rendering::Dynamic(DynamicReason::Beside(method, _)) => format!("{method} beside it"),
        other => other.to_string(),
    };
    // The reason may quote an argument that is written on several lines.
    let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
    LockLine { decision, why }
}

/// Escapes whitespace, control characters and `%`, so that a pattern or a tag is one word on one
/// line.
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

fn line_text((pattern, method): &Name, line: &LockLine) -> String {
    let LockLine { decision, why } = line;
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
            writeln!(f, "{}", line_text(name, line))?;
        }
        Ok(())
    }
}

impl FromStr for Lock {
    type Err = LockError;

    /// Parses the text that [`Display`](fmt::Display) writes. Empty lines are ignored, and so are
    /// lines that start with `#`, so that a file may hold comments.
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
            let line = LockLine {
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
    fn spaces_control_characters_and_percent_signs_are_escaped() {
        assert_eq!(escaped("/a b/50%/é\u{a0}"), "/a%20b/50%25/é%C2%A0");
    }

    #[test]
    fn comments_empty_lines_line_endings_and_order_are_ignored() {
        let plain: Lock = "version 2\nGET /a dynamic # why\nPOST /a dynamic\n"
            .parse()
            .unwrap();
        let other = "# ours\r\nversion 2\r\n\r\n# why\r\nPOST /a dynamic\r\nGET /a dynamic # why";
        assert_eq!(other.parse::<Lock>().unwrap(), plain);
        assert_eq!(
            plain.to_string(),
            format!("{TITLE}\nversion 2\nGET /a dynamic # why\nPOST /a dynamic\n")
        );
    }

    #[test]
    fn a_text_that_is_no_lock_is_an_error_that_quotes_the_line() {
        let check = |text: &str, expected: &str| {
            let error = text.parse::<Lock>().unwrap_err().to_string();
            assert_eq!(error.lines().next(), Some(expected), "{text}");
        };
        check("", "the lock of the routes starts with ``");
        check(
            "version 1\n",
            "the lock of the routes starts with `version 1`",
        );
        for line in [
            "<<<<<<< HEAD",
            "GET /a",
            "GET /a # dynamic",
            "GET a dynamic",
            "GET /a often",
        ] {
            check(
                &format!("# lock\nversion 2\n{line}\n"),
                &format!("line 3 of the lock of the routes is no route: `{line}`"),
            );
        }
        check(
            "version 2\nGET /a dynamic\nGET /a cached\n",
            "line 3 of the lock of the routes is there twice: `GET /a cached`",
        );
    }
}
