//! Memory of which every thread at work needs one.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

/// At least one of them, lent to whoever asks.
pub(crate) struct PerThread<W>(Vec<Mutex<W>>);

impl<W> PerThread<W> {
    /// `count` of them, at least one.
    pub(crate) fn new(count: usize, mut make: impl FnMut() -> W) -> Self {
        Self((0..count.max(1)).map(|_| Mutex::new(make())).collect())
    }

    /// One that nobody uses; waits for one if the pool has more threads than there are of them.
    pub(crate) fn take(&self) -> MutexGuard<'_, W> {
        // A panic elsewhere leaves no half-written state behind: every number is written before it
        // is read.
        let free = self.0.iter().find_map(|one| match one.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        });
        free.unwrap_or_else(|| self.0[0].lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sum over all.
    pub(crate) fn sum(&self, of: impl Fn(&W) -> usize) -> usize {
        let guards = self.0.iter().map(|one| {
            let one = one.lock().unwrap_or_else(PoisonError::into_inner);
            of(&one)
        });
        guards.sum()
    }
}
