//! The command itself.

use std::ffi::OsString;

use pyo3::prelude::*;
use wd::Invocation;

/// Runs the command `wd` with these words, and gives its exit code. `program` is how a process that
/// is the same command is started.
#[pyfunction]
pub(crate) fn main(py: Python<'_>, program: Vec<OsString>, words: Vec<OsString>) -> u8 {
    py.detach(|| wd::main_from(Invocation { program, words }))
}
