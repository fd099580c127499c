//! Which tensors decay by which policy.

use pyo3::prelude::*;
use wd_audit::names::Kind;
use wd_decay::{DecayPolicy, Preset, Role, TensorDescription};

use crate::failure::raised_of;

/// A tensor: its name, its shape and its role.
type Tensor = (String, Vec<usize>, String);

/// λ of every tensor, and the reason, in the order given. `overrides` are patterns with their λ, the
/// last that matches wins.
#[pyfunction]
pub(crate) fn choose(
    py: Python<'_>,
    weight_decay: f64,
    policy: &str,
    overrides: Vec<(String, f64)>,
    tensors: Vec<Tensor>,
) -> PyResult<Vec<(f64, String)>> {
    let roles = tensors.iter().map(|(_, _, role)| role.parse());
    let roles: Vec<Role> = roles.collect::<Result<_, _>>().map_err(|e| raised_of(py, &e))?;
    let described: Vec<TensorDescription<'_>> = tensors
        .iter()
        .zip(roles)
        .map(|((path, shape, _), role)| TensorDescription { path, shape, role })
        .collect();
    let preset: Preset = policy.parse().map_err(|error| raised_of(py, &error))?;
    let policy = DecayPolicy { preset, overrides };
    let choices = policy.choose(weight_decay, &described).map_err(|e| raised_of(py, &e))?;
    Ok(choices.iter().map(|choice| (choice.lambda, choice.reason())).collect())
}

/// The names of the policies.
#[pyfunction]
pub(crate) fn policies() -> Vec<&'static str> {
    Preset::ALL.iter().map(|preset| preset.name()).collect()
}

/// The names of the roles.
#[pyfunction]
pub(crate) fn roles() -> Vec<&'static str> {
    Role::ALL.iter().map(|role| role.name()).collect()
}

/// What a tensor is for, by the names that well-known models give it and by its shape.
#[pyfunction]
pub(crate) fn kind_of_name(name: &str, shape: Vec<usize>) -> &'static str {
    Kind::of(name, &shape).into()
}
