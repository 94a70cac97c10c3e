//! Patterns and paths: which pattern a path matches, and the canonical spelling of a path.

pub(crate) mod path;
mod segment;
mod trie;

pub(crate) use self::path::{
    RequestPath, Spelling, canonical, decode_segment, encode_segment, is_segment, nearest,
};
pub use self::segment::Segment;
pub(crate) use self::trie::{Match, Params, Trie};
