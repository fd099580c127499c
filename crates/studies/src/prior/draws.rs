//! The draws, and what is made of them.

use super::findings::{
    AgainstCrossValidation, Chosen, CurvePoint, ErrorCurve, PriorFindings, Recovery, RuleErrors,
    SampleSize,
};
use super::simulation::{
    Noise, Population, Rule, Synthetic, Table, Trial, Weights, curve, recover, repeat, trial,
};
use wd_statistics::{interval, quartiles, share_interval};

use super::shipped::{self, Shipped};
use super::{ways, words};
use crate::StudyError;

/// Rows learnt from. With ten columns and an intercept the expected error of maximum likelihood has
/// a finite variance from n = 15 on, were the columns normal; below, a mean over draws would mean
/// nothing.
const SIZES: [usize; 7] = [16, 20, 30, 50, 80, 120, 200];

/// Rows of the curve over λ.
const CURVE_ROWS: usize = 30;

/// Rows at which evidence and cross-validation are compared.
const COMPARED_ROWS: [usize; 2] = [30, 100];

/// Share of rows that are the shifted ones.
const SHIFTED_SHARE: f64 = 1.0 / 3.0;

/// σ of the weights to be recovered, in units of the noise.
const SIGMA: f64 = 0.5;

/// Weights and rows of the recovery.
const RECOVERED: [(usize, [usize; 5]); 2] =
    [(10, [20, 50, 100, 300, 1000]), (50, [20, 50, 100, 300, 1000])];

/// Draws that many samples of the shipped table and says what they show.
///
/// # Errors
/// A sample that cannot be fitted.
pub fn findings(draws: u64) -> Result<PriorFindings, StudyError> {
    let shipped = &shipped::diabetes()?;
    let population = rows_of(&shipped.table, shipped.shifted_by)?;
    let unit = shipped.table.target_variance();
    let mut sizes = Vec::new();
    let mut at_curve = Vec::new();
    for n in SIZES {
        let trials = repeat(draws, |seed| trial(&population, n, seed))?;
        sizes.push(SampleSize {
            rows: n,
            rules: (0..Rule::ALL.len()).map(|rule| rule_errors(rule, &trials, unit)).collect(),
        });
        if n == CURVE_ROWS {
            at_curve = trials;
        }
    }
    let mut findings = PriorFindings {
        draws: draws as usize,
        verdict: Vec::new(),
        sizes,
        curve: error_curve(&population, &at_curve, unit, draws)?,
        ways: ways::four(&shipped.table)?,
        recovery: recovery(draws)?,
        against_cross_validation: against_cross_validation(shipped, draws)?,
    };
    findings.verdict = words::verdict(&findings);
    Ok(findings)
}

/// A table whose top third by one column is never drawn.
fn rows_of(table: &Table, column: usize) -> Result<Population, StudyError> {
    let (pool, shifted) = table.split_at_the_top(column, SHIFTED_SHARE)?;
    Ok(Population::Rows { pool, shifted })
}

fn rule_errors(rule: usize, trials: &[Trial], unit: f64) -> RuleErrors {
    let of = |value: &dyn Fn(&Trial) -> f64| -> Vec<f64> { trials.iter().map(value).collect() };
    let fresh = of(&|trial| (trial.fresh[rule] - trial.fresh[0]) / unit);
    RuleErrors {
        rule: Rule::ALL[rule],
        median_lambda: quartiles(of(&|trial| trial.lambda[rule]))[1],
        training: interval(&of(&|trial| trial.training[rule] / unit)),
        fresh: interval(&of(&|trial| trial.fresh[rule] / unit)),
        shifted: interval(&of(&|trial| trial.shifted[rule] / unit)),
        better: fresh.iter().filter(|less| **less < 0.0).count() as f64 / trials.len() as f64,
        fresh_difference: interval(&fresh),
        shifted_difference: interval(&of(&|trial| (trial.shifted[rule] - trial.shifted[0]) / unit)),
    }
}

fn error_curve(
    population: &Population,
    trials: &[Trial],
    unit: f64,
    draws: u64,
) -> Result<ErrorCurve, StudyError> {
    // Four to a decade, from where the prior is next to nothing to where it leaves next to nothing.
    let lambdas: Vec<f64> = (-8..=16).map(|step| 10f64.powf(f64::from(step) / 4.0)).collect();
    let curves = repeat(draws, |seed| curve(population, CURVE_ROWS, seed, &lambdas))?;
    let points: Vec<CurvePoint> = lambdas
        .iter()
        .enumerate()
        .map(|(index, &lambda)| {
            let errors = |part: usize| {
                let values: Vec<f64> =
                    curves.iter().map(|curve| curve[part][index] / unit).collect();
                interval(&values)
            };
            CurvePoint {
                lambda,
                sigma: 1.0 / lambda.sqrt(),
                training: errors(0),
                fresh: errors(1),
                shifted: errors(2),
            }
        })
        .collect();
    let best_lambda = points
        .iter()
        .min_by(|a, b| a.fresh.mean.total_cmp(&b.fresh.mean))
        .map_or(f64::NAN, |point| point.lambda);
    let chosen = (1..Rule::ALL.len())
        .map(|rule| Chosen {
            rule: Rule::ALL[rule],
            quartiles: quartiles(trials.iter().map(|trial| trial.lambda[rule]).collect()),
            fresh: interval(
                &trials.iter().map(|trial| trial.fresh[rule] / unit).collect::<Vec<_>>(),
            ),
        })
        .collect();
    Ok(ErrorCurve { rows: CURVE_ROWS, points, chosen, best_lambda })
}

