//! Errors as exceptions with the same words.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use wd::Failure;

/// The exception of the package, which is defined in Python.
static EXCEPTION: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// An exception with a message, and what can be done.
pub(crate) fn raised(py: Python<'_>, failure: Failure) -> PyErr {
    match EXCEPTION.import(py, "weight_decay._errors", "WeightDecayError") {
        Ok(class) => PyErr::from_type(class.clone(), (failure.message, failure.help)),
        Err(error) => error,
    }
}

/// The exception of an error of a library.
pub(crate) fn raised_of(py: Python<'_>, error: &dyn std::error::Error) -> PyErr {
    raised(py, Failure { message: error.to_string(), help: None })
}
