//! λ from the data, of arrays that are in memory.

use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pythonize::{depythonize, pythonize};
use wd_evidence::MatRef;
use wd_evidence::fit::{self, Analysis, Arrays, Criteria, FitError, Groups, Request, fit_arrays};
use wd_evidence::{Intercept, Weights};
use wd_page::Context;

use crate::background;
use crate::failure::{raised, raised_of};
use crate::page::Page;

/// A matrix of Python, seen and not copied, that lives as long as this does.
struct Held {
    _array: Py<PyAny>,
    pointer: *const f64,
    rows: usize,
    columns: usize,
    row_stride: isize,
    column_stride: isize,
}

// SAFETY: the memory belongs to the array, which is kept alive by the reference; it is only read.
// Python code that writes into an array while it is fitted changes what is fitted, as everywhere in
// numpy.
unsafe impl Send for Held {}

// SAFETY: as above; nothing behind a shared reference changes.
unsafe impl Sync for Held {}

impl Held {
    fn of(array: &Bound<'_, PyArray2<f64>>) -> PyResult<Held> {
        let readonly = array.try_readonly().map_err(PyErr::from)?;
        let view = readonly.as_array();
        let (shape, strides) = (view.shape(), view.strides());
        Ok(Held {
            pointer: view.as_ptr(),
            rows: shape[0],
            columns: shape[1],
            row_stride: strides[0],
            column_stride: strides[1],
            _array: array.clone().into_any().unbind(),
        })
    }

    fn view(&self) -> MatRef<'_, f64> {
        // SAFETY: pointer, shape and strides are those of an array that is alive and aligned.
        unsafe {
            MatRef::from_raw_parts(
                self.pointer,
                self.rows,
                self.columns,
                self.row_stride,
                self.column_stride,
            )
        }
    }
}

/// Starts the threads that all work shares, before the first of it.
fn start_threads(py: Python<'_>) -> PyResult<()> {
    wd::start_threads().map_err(|failure| raised(py, failure))
}

/// What a fit of arrays is asked for.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Asked {
    columns: Vec<String>,
    targets: Vec<String>,
    classes: Vec<String>,
    family: String,
    compare: Option<Vec<String>>,
    groups: Vec<String>,
    weights_mean: String,
    standardize: bool,
    intercept: Option<String>,
    points: Option<usize>,
    seed: u64,
    figures: bool,
    made_by: Option<String>,
}

impl Asked {
    fn request(&self, py: Python<'_>) -> PyResult<Request> {
        let wrong = |error: FitError| raised_of(py, &error);
        Ok(Request {
            family: named(py, &self.family)?,
            compare: match &self.compare {
                None => None,
                Some(words) => Some(Criteria::read(words).map_err(wrong)?),
            },
            groups: Groups::read(&self.groups).map_err(wrong)?,
            weights: named::<Weights>(py, &self.weights_mean)?,
            standardize: self.standardize,
            intercept: match &self.intercept {
                None => None,
                Some(word) => Some(named::<Intercept>(py, word)?),
            },
            points: self.points,
            seed: self.seed,
            figures: self.figures,
            ..Request::new("")
        })
    }
}

