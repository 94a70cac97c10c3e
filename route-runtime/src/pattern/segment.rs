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

impl Segment {
    /// Returns the name of the parameter that the segment is, if it is one.
    pub(crate) fn param(&self) -> Option<&'static str> {
        match self {
            Self::Param(name) | Self::CatchAll(name) | Self::OptionalCatchAll(name) => Some(name),
            Self::Literal(_) | Self::Group(_) => None,
        }
    }

    /// Returns whether a pattern has parameters.
    pub(crate) fn has_params(segments: &[Self]) -> bool {
        segments.iter().any(|segment| segment.param().is_some())
    }
}
