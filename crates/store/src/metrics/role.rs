//! Measures of groups of tensors, put together from the columns of single tensors.

use std::collections::BTreeSet;

use wd_decay::Role;

use super::MetricsReader;
use crate::{Plan, PlannedTensor, StoreError};

/// The measures that a group of tensors has: see [`MetricsReader::role_column`].
pub const ROLE_MEASURES: [&str; 6] =
    ["weight_norm", "gradient_norm", "update_norm", "decay_norm", "weight_rms", "relative_update"];

/// Per-tensor columns that are Euclidean norms.
const NORMS: [&str; 4] = ["weight_norm", "gradient_norm", "update_norm", "decay_norm"];

impl MetricsReader {
    /// A measure of all tensors of one role taken together, as if they were one tensor.
    ///
    /// | measure | from the tensors i of the role |
    /// |---|---|
    /// | `weight_norm`, `gradient_norm`, `update_norm`, `decay_norm` | √Σᵢ nᵢ² |
    /// | `weight_rms` | √(Σᵢ ‖wᵢ‖² / Σᵢ parametersᵢ) |
    /// | `relative_update` | √Σᵢ ‖Δwᵢ‖² / √Σᵢ ‖wᵢ‖² |
    ///
    /// NaN where a tensor was not measured. The cosine of a group does not follow from the cosines
    /// of its tensors.
    ///
    /// # Errors
    /// [`StoreError::NotCombinable`] for another measure, [`StoreError::UnknownRole`] when no
    /// tensor of the plan has the role, [`StoreError::UnknownColumn`] when a tensor has no such
    /// column.
    pub fn role_column(
        &self,
        measure: &str,
        role: Role,
        plan: &Plan,
    ) -> Result<Vec<f64>, StoreError> {
        let tensors: Vec<&PlannedTensor> =
            plan.tensors.iter().filter(|tensor| tensor.role == role).collect();
        if tensors.is_empty() {
            let roles: BTreeSet<Role> = plan.tensors.iter().map(|tensor| tensor.role).collect();
            let roles: Vec<&str> = roles.into_iter().map(Role::name).collect();
            return Err(StoreError::UnknownRole { role, roles: roles.join(", ") });
        }
        self.combined_column(measure, &tensors)
    }

    /// As [`MetricsReader::role_column`], for any group of tensors: of one block, or the whole
    /// model.
    ///
    /// # Errors
    /// [`StoreError::NotCombinable`], [`StoreError::UnknownColumn`].
    pub fn combined_column(
        &self,
        measure: &str,
        tensors: &[&PlannedTensor],
    ) -> Result<Vec<f64>, StoreError> {
        match measure {
            "weight_rms" => {
                let parameters: f64 = tensors.iter().map(|tensor| tensor.parameters as f64).sum();
                let mut squares = self.sum_of_squares("weight_norm", tensors)?;
                squares.iter_mut().for_each(|square| *square = (*square / parameters).sqrt());
                Ok(squares)
            }
            "relative_update" => {
                let mut updates = self.sum_of_squares("update_norm", tensors)?;
                let weights = self.sum_of_squares("weight_norm", tensors)?;
                updates
                    .iter_mut()
                    .zip(weights)
                    .for_each(|(update, weight)| *update = (*update / weight).sqrt());
                Ok(updates)
            }
            norm if NORMS.contains(&norm) => {
                let mut squares = self.sum_of_squares(norm, tensors)?;
                squares.iter_mut().for_each(|square| *square = square.sqrt());
                Ok(squares)
            }
            _ => Err(StoreError::NotCombinable {
                measure: measure.to_owned(),
                combinable: ROLE_MEASURES.join(", "),
            }),
        }
    }

    fn sum_of_squares(
        &self,
        norm: &str,
        tensors: &[&PlannedTensor],
    ) -> Result<Vec<f64>, StoreError> {
        let columns = tensors
            .iter()
            .map(|tensor| self.position(&format!("{norm}/{}", tensor.path)))
            .collect::<Result<Vec<usize>, StoreError>>()?;
        Ok((0..self.rows())
            .map(|row| columns.iter().map(|&column| self.value(row, column).powi(2)).sum())
            .collect())
    }
}
