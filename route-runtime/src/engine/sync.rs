//! The primitives from which [`epoch`](super::epoch) and [`flight`](super::flight) are built.
//!
//! Those two files name them as `super::sync`, so that the model checker can compile the same
//! source against its own primitives (`tests/model.rs`).

pub(crate) use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
    atomic::{AtomicBool, AtomicU64, Ordering},
};
