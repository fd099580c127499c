//! Threads to work on.

use std::sync::{Mutex, PoisonError};

use crate::error::TrainError;

/// Whether the threads that all work shares are there: a process of Python may ask more than once.
static STARTED: Mutex<bool> = Mutex::new(false);

/// A pool of exactly so many threads.
pub(crate) fn thread_pool(threads: usize) -> Result<rayon::ThreadPool, TrainError> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| TrainError::Threads { threads, reason: error.to_string() })
}

/// Starts the threads that everything outside a run shares, one a core, where that has not been done.
/// Where nobody has, the first work that needs them does, and a system that has no more threads to
/// give is a panic then.
///
/// # Errors
/// [`TrainError::Threads`].
pub fn start_threads() -> Result<(), TrainError> {
    let mut are_started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*are_started {
        rayon::ThreadPoolBuilder::new().build_global().map_err(|error| {
            let threads = std::thread::available_parallelism().map_or(1, usize::from);
            TrainError::Threads { threads, reason: error.to_string() }
        })?;
        *are_started = true;
    }
    Ok(())
}
