//! A run directory: read, and written by a training that is watched.

use std::path::PathBuf;

use numpy::PyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pythonize::{depythonize, pythonize};
use wd::Failure;
use wd_lab::run_page::run_page;
use wd_page::Context;
use wd_store::{
    Column, Event, EventKind, MetricsWriter, Plan, RunDirectory, RunLock, Status, StoreError,
};
use wd_train::{RUN_COLUMNS, TENSOR_MEASURES};

use crate::failure::{raised, raised_of};
use crate::page::Page;

fn store(py: Python<'_>, error: StoreError) -> PyErr {
    raised_of(py, &error)
}

/// A run: its plan, its status, its columns, its events, and its page.
#[pyfunction]
pub(crate) fn read_run(py: Python<'_>, path: PathBuf) -> PyResult<(Bound<'_, PyDict>, Page)> {
    let directory = RunDirectory::open(&path).map_err(|error| store(py, error))?;
    let value = PyDict::new(py);
    let plan = directory.read_plan().map_err(|error| store(py, error))?;
    value.set_item("path", &path)?;
    value.set_item("plan", pythonize(py, &plan)?)?;
    let status = directory.status().map_err(|error| store(py, error))?;
    let (name, step) = match &status {
        Status::New => ("new", 0),
        Status::Running { step } => ("running", *step),
        Status::Interrupted { step } => ("interrupted", *step),
        Status::Diverged { step, .. } => ("diverged", *step),
        Status::Finished { step } => ("finished", *step),
    };
    value.set_item("status", name)?;
    value.set_item("step", step)?;
    let columns = PyDict::new(py);
    match directory.metrics() {
        Err(StoreError::Missing { .. }) => {}
        Err(error) => return Err(store(py, error)),
        Ok(metrics) => {
            for column in metrics.columns() {
                let numbers = metrics.column(&column.name).map_err(|error| store(py, error))?;
                columns.set_item(&column.name, PyArray1::from_vec(py, numbers))?;
            }
        }
    }
    value.set_item("columns", columns)?;
    let events = directory.events().map_err(|error| store(py, error))?;
    value.set_item("events", pythonize(py, &events.events)?)?;
    let page = py.detach(|| run_page(&directory, &Context::default()));
    Ok((value, Page::new(page.map_err(|error| raised_of(py, &error))?)))
}

/// The columns that a run has, and what is measured of each of its tensors.
#[pyfunction]
pub(crate) fn columns_of_a_run() -> (Vec<&'static str>, Vec<&'static str>) {
    (RUN_COLUMNS.to_vec(), TENSOR_MEASURES.to_vec())
}

/// The one writer of a run directory, for a training that is watched.
#[pyclass(module = "weight_decay._native")]
pub(crate) struct RunWriter {
    lock: Option<RunLock>,
    metrics: Option<MetricsWriter>,
}

#[pymethods]
impl RunWriter {
    /// Begins a run in this directory, or goes on with the one that is there after `after_step`.
    /// `plan` has the keys of `plan.json`; columns that are tensors' have four bytes a number, others eight.
    #[new]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        configuration: &str,
        plan: &Bound<'_, PyAny>,
        columns: Vec<String>,
        after_step: u64,
    ) -> PyResult<Self> {
        let fail = |error: StoreError| store(py, error);
        let mut plan: Plan = depythonize(plan)?;
        // What follows from the rest of the plan is computed here, as everywhere.
        let timescale = plan.timescale();
        plan.kappa = timescale.kappa;
        plan.tau_steps = timescale.tau_steps;
        plan.tau_fraction = timescale.tau_fraction;
        let run = RunDirectory::create_or_open(&path).map_err(fail)?;
        let lock = run.lock().map_err(fail)?;
        if after_step == 0 && matches!(run.status(), Ok(Status::Finished { .. })) {
            return Err(raised(
                py,
                Failure {
                    message: format!("{} holds a run that has finished", path.display()),
                    help: Some("name another folder, or remove that one".to_owned()),
                },
            ));
        }
        if after_step == 0 {
            run.write_config(configuration).map_err(fail)?;
            run.write_plan(&plan).map_err(fail)?;
        }
        let columns: Vec<Column> = columns
            .into_iter()
            .map(|name| match name.contains('/') {
                true => Column::f32(name),
                false => Column::f64(name),
            })
            .collect();
        let metrics = lock.metrics_writer(&columns, after_step).map_err(fail)?;
        let event = match after_step {
            0 => Event::now(EventKind::Started, 0, "watched by weight_decay.Monitor"),
            step => Event::now(EventKind::Resumed, step, "watched by weight_decay.Monitor"),
        };
        run.append_event(&event).map_err(fail)?;
        Ok(RunWriter { lock: Some(lock), metrics: Some(metrics) })
    }

    /// The step of the last row.
    #[getter]
    fn last_step(&self) -> u64 {
        self.metrics.as_ref().map_or(0, MetricsWriter::last_step)
    }

    /// Appends a row: one number a column, the step first.
    fn append(&mut self, py: Python<'_>, row: Vec<f64>) -> PyResult<()> {
        let metrics = self.metrics.as_mut().ok_or_else(closed)?;
        metrics.append(&row).map_err(|error| store(py, error))
    }

    /// Brings what was appended to the disk.
    fn sync(&mut self, py: Python<'_>) -> PyResult<()> {
        let metrics = self.metrics.as_mut().ok_or_else(closed)?;
        py.detach(|| metrics.sync()).map_err(|error| store(py, error))
    }

    /// Ends the run: `kind` is finished, interrupted, diverged or note.
    fn event(&mut self, py: Python<'_>, kind: &str, step: u64, message: &str) -> PyResult<()> {
        let word = kind.into_pyobject(py)?.into_any();
        let kind: EventKind = depythonize(&word)?;
        let lock = self.lock.as_ref().ok_or_else(closed)?;
        let event = Event::now(kind, step, message);
        lock.run().append_event(&event).map_err(|error| store(py, error))
    }

    /// Writes the rows that wait, and gives the directory free.
    fn close(&mut self, py: Python<'_>) -> PyResult<()> {
        if let Some(mut metrics) = self.metrics.take() {
            metrics.sync().map_err(|error| store(py, error))?;
        }
        self.lock = None;
        Ok(())
    }
}

fn closed() -> PyErr {
    PyValueError::new_err("this run was closed")
}
