//! Routes as clients and other services see them. Each module has its own URL prefix.

mod conveniences;