/// The variant of an enumeration that has this name in JSON.
fn named<T: serde::de::DeserializeOwned>(py: Python<'_>, name: &str) -> PyResult<T> {
    let word = name.into_pyobject(py)?.into_any();
    depythonize(&word).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// Intercept, coefficients and their posterior deviations, in original units.
type Output = (f64, Vec<f64>, Vec<f64>);

/// The fits of every target: value, page, what predicts, and its linear predictors. `x` and `y` are matrices of 64-bit
/// floats, in whatever order of memory.
#[pyfunction]
#[expect(clippy::type_complexity, reason = "a tuple of Python")]
pub(crate) fn evidence_of_rows<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyArray2<f64>>,
    y: &Bound<'py, PyArray2<f64>>,
    weights: Option<Vec<f64>>,
    exposure: Option<Vec<f64>>,
    asked: Asked,
) -> PyResult<Vec<(Bound<'py, PyAny>, Page, Predictor, Vec<Output>)>> {
    let request = asked.request(py)?;
    if let Some(value) = exposure.iter().flatten().find(|value| value.is_nan() || **value <= 0.0) {
        return Err(PyValueError::new_err(format!(
            "an exposure is {value}, and its logarithm is needed: exposures are above 0"
        )));
    }
    let offset: Option<Vec<f64>> = exposure.map(|values| values.into_iter().map(f64::ln).collect());
    let (x, y) = (Held::of(x)?, Held::of(y)?);
    let made_by = asked.made_by.clone();
    start_threads(py)?;
    let fitted = background::run(py, move || -> Result<Vec<Analysis>, FitError> {
        fit_arrays(
            &Arrays {
                x: x.view(),
                columns: &asked.columns,
                y: y.view(),
                targets: &asked.targets,
                classes: &asked.classes,
                weights: weights.as_deref(),
                offset: offset.as_deref(),
            },
            &request,
        )
    })?;
    let analyses = fitted.map_err(|error| raised_of(py, &error))?;
    let context = Context { commands: made_by.into_iter().collect(), ..Context::default() };
    let answers = analyses.into_iter().map(|analysis| {
        let page = Page::new(analysis.page(&context));
        let value = pythonize(py, &analysis)?;
        let outputs = analysis.outputs.into_iter();
        let outputs = outputs.map(|one| (one.intercept, one.coefficients, one.deviations));
        Ok((value, page, Predictor { predictor: analysis.predictor }, outputs.collect()))
    });
    answers.collect()
}

/// What predicts, without the data.
#[pyclass(frozen, module = "weight_decay._native")]
pub(crate) struct Predictor {
    predictor: fit::Predictor,
}

#[pymethods]
impl Predictor {
    /// Means (n × outputs): values, probabilities of the classes, or expected counts.
    #[pyo3(signature = (x, exposure = None))]
    fn mean<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyArray2<f64>>,
        exposure: Option<Vec<f64>>,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        start_threads(py)?;
        let x = Held::of(x)?;
        let offset: Option<Vec<f64>> =
            exposure.map(|values| values.into_iter().map(f64::ln).collect());
        let means = py.detach(|| match &self.predictor {
            fit::Predictor::Gaussian(posterior) => Ok(posterior
                .predict(x.view())?
                .iter()
                .map(|prediction| vec![prediction.mean])
                .collect::<Vec<_>>()),
            fit::Predictor::Linear { intercept, coefficients } => {
                let x = x.view();
                let along = |row: usize| -> f64 {
                    x.row(row).iter().zip(coefficients).map(|(x, w)| x * w).sum()
                };
                Ok((0..x.nrows()).map(|row| vec![intercept + along(row)]).collect())
            }
            fit::Predictor::Generalized(posterior) => posterior.means(x.view(), offset.as_deref()),
        });
        let means: Vec<Vec<f64>> =
            means.map_err(|error: wd_evidence::EvidenceError| raised_of(py, &error))?;
        PyArray2::from_vec2(py, &means).map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// Mean and standard deviation of a new observation of each row; absent where the fit knows no
    /// deviation.
    #[expect(clippy::type_complexity, reason = "a tuple of Python")]
    fn mean_and_deviation<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyArray2<f64>>,
    ) -> PyResult<Option<(Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>)>> {
        let fit::Predictor::Gaussian(posterior) = &self.predictor else { return Ok(None) };
        start_threads(py)?;
        let x = Held::of(x)?;
        let predicted = py.detach(|| posterior.predict(x.view()));
        let predicted = predicted.map_err(|error| raised_of(py, &error))?;
        let means: Vec<f64> = predicted.iter().map(|one| one.mean).collect();
        let deviations: Vec<f64> = predicted.iter().map(|one| one.variance.sqrt()).collect();
        Ok(Some((PyArray1::from_vec(py, means), PyArray1::from_vec(py, deviations))))
    }

    /// The predictor as bytes, for pickle.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let text = serde_json::to_vec(&self.predictor);
        let text = text.map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(PyBytes::new(py, &text))
    }

    /// The predictor of such bytes.
    #[staticmethod]
    fn from_bytes(bytes: &[u8]) -> PyResult<Predictor> {
        let predictor = serde_json::from_slice(bytes);
        let predictor = predictor.map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(Predictor { predictor })
    }

    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let class = py.get_type::<Predictor>();
        Ok((class.getattr("from_bytes")?, (self.to_bytes(py)?,)))
    }
}