fn recovery(draws: u64) -> Result<Vec<Recovery>, StudyError> {
    let mut found = Vec::new();
    for (columns, sizes) in RECOVERED {
        for rows in sizes {
            let all = repeat(draws, |seed| recover(rows, columns, SIGMA, seed))?;
            let covered = all.iter().filter(|one| one.covers(SIGMA)).count();
            found.push(Recovery {
                columns,
                rows,
                sigma: SIGMA,
                quartiles: quartiles(all.iter().map(|one| one.sigma).collect()),
                without_interval: all.iter().filter(|one| one.interval.is_none()).count(),
                coverage: covered as f64 / all.len() as f64,
                coverage_interval: share_interval(covered, all.len()),
            });
        }
    }
    Ok(found)
}

fn against_cross_validation(
    shipped: &Shipped,
    draws: u64,
) -> Result<Vec<AgainstCrossValidation>, StudyError> {
    let synthetic = |correlation, weights, noise| {
        Population::Synthetic(Synthetic { columns: 20, correlation, weights, noise })
    };
    let prior = Weights::Prior(SIGMA);
    let unit = shipped.table.target_variance();
    let products = shipped.table.with_products();
    let populations = [
        ("weights from the prior, normal noise", true, 1.0, synthetic(0.0, prior, Noise::Normal)),
        ("the same, columns correlated by 0.7", true, 1.0, synthetic(0.7, prior, Noise::Normal)),
        (
            "equal weights of 0.2, columns correlated by 0.7",
            false,
            1.0,
            synthetic(0.7, Weights::Equal(0.2), Noise::Normal),
        ),
        (
            "one weight of 2, nineteen of 0",
            false,
            1.0,
            synthetic(0.0, Weights::Single(2.0), Noise::Normal),
        ),
        (
            "weights from the prior, noise of outliers (t, 3 degrees)",
            false,
            1.0,
            synthetic(0.0, prior, Noise::Student3),
        ),
        (
            "weights from the prior, noise that grows with a column",
            false,
            1.0,
            synthetic(0.0, prior, Noise::Growing),
        ),
        ("diabetes, 10 columns", false, unit, rows_of(&shipped.table, shipped.shifted_by)?),
        (
            "diabetes with squares and products, 65 columns",
            false,
            unit,
            rows_of(&products, shipped.shifted_by)?,
        ),
    ];
    let mut found = Vec::new();
    for (name, well_specified, unit, population) in &populations {
        for rows in COMPARED_ROWS {
            let trials = repeat(draws, |seed| trial(population, rows, seed))?;
            found.push(compared(name, *well_specified, rows, &trials, *unit));
        }
    }
    Ok(found)
}

fn compared(
    name: &str,
    well_specified: bool,
    rows: usize,
    trials: &[Trial],
    unit: f64,
) -> AgainstCrossValidation {
    let (evidence, leave_one_out, folds) = (1, 2, 3);
    let errors =
        |rule: usize| -> Vec<f64> { trials.iter().map(|trial| trial.fresh[rule] / unit).collect() };
    let over = |other: usize| {
        let reference = interval(&errors(other)).mean;
        let differences: Vec<f64> = trials
            .iter()
            .map(|trial| (trial.fresh[evidence] - trial.fresh[other]) / unit / reference)
            .collect();
        interval(&differences)
    };
    let median =
        |rule: usize| quartiles(trials.iter().map(|trial| trial.lambda[rule]).collect())[1];
    AgainstCrossValidation {
        name: name.to_owned(),
        well_specified,
        rows,
        evidence: interval(&errors(evidence)),
        median_lambdas: [median(evidence), median(leave_one_out), median(folds)],
        over_leave_one_out: over(leave_one_out),
        over_ten_folds: over(folds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn criteria_are_compared_draw_by_draw() {
        let one = |fresh| Trial {
            lambda: [0.0, 1.0, 2.0, 3.0],
            training: [0.0; 4],
            fresh,
            shifted: [0.0; 4],
        };
        let trials = [one([9.0, 3.0, 2.0, 6.0]), one([9.0, 5.0, 6.0, 2.0])];
        let found = compared("two", false, 30, &trials, 2.0);
        assert_eq!(found.evidence.mean, 2.0);
        assert_eq!(found.over_leave_one_out.mean, 0.0);
        assert_eq!(found.over_ten_folds.mean, 0.0);
        // Differences of +¼ and −¼ of a mean error of 4.
        assert!((found.over_leave_one_out.standard_error - 0.25).abs() < 1e-12);
        assert_eq!(found.median_lambdas, [1.0, 2.0, 3.0]);
        let errors = rule_errors(1, &trials, 2.0);
        assert_eq!(errors.fresh_difference.mean, -2.5);
        assert_eq!(errors.better, 1.0);
    }
}
