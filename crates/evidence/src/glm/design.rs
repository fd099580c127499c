//! Rows in memory, standardised; more columns than rows are rotated into as many as there are rows.

use faer::{Mat, MatRef};
use rayon::prelude::*;

use super::family::Family;
use crate::EvidenceError;
use crate::columns::{Columns, Intercept, Moments, Options, Weights};
use crate::normal_equations::check_count;
use crate::statistics::check_rows;

/// Numbers of a line of cache: of rows that lie one after the other, so many columns are read at
/// the cost of one.
const CACHE_LINE: usize = 8;

/// Rows in memory.
#[derive(Debug, Clone, Copy)]
pub struct GlmRows<'a> {
    /// n × p, in original units.
    pub x: MatRef<'a, f64>,
    /// n: 0 or 1, classes from 0, or counts.
    pub y: &'a [f64],
    /// How many rows each stands for; absent: one.
    pub weights: Option<&'a [f64]>,
    /// What is added to each row's linear predictor, such as the logarithm of its exposure; absent:
    /// nothing.
    pub offset: Option<&'a [f64]>,
}

impl<'a> GlmRows<'a> {
    /// Rows without weights and without an offset.
    pub fn new(x: MatRef<'a, f64>, y: &'a [f64]) -> Self {
        GlmRows { x, y, weights: None, offset: None }
    }

    /// Refuses sizes that do not fit and values that are not finite.
    pub(super) fn check(&self) -> Result<(), EvidenceError> {
        let column = |values: &'a [f64]| MatRef::from_column_major_slice(values, values.len(), 1);
        check_rows(self.x, column(self.y), self.weights)?;
        match self.offset {
            Some(offset) if offset.len() != self.y.len() => Err(EvidenceError::Shape {
                what: "offsets",
                given: offset.len(),
                expected: self.y.len(),
            }),
            Some(offset) => check_rows(self.x.subcols(0, 0), column(offset), None),
            None => Ok(()),
        }
    }

    /// The weight of each row.
    pub(super) fn weights(&self) -> Vec<f64> {
        self.weights.map_or_else(|| vec![1.0; self.y.len()], <[f64]>::to_vec)
    }
}

/// A generalised linear model on some data, for every λ. Weights are repeats, whatever the options
/// say.
///
/// The intercept's prior is flat and it is integrated out with the weights, so that
/// [`Intercept::Profiled`](crate::Intercept::Profiled) and
/// [`Intercept::Integrated`](crate::Intercept::Integrated) mean the same here.
#[derive(Debug)]
pub struct Glm {
    pub(super) family: Family,
    pub(super) columns: Columns,
    /// n × m: standardised columns, or their rotation, and a column of ones for the intercept.
    pub(super) design: Mat<f64>,
    /// d: columns that are penalised.
    pub(super) penalized: usize,
    /// p × d with orthonormal columns, where p > n: x̃ enters as basisᵀx̃. The penalty does not see
    /// a rotation, and weights outside the rows' span are 0 at the mode.
    pub(super) basis: Option<Mat<f64>>,
    pub(super) target: Vec<f64>,
    pub(super) weights: Vec<f64>,
    pub(super) offset: Option<Vec<f64>>,
    pub(super) has_intercept: bool,
}

impl Glm {
    /// Standardises `x` (n × p) and checks `y` (n): 0 or 1, classes from 0, or counts. A row of
    /// weight w counts as w rows.
    ///
    /// # Errors
    /// Sizes that do not fit, values that are not finite, labels that the family does not know, and
    /// targets of which no intercept is the best: one class only, or no events.
    pub fn new(
        x: MatRef<'_, f64>,
        y: &[f64],
        weights: Option<&[f64]>,
        family: Family,
        options: Options,
    ) -> Result<Glm, EvidenceError> {
        Glm::of(GlmRows { weights, ..GlmRows::new(x, y) }, family, options)
    }

    /// [`Glm::new`] of rows that may have offsets.
    ///
    /// # Errors
    /// As [`Glm::new`].
    pub fn of(rows: GlmRows<'_>, family: Family, options: Options) -> Result<Glm, EvidenceError> {
        Glm::with_scales(rows, family, options, None)
    }

    pub(super) fn with_scales(
        rows: GlmRows<'_>,
        family: Family,
        options: Options,
        scales: Option<&[f64]>,
    ) -> Result<Glm, EvidenceError> {
        let GlmRows { x, y, weights, offset } = rows;
        if let Family::Softmax { classes } = family
            && classes < 2
        {
            return Err(EvidenceError::Shape { what: "classes", given: classes, expected: 2 });
        }
        rows.check()?;
        let y_matrix = MatRef::from_column_major_slice(y, y.len(), 1);
        if x.ncols() == 0 {
            return Err(EvidenceError::Empty("columns"));
        }
        family.check(y)?;
        let (n, p) = (x.nrows(), x.ncols());
        let has_intercept = options.intercept != Intercept::Absent;
        let mut design = by_column(x, usize::from(has_intercept));
        let moments =
            Moments::of_rows(design.subcols(0, p), y_matrix, weights).counted_by(Weights::Repeats);
        check_count(&moments, options.intercept)?;
        let mut columns = Columns::of(&moments, p, options)?;
        if let Some(scales) = scales {
            columns.scales = scales.to_vec();
        }
        let weights = rows.weights();
        if has_intercept {
            family.check_intercepts(y, &weights)?;
        }
        design
            .subcols_mut(0, p)
            .par_col_iter_mut()
            .zip(columns.means.par_iter().zip(&columns.scales))
            .for_each(|(column, (mean, scale))| {
                for value in column.iter_mut() {
                    *value = (*value - mean) / scale;
                }
            });
        let mut basis = None;
        if p > n {
            // X̃ᵀ = QR, so that X̃Q = Rᵀ.
            let standardized = design.subcols(0, p);
            let thin = standardized.transpose().qr().compute_thin_Q();
            design = by_column((standardized * &thin).as_ref(), usize::from(has_intercept));
            basis = Some(thin);
        }
        let penalized = p.min(n);
        Ok(Glm {
            family,
            columns,
            design,
            penalized,
            basis,
            target: y.to_vec(),
            weights,
            offset: offset.map(<[f64]>::to_vec),
            has_intercept,
        })
    }

    /// m: columns of the design.
    pub(super) fn width(&self) -> usize {
        self.design.ncols()
    }

    /// Parameters that are free: m·K, less the last class's intercept, which is 0.
    pub(super) fn free(&self) -> usize {
        let tied = matches!(self.family, Family::Softmax { .. }) && self.has_intercept;
        self.width() * self.family.outputs() - usize::from(tied)
    }

    /// Whether parameter number `index` (class by class, the intercept last in each) is penalised.
    pub(super) fn is_penalized(&self, index: usize) -> bool {
        index % self.width() < self.penalized
    }

    /// d·K: how many parameters are penalised.
    pub(super) fn penalized_parameters(&self) -> usize {
        self.penalized * self.family.outputs()
    }

    /// How columns are centred and scaled.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }
}

/// A copy, column after column, and `ones` columns of ones behind it.
fn by_column(x: MatRef<'_, f64>, ones: usize) -> Mat<f64> {
    let p = x.ncols();
    let mut design = Mat::from_fn(x.nrows(), 0, |_, _| 0.0);
    design.resize_with(x.nrows(), p + ones, |_, _| 1.0);
    design
        .subcols_mut(0, p)
        .par_col_chunks_mut(CACHE_LINE)
        .zip(x.par_col_chunks(CACHE_LINE))
        .for_each(|(mut into, from)| into.copy_from(from));
    design
}
