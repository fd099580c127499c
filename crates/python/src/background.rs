//! Long work beside Python: without its lock, and with an ear for Ctrl-C.

use std::sync::Mutex;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// How long Ctrl-C may wait.
const PATIENCE: Duration = Duration::from_millis(50);

/// Does `work` on a thread of its own while other threads of Python run. A Ctrl-C ends the waiting:
/// the work itself goes on to its end, and what it finds is dropped.
pub(crate) fn run<T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce() -> T + Send + 'static,
) -> PyResult<T> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        // Nobody waits any more after a Ctrl-C.
        let _gone = sender.send(work());
    });
    // One thread reads at a time, and only while it does not hold Python's lock.
    let receiver = Mutex::new(receiver);
    loop {
        let found = py.detach(|| match receiver.lock() {
            Ok(receiver) => receiver.recv_timeout(PATIENCE),
            Err(_) => Err(RecvTimeoutError::Disconnected),
        });
        match found {
            Ok(found) => return Ok(found),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(PyRuntimeError::new_err(
                    "the work ended without a result: this is a bug of weight_decay",
                ));
            }
        }
    }
}
