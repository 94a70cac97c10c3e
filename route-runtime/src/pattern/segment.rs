//! One segment of a pattern.

/// One segment of a pattern, as the macro parsed it. Literals are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// `posts`: matches itself.
    Literal(&'static str),
    /// `[id]`: matches exactly one segment.
    Param(&'static str),
    /// `[...slug]`: matches one segment or more; always last.
    CatchAll(&'static str),
    /// `[[...slug]]`: matches any number of segments, also none; always last.
    OptionalCatchAll(&'static str),
    /// `(group)`: no part of the URL.
    Group(&'static str),
}
