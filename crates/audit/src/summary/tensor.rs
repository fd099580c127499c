//! One tensor: its λ, and why we think so.

use serde::Serialize;

use crate::case::{Parameter, Subject};
use crate::measure::norms;
use crate::names::{Kind, Naming};
use crate::tensor::{Dtype, Tensor};

/// A parameter with what is known of it.
#[derive(Debug, Clone, Serialize)]
pub struct TensorSummary {
    /// Its name, or words that stand for it.
    pub name: String,
    /// What it is for.
    pub kind: Option<Kind>,
    /// Sizes of its axes.
    pub shape: Option<Vec<usize>>,
    /// How its weights are stored, where they are here.
    pub dtype: Option<Dtype>,
    /// λ.
    pub lambda: Option<f64>,
    /// Why we think so: one clause.
    pub because: String,
    /// Root mean square of its weights, where they are here.
    pub rms: Option<f64>,
}

impl TensorSummary {
    /// A parameter with its weights, where they are here.
    pub(super) fn of(subject: &Subject, parameter: &Parameter, weights: Option<&Tensor>) -> Self {
        TensorSummary {
            name: parameter.label(),
            kind: parameter.kind,
            shape: parameter.shape.clone(),
            dtype: weights.map(Tensor::dtype),
            lambda: parameter.lambda,
            because: because(subject, parameter),
            rms: weights.and_then(root_mean_square),
        }
    }

    /// A tensor that no optimizer holds.
    pub(super) fn without_group(name: &str, tensor: &Tensor) -> Self {
        TensorSummary {
            name: name.to_owned(),
            kind: Some(Kind::of(name, tensor.shape())),
            shape: Some(tensor.shape().to_vec()),
            dtype: Some(tensor.dtype()),
            lambda: None,
            because: "no optimizer state is here".to_owned(),
            rms: root_mean_square(tensor),
        }
    }
}

/// √(Σx²/n); nothing for a tensor that is empty or not of finite real numbers.
fn root_mean_square(tensor: &Tensor) -> Option<f64> {
    let rms = (norms(tensor)?.sum_of_squares / tensor.elements() as f64).sqrt();
    rms.is_finite().then_some(rms)
}

/// How it is known that the parameter has this λ.
fn because(subject: &Subject, parameter: &Parameter) -> String {
    let group = parameter.group;
    let naming = subject.naming.get(parameter.optimizer).unwrap_or(&Naming::Unknown);
    let never = match parameter.has_state {
        true => "",
        false => "; it has no state, so it has not been updated",
    };
    format!("it is in group {group} ({naming}){never}")
}
