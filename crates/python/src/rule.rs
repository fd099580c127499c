//! A rule's decay of one step, and an optimizer of this project to compare others with.

use numpy::{PyReadonlyArray1, PyReadwriteArray1};
use pyo3::prelude::*;
use wd_decay::{Application, DecayRule, LearningRate, PeakLearningRate};
use wd_optim::{AdamParameters, Direction, OptimizerConfig, StepSettings, TensorSettings};

use crate::failure::raised_of;

/// The rules: the name, and the equation, of each.
#[pyfunction]
pub(crate) fn rules() -> Vec<(&'static str, &'static str)> {
    DecayRule::ALL.iter().map(|rule| (rule.name(), rule.equation())).collect()
}

/// What a rule makes of λ in a step: ("shrink", s), ("gradient", λ), or ("sphere", 0).
#[pyfunction]
pub(crate) fn shrink(
    py: Python<'_>,
    rule: &str,
    weight_decay: f64,
    learning_rate: f64,
    peak: f64,
) -> PyResult<(&'static str, f64)> {
    let rule: DecayRule = rule.parse().map_err(|error| raised_of(py, &error))?;
    let (rate, peak) = (LearningRate(learning_rate), PeakLearningRate(peak));
    Ok(match rule.apply(weight_decay, rate, peak) {
        Application::Shrink(shrink) => ("shrink", shrink.0),
        Application::Gradient(lambda) => ("gradient", lambda),
        Application::Sphere => ("sphere", 0.0),
    })
}

/// The optimizer of this project, of tensors in one flat array: what the rules for other optimizers
/// are compared with.
#[pyclass(module = "weight_decay._native")]
pub(crate) struct Optimizer {
    optimizer: wd_optim::Optimizer,
}

#[pymethods]
impl Optimizer {
    /// `tensors` are (shape, λ), one behind the other. `direction` is `sgd`, `adam` or `lion`.
    #[new]
    #[pyo3(signature = (direction, rule, tensors, *, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8,
        momentum = 0.0, cautious = false))]
    #[expect(clippy::too_many_arguments, reason = "Python calls it by keyword")]
    fn new(
        py: Python<'_>,
        direction: &str,
        rule: &str,
        tensors: Vec<(Vec<usize>, f64)>,
        beta1: f64,
        beta2: f64,
        epsilon: f64,
        momentum: f64,
        cautious: bool,
    ) -> PyResult<Self> {
        let direction = match direction {
            "sgd" => Direction::Sgd { momentum, dampening: 0.0, nesterov: false },
            "lion" => Direction::Lion { beta1, beta2 },
            _ => Direction::Adam(AdamParameters { beta1, beta2, epsilon }),
        };
        let rule: DecayRule = rule.parse().map_err(|error| raised_of(py, &error))?;
        let config = OptimizerConfig { direction, rule, cautious, clip: None };
        let mut offset = 0;
        let mut settings = Vec::new();
        for (shape, lambda) in tensors {
            let tensor = TensorSettings { offset, shape, lambda, auxiliary: false };
            offset += tensor.len();
            settings.push(tensor);
        }
        let optimizer = wd_optim::Optimizer::new(config, settings, offset);
        Ok(Optimizer { optimizer: optimizer.map_err(|error| raised_of(py, &error))? })
    }

    /// Decays to these weights instead of to 0.
    fn set_anchor(&mut self, py: Python<'_>, anchor: PyReadonlyArray1<'_, f32>) -> PyResult<()> {
        let anchor = anchor.as_slice()?;
        self.optimizer.set_anchor(anchor.to_vec()).map_err(|error| raised_of(py, &error))
    }

    /// Decays to this multiple of the norm that each tensor has in `initial`.
    fn set_norm_target(
        &mut self,
        py: Python<'_>,
        initial: PyReadonlyArray1<'_, f32>,
        ratio: f64,
    ) -> PyResult<()> {
        let initial = initial.as_slice()?;
        self.optimizer.set_norm_target(initial, ratio).map_err(|error| raised_of(py, &error))
    }

    /// Moves the parameters by one step.
    #[pyo3(signature = (parameters, gradients, learning_rate, peak, factor = 1.0))]
    fn step(
        &mut self,
        py: Python<'_>,
        mut parameters: PyReadwriteArray1<'_, f32>,
        gradients: PyReadonlyArray1<'_, f32>,
        learning_rate: f64,
        peak: f64,
        factor: f64,
    ) -> PyResult<()> {
        let settings = StepSettings {
            learning_rate: LearningRate(learning_rate),
            peak_learning_rate: PeakLearningRate(peak),
            lambda_factor: factor,
        };
        let (parameters, gradients) = (parameters.as_slice_mut()?, gradients.as_slice()?);
        self.optimizer
            .step(parameters, gradients, settings)
            .map(|_| ())
            .map_err(|error| raised_of(py, &error))
    }
}
