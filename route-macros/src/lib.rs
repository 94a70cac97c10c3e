//! The attribute macros of `route-runtime`.
