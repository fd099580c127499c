//! X̃ᵀX̃ and X̃ᵀỹ of standardised columns, and what the evidence counts beside them.

use faer::Mat;

use crate::columns::{Columns, Intercept, Moments, Options, is_constant};
use crate::{EvidenceError, Statistics};

/// The normal equations of every target: (X̃ᵀX̃ + λ)w̃ = X̃ᵀỹ.
pub(crate) struct NormalEquations {
    /// X̃ᵀX̃; only the lower half is filled.
    pub(crate) gram: Mat<f64>,
    /// X̃ᵀỹ: p × k.
    pub(crate) cross: Mat<f64>,
    pub(crate) columns: Columns,
    pub(crate) moments: Moments,
}

impl NormalEquations {
    /// Of what `statistics` have seen; `scales` in place of the columns' own standard deviations.
    pub(crate) fn of(
        statistics: &Statistics,
        options: Options,
        scales: Option<&[f64]>,
    ) -> Result<NormalEquations, EvidenceError> {
        let moments = Moments::of_statistics(statistics).counted_by(options.weights);
        check_count(&moments, options.intercept)?;
        let (p, k) = (statistics.columns(), statistics.targets());
        let mut columns = Columns::of(&moments, p, options)?;
        if let Some(scales) = scales {
            columns.scales = scales.to_vec();
        }
        let has_intercept = options.intercept != Intercept::Absent;
        let mut is_fixed = vec![false; p];
        if has_intercept {
            columns.constant.iter().for_each(|&column| is_fixed[column] = true);
        }
        // Centred, or about 0 without an intercept.
        let product = |i: usize, j: usize| {
            let about_zero = if has_intercept {
                0.0
            } else {
                moments.weight * moments.means[i] * moments.means[j]
            };
            statistics.centred_product(i, j) + about_zero
        };
        let gram = Mat::from_fn(p, p, |i, j| {
            if i < j || is_fixed[i] || is_fixed[j] {
                0.0
            } else {
                product(i, j) / columns.scales[i] / columns.scales[j]
            }
        });
        let cross = Mat::from_fn(p, k, |i, target| {
            if is_fixed[i] { 0.0 } else { product(i, p + target) / columns.scales[i] }
        });
        Ok(NormalEquations { gram, cross, columns, moments })
    }
}

/// What the evidence of one target counts, whatever the columns.
pub(crate) struct Frame {
    /// Σỹ².
    pub(crate) total: f64,
    /// ν.
    pub(crate) degrees: f64,
    /// Parameters that are not penalised.
    pub(crate) unpenalized: f64,
    /// ½ Σ ln w, and − ½ ln Σw for an integrated intercept.
    pub(crate) offset: f64,
}

impl Frame {
    /// Of target number `target`, which comes after `columns` columns in `moments`.
    ///
    /// # Errors
    /// [`EvidenceError::ConstantTarget`]; [`EvidenceError::Scale`] where its squares leave the
    /// range of f64.
    pub(crate) fn of(
        moments: &Moments,
        columns: usize,
        target: usize,
        intercept: Intercept,
    ) -> Result<Frame, EvidenceError> {
        let index = columns + target;
        let mean = moments.means[index];
        let deviation = moments.deviation(index, "target", target)?;
        let has_intercept = intercept != Intercept::Absent;
        let total =
            moments.squares[index] + if has_intercept { 0.0 } else { moments.weight * mean * mean };
        if !total.is_finite() {
            return Err(EvidenceError::Scale {
                what: "target",
                column: target,
                spread: mean.abs(),
            });
        }
        if total == 0.0 || (has_intercept && is_constant(mean, deviation)) {
            return Err(EvidenceError::ConstantTarget { target });
        }
        let rows = moments.count;
        let log_weight = 0.5 * moments.log_weight;
        let (degrees, unpenalized, offset) = match intercept {
            Intercept::Absent => (rows, 0.0, log_weight),
            Intercept::Profiled => (rows, 1.0, log_weight),
            Intercept::Integrated => (rows - 1.0, 1.0, log_weight - 0.5 * moments.weight.ln()),
        };
        Ok(Frame { total, degrees, unpenalized, offset })
    }
}

/// An intercept takes one row; learning takes another.
pub(crate) fn check_count(moments: &Moments, intercept: Intercept) -> Result<(), EvidenceError> {
    if moments.rows == 0 {
        return Err(EvidenceError::Empty("rows with a positive weight"));
    }
    // Repeats may sum to less than there are rows.
    let rows = moments.rows.min(moments.count.floor() as usize);
    let (purpose, needed) = match intercept {
        Intercept::Absent => ("to learn from", 1),
        Intercept::Profiled | Intercept::Integrated => ("beside an intercept", 2),
    };
    if rows < needed {
        return Err(EvidenceError::TooFewRows { rows, purpose, needed });
    }
    Ok(())
}
