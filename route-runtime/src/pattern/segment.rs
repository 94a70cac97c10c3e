//! The segments of patterns.

/// A segment of a pattern, as the macro parsed it. Literals are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// `posts`: matches itself.
    Literal(&'static str),
    /// `[id]`: matches exactly one segment.
    Param(&'static str),
    /// `[...slug]`: matches one segment or more. It is always the last.
    CatchAll(&'static str),
    /// `[[...slug]]`: matches any number of segments, including none. It is always the last.
    OptionalCatchAll(&'static str),
    /// `(group)`: matches nothing, since it is not part of the URL.
    Group(&'static str),
}
