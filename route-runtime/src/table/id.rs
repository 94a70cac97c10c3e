//! The ids of handlers and nodes within a table.

use std::ops::Index;

use super::{Handler, Table};

/// The place of a handler in its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct HandlerId(pub(super) usize);

/// The place of a node in its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct NodeId(pub(super) usize);

/// A list of values, one for each handler of a table.
#[derive(Debug)]
pub(crate) struct ByHandler<T>(Vec<T>);

impl<T> ByHandler<T> {
    /// Makes a value for each handler.
    pub(crate) fn new(table: &Table, make: impl FnMut((HandlerId, &Handler)) -> T) -> Self {
        Self(table.handlers().map(make).collect())
    }

    /// Takes values that were made in the order of the table's handlers.
    pub(crate) fn of(values: Vec<T>) -> Self {
        Self(values)
    }
}

impl<T> Index<HandlerId> for ByHandler<T> {
    type Output = T;

    fn index(&self, id: HandlerId) -> &T {
        &self.0[id.0]
    }
}
