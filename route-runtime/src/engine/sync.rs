//! The primitives [`epoch`](super::epoch) and [`flight`](super::flight) are built from.
//!
//! Those two files name them as `super::sync`, so that the model checker can compile the same
//! source against its own (`tests/model.rs`).

pub(crate) use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
    atomic::{AtomicBool, AtomicU64, Ordering},
};
