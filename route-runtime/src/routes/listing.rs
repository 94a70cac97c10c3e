//! The table, as a person reads it.

use std::fmt;

use super::Routes;
use crate::rendering::Rendering;

impl fmt::Display for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widest = |width: fn(&super::Route<'_>) -> usize| {
            self.iter().map(|route| width(&route)).max().unwrap_or(0)
        };
        let method = widest(|route| route.method().as_str().len());
        let pattern = widest(|route| route.pattern().chars().count());
        for route in self.iter() {
            let symbol = match route.rendering() {
                Rendering::Cached(_) => '○',
                Rendering::Dynamic(_) => 'ƒ',
            };
            writeln!(
                f,
                "{symbol} {:method$}  {:pattern$}  {}",
                route.method(),
                route.pattern(),
                route.rendering()
            )?;
        }
        writeln!(
            f,
            "\n○ static: rendered with a blank request   ƒ dynamic: rendered for each request"
        )
    }
}
