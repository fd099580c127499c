//! One minimum by four ways: normal equations, gradient descent, the optimizer, the posterior's
//! mode.

use super::findings::{FourWays, Way};
use super::simulation::{Penalized, Table};
use wd_decay::{DecayRule, LearningRate, PeakLearningRate};
use wd_evidence::{Gaussian, Options};
use wd_optim::{Direction, Optimizer, OptimizerConfig, StepSettings, TensorSettings};

use crate::StudyError;

/// At a rate of 1/curvature a weight moves by about (flattest curvature/steepest) of its error,
/// which f32 rounds away while the error is still many roundings large. Momentum 0.95 makes that
/// move twenty times as large.
const MOMENTUM: f64 = 0.95;

/// Steps of the optimizer. Long before the last it only moves weights between neighbouring numbers
/// of f32.
const STEPS: usize = 20_000;

/// At the λ of highest evidence.
pub(super) fn four(table: &Table) -> Result<FourWays, StudyError> {
    let model = Gaussian::from_rows(table.x.as_ref(), table.y.as_ref(), None, Options::default())?;
    let best = model.evidence(0)?.maximum().point;
    let problem = Penalized::new(table, best.lambda)?;
    let reference = problem.normal_equations()?;
    let descent = problem.gradient_descent();
    let optimized = optimize(&problem, STEPS)?;
    let mode = model.fit(0, best.lambda)?.standardized_coefficients;
    let double = |name: &str, steps, coefficients: &[f64]| {
        way(name, ("f64", f64::EPSILON / 2.0), steps, coefficients, &reference)
    };
    Ok(FourWays {
        rows: problem.rows(),
        columns: problem.columns(),
        lambda: best.lambda,
        mean_loss_lambda: mean_loss_lambda(&problem),
        prior_deviation: 1.0 / best.alpha.sqrt(),
        noise_deviation: 1.0 / best.beta.sqrt(),
        ways: vec![
            double("normal equations", 0, &reference),
            double("gradient descent, summed loss", descent.steps, &descent.coefficients),
            way(
                "optim: SGD, coupled L2, mean loss",
                ("f32", f64::from(f32::EPSILON) / 2.0),
                STEPS,
                &optimized,
                &reference,
            ),
            double("mode of the posterior", 0, &mode),
        ],
    })
}

/// (1/2N)Σ(ỹ − x̃ᵀw)² + (λ/2N)‖w‖² has its minimum where the summed loss with λ has.
fn mean_loss_lambda(problem: &Penalized) -> f64 {
    problem.lambda() / problem.rows() as f64
}

/// The optimizer that trains language models, on all rows at once, from w = 0: weights and
/// gradients in f32.
fn optimize(problem: &Penalized, steps: usize) -> Result<Vec<f64>, StudyError> {
    let (n, p) = (problem.rows() as f64, problem.columns());
    let lambda = mean_loss_lambda(problem);
    let config = OptimizerConfig {
        direction: Direction::Sgd { momentum: MOMENTUM, dampening: 0.0, nesterov: false },
        rule: DecayRule::CoupledL2,
        cautious: false,
        clip: None,
    };
    let tensor = TensorSettings { offset: 0, shape: vec![p], lambda, auxiliary: false };
    let mut optimizer = Optimizer::new(config, vec![tensor], p)?;
    let rate = 1.0 / (problem.curvature_bound() / n + lambda);
    let settings = StepSettings {
        learning_rate: LearningRate(rate),
        peak_learning_rate: PeakLearningRate(rate),
        lambda_factor: 1.0,
    };
    let mut weights = vec![0.0f32; p];
    let widened = |weights: &[f32]| -> Vec<f64> { weights.iter().map(|&w| f64::from(w)).collect() };
    for _ in 0..steps {
        let gradient: Vec<f32> =
            problem.gradient(&widened(&weights)).iter().map(|slope| (slope / n) as f32).collect();
        optimizer.step(&mut weights, &gradient, settings)?;
    }
    Ok(widened(&weights))
}

fn way(
    name: &str,
    (arithmetic, roundoff): (&'static str, f64),
    steps: usize,
    coefficients: &[f64],
    reference: &[f64],
) -> Way {
    let pairs = || coefficients.iter().zip(reference);
    let apart: f64 = pairs().map(|(w, first)| (w - first).powi(2)).sum();
    let size: f64 = reference.iter().map(|first| first * first).sum();
    Way {
        name: name.to_owned(),
        arithmetic,
        roundoff,
        steps,
        difference: (apart / size).sqrt(),
        largest_difference: pairs()
            .map(|(w, first)| ((w - first) / first).abs())
            .fold(0.0, f64::max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prior::shipped;

    #[test]
    fn four_ways_lead_to_one_minimum() {
        let found = four(&shipped::diabetes().expect("the shipped table").table).expect("fits");
        assert_eq!((found.rows, found.columns), (442, 10));
        let ratio = (found.noise_deviation / found.prior_deviation).powi(2);
        assert!((ratio / found.lambda - 1.0).abs() < 1e-12);
        let differences: Vec<f64> = found.ways.iter().map(|way| way.difference).collect();
        assert_eq!(differences[0], 0.0);
        assert!(differences[1] < 1e-12 && differences[3] < 1e-12, "{differences:?}");
        assert!(differences[2] < 1e-6 && differences[2] > 0.0, "{differences:?}");
    }

    #[test]
    fn the_optimizer_is_at_rest_but_for_rounding() {
        let table = shipped::diabetes().expect("the shipped table").table;
        let problem = Penalized::new(&table, 15.0).expect("a problem");
        let run = |steps| optimize(&problem, steps).expect("weights");
        let rest = run(STEPS);
        let largest = rest.iter().fold(0.0f64, |most, w| most.max(w.abs()));
        for (early, late) in run(STEPS / 4).iter().zip(&rest) {
            assert!((early - late).abs() <= 2.0 * f64::from(f32::EPSILON) * largest);
        }
    }

    #[test]
    fn a_way_to_another_minimum_is_seen() {
        let found = way("off", ("f64", 1e-16), 1, &[1.0, 2.0], &[1.0, 2.5]);
        assert!((found.largest_difference - 0.2).abs() < 1e-12);
        assert!((found.difference - 0.5 / 7.25f64.sqrt()).abs() < 1e-12);
    }
}
