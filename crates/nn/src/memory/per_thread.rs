//! Memory of which every thread at work needs one.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

/// At least one workspace, given to whoever asks.
pub(crate) struct Workspaces<W>(Vec<Mutex<W>>);

impl<W> Workspaces<W> {
    /// `count` of them, at least one.
    pub(crate) fn new(count: usize, mut make: impl FnMut() -> W) -> Self {
        Self((0..count.max(1)).map(|_| Mutex::new(make())).collect())
    }

    /// A workspace that nobody uses; waits for one if the pool has more threads than there are workspaces.
    pub(crate) fn take(&self) -> MutexGuard<'_, W> {
        // A panic elsewhere leaves no half-written state behind: every number is written before it is read.
        let free = self.0.iter().find_map(|workspace| match workspace.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        });
        free.unwrap_or_else(|| self.0[0].lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sum over all workspaces.
    pub(crate) fn sum(&self, of: impl Fn(&W) -> usize) -> usize {
        let guards = self.0.iter().map(|workspace| {
            let workspace = workspace.lock().unwrap_or_else(PoisonError::into_inner);
            of(&workspace)
        });
        guards.sum()
    }
}
