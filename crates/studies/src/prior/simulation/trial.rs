//! λ by each rule from one small sample, and the error it makes on rows that it has not seen.

use rayon::prelude::*;
use serde::Serialize;

use super::population::Population;
use super::random::Random;
use super::table::Table;
use wd_evidence::comparison::{Comparison, Criterion, Curve, Measure};
use wd_evidence::{
    EvidenceError, Gaussian, Intercept, LeaveOneOut, Options, Statistics, cross_validate,
};

/// How λ is chosen from a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// λ = 0: no prior. Least norm where the sample leaves directions open.
    MaximumLikelihood,
    /// The λ of highest evidence.
    Evidence,
    /// The λ of least exact leave-one-out error.
    LeaveOneOut,
    /// The λ of least error in ten folds.
    TenFolds,
}

impl Rule {
    /// All, in the order in which a [`Trial`] holds them.
    pub const ALL: [Rule; 4] =
        [Rule::MaximumLikelihood, Rule::Evidence, Rule::LeaveOneOut, Rule::TenFolds];
}

/// What came of one sample: λ and mean squared errors by each rule of [`Rule::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Trial {
    /// The λ chosen; ∞ where the evidence sees no signal.
    pub lambda: [f64; 4],
    /// On the sample itself.
    pub training: [f64; 4],
    /// On fresh rows of the same law.
    pub fresh: [f64; 4],
    /// On shifted rows.
    pub shifted: [f64; 4],
}

/// The intercept is integrated out: in small samples the degree of freedom that it takes counts.
const OPTIONS: Options = Options {
    intercept: Intercept::Integrated,
    standardize: true,
    weights: wd_evidence::Weights::Precision,
};

/// λ tried by leave-one-out and by folds: about four for each e-fold.
const GRID: usize = 100;

/// Folds of cross-validation.
const FOLDS: usize = 10;

/// What `one` gives for each of the seeds 0..draws, on all threads.
///
/// # Errors
/// The first error of a draw.
pub fn repeat<T: Send>(
    draws: u64,
    one: impl Fn(u64) -> Result<T, EvidenceError> + Sync + Send,
) -> Result<Vec<T>, EvidenceError> {
    (0..draws).into_par_iter().map(one).collect()
}

/// Learns from n rows and tests; the seed fixes the draw.
///
/// # Errors
/// What [`Gaussian::from_rows`] refuses, such as fewer than two rows.
pub fn trial(population: &Population, n: usize, seed: u64) -> Result<Trial, EvidenceError> {
    let draw = population.draw(n, &mut Random::new(seed));
    let model = model(&draw.sample)?;
    let lambda = choose(&model, &draw.sample)?;
    let errors = |table: &Table| errors(&model, table, &lambda);
    let four = |values: Vec<f64>| [values[0], values[1], values[2], values[3]];
    Ok(Trial {
        lambda,
        training: four(errors(&draw.sample)?),
        fresh: four(errors(&draw.fresh)?),
        shifted: four(errors(&draw.shifted)?),
    })
}

/// Mean squared errors at each λ on the sample, on fresh and on shifted rows, for the draw that
/// [`trial`] makes.
///
/// # Errors
/// As [`trial`]; [`EvidenceError::Lambda`].
pub fn curve(
    population: &Population,
    n: usize,
    seed: u64,
    lambdas: &[f64],
) -> Result<[Vec<f64>; 3], EvidenceError> {
    let draw = population.draw(n, &mut Random::new(seed));
    let model = model(&draw.sample)?;
    Ok([
        errors(&model, &draw.sample, lambdas)?,
        errors(&model, &draw.fresh, lambdas)?,
        errors(&model, &draw.shifted, lambdas)?,
    ])
}

fn model(sample: &Table) -> Result<Gaussian, EvidenceError> {
    Gaussian::from_rows(sample.x.as_ref(), sample.y.as_ref(), None, OPTIONS)
}

fn errors(model: &Gaussian, table: &Table, lambdas: &[f64]) -> Result<Vec<f64>, EvidenceError> {
    model.held_out_rows(0, table.x.as_ref(), table.y.as_ref(), None, lambdas)
}

/// λ by each rule.
fn choose(model: &Gaussian, sample: &Table) -> Result<[f64; 4], EvidenceError> {
    let evidence = model.evidence(0)?;
    let lambdas = evidence.grid(GRID);
    let mut leave_one_out = LeaveOneOut::new(model, 0, &lambdas)?;
    leave_one_out.add(sample.x.as_ref(), sample.y.as_ref(), None)?;
    // Rows come in random order, so that any cut is a random one.
    let folds = (0..FOLDS)
        .map(|fold| {
            let rows: Vec<usize> = (fold..sample.rows()).step_by(FOLDS).collect();
            let part = sample.pick(&rows);
            let mut statistics = Statistics::new(part.x.ncols(), 1)?;
            statistics.add(part.x.as_ref(), part.y.as_ref(), None)?;
            Ok(statistics)
        })
        .collect::<Result<Vec<_>, EvidenceError>>()?;
    let folded = cross_validate(&folds, OPTIONS, 0, &lambdas)?;
    let curve = |criterion, values| Curve {
        criterion,
        measure: Measure::SquaredError,
        values,
        standard_errors: Vec::new(),
    };
    let comparison = Comparison::new(
        lambdas,
        vec![
            curve(Criterion::LeaveOneOut, leave_one_out.mean_squared_errors()),
            curve(Criterion::CrossValidation { folds: FOLDS }, folded.mean_squared_errors),
        ],
    )?;
    Ok([
        0.0,
        evidence.maximum().point.lambda,
        comparison.choices[0].lambda,
        comparison.choices[1].lambda,
    ])
}

#[cfg(test)]
mod tests {
    use super::super::population::{Noise, Synthetic, Weights};
    use super::*;

    fn population() -> Population {
        Population::Synthetic(Synthetic {
            columns: 10,
            correlation: 0.0,
            weights: Weights::Prior(0.5),
            noise: Noise::Normal,
        })
    }

    #[test]
    fn a_seed_fixes_a_trial_and_its_curve() {
        let found = trial(&population(), 16, 5).expect("a trial");
        assert_eq!(found, trial(&population(), 16, 5).expect("a trial"));
        assert_ne!(found, trial(&population(), 16, 6).expect("a trial"));
        let [training, fresh, shifted] =
            curve(&population(), 16, 5, &found.lambda).expect("errors");
        assert_eq!(training, found.training);
        assert_eq!(fresh, found.fresh);
        assert_eq!(shifted, found.shifted);
    }

    #[test]
    fn maximum_likelihood_fits_its_own_sample_best_and_new_rows_worst() {
        let mut excess = 0.0;
        for seed in 0..40 {
            let found = trial(&population(), 16, seed).expect("a trial");
            for rule in 1..4 {
                assert!(found.training[0] <= found.training[rule] * (1.0 + 1e-9));
            }
            excess += found.fresh[0] - found.fresh[1];
        }
        // With 16 rows and 11 parameters the expected excess is above the noise variance, 1.
        assert!(excess / 40.0 > 0.5, "{excess}");
    }
}
