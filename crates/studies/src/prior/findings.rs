//! The numbers of the study.

use super::simulation::Rule;
use serde::Serialize;
use wd_statistics::Interval;

/// All that `wd reproduce prior` finds. Errors are mean squared errors in units of the target's
/// variance.
#[derive(Debug, Clone, Serialize)]
pub struct PriorFindings {
    /// Samples drawn for each number.
    pub draws: usize,
    /// In words: the first sentence is the headline.
    pub verdict: Vec<String>,
    /// By size of the sample, ascending.
    pub sizes: Vec<SampleSize>,
    /// Error over λ at one size.
    pub curve: ErrorCurve,
    /// One minimum, computed four ways.
    pub ways: FourWays,
    /// By number of weights and rows.
    pub recovery: Vec<Recovery>,
    /// Evidence against cross-validation.
    #[serde(rename = "rivals")]
    pub against_cross_validation: Vec<AgainstCrossValidation>,
}

/// What samples of one size taught.
#[derive(Debug, Clone, Serialize)]
pub struct SampleSize {
    /// n.
    pub rows: usize,
    /// By each rule, maximum likelihood first.
    pub rules: Vec<RuleErrors>,
}

/// Errors of one rule.
#[derive(Debug, Clone, Serialize)]
pub struct RuleErrors {
    /// How λ was chosen.
    pub rule: Rule,
    /// Median of the λ chosen.
    pub median_lambda: f64,
    /// On the sample itself.
    pub training: Interval,
    /// On fresh rows.
    pub fresh: Interval,
    /// On shifted rows.
    pub shifted: Interval,
    /// Paired difference to maximum likelihood on fresh rows; below 0 where the prior helps.
    pub fresh_difference: Interval,
    /// The same on shifted rows.
    pub shifted_difference: Interval,
    /// Share of draws in which the error on fresh rows is below that of maximum likelihood.
    pub better: f64,
}

/// Error over λ.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorCurve {
    /// n.
    pub rows: usize,
    /// By λ, ascending.
    pub points: Vec<CurvePoint>,
    /// Where each rule puts λ.
    pub chosen: Vec<Chosen>,
    /// The λ of least mean error on fresh rows.
    pub best_lambda: f64,
}

/// Errors at one λ.
#[derive(Debug, Clone, Serialize)]
pub struct CurvePoint {
    /// λ on standardised columns.
    pub lambda: f64,
    /// 1/√λ: σ of the prior over the noise's standard deviation.
    pub sigma: f64,
    /// On the sample itself.
    pub training: Interval,
    /// On fresh rows.
    pub fresh: Interval,
    /// On shifted rows.
    pub shifted: Interval,
}

/// The λ chosen by a rule, over the draws.
#[derive(Debug, Clone, Serialize)]
pub struct Chosen {
    /// The rule.
    pub rule: Rule,
    /// Quartiles of λ; infinite where the evidence saw no signal (`null` in JSON).
    pub quartiles: [f64; 3],
    /// Mean error on fresh rows with the λ chosen in each draw.
    pub fresh: Interval,
}

/// The coefficients of the whole table at the λ of highest evidence.
#[derive(Debug, Clone, Serialize)]
pub struct FourWays {
    /// N.
    pub rows: usize,
    /// p.
    pub columns: usize,
    /// α/β.
    pub lambda: f64,
    /// λ/N: what the mean loss needs.
    pub mean_loss_lambda: f64,
    /// 1/√α.
    pub prior_deviation: f64,
    /// 1/√β.
    pub noise_deviation: f64,
    /// Each way, the normal equations first.
    pub ways: Vec<Way>,
}

/// One way to the minimum.
#[derive(Debug, Clone, Serialize)]
pub struct Way {
    /// What is done.
    pub name: String,
    /// `f64` or `f32`.
    pub arithmetic: &'static str,
    /// Unit roundoff of that arithmetic.
    pub roundoff: f64,
    /// Steps taken; 0 for a direct way.
    pub steps: usize,
    /// ‖w − w₁‖/‖w₁‖, w₁ of the normal equations.
    pub difference: f64,
    /// Largest |w − w₁|/|w₁| of a coefficient.
    pub largest_difference: f64,
}

/// The σ found of weights drawn with a known one.
#[derive(Debug, Clone, Serialize)]
pub struct Recovery {
    /// p.
    pub columns: usize,
    /// n.
    pub rows: usize,
    /// The true σ, in units of the noise.
    pub sigma: f64,
    /// Quartiles of the σ found; ∞ (`null` in JSON) where the evidence sees no noise.
    pub quartiles: [f64; 3],
    /// Draws without an interval, the evidence having no inner maximum: it saw no signal (σ = 0),
    /// or no noise (σ = ∞). They count as not covered.
    pub without_interval: usize,
    /// Share of draws whose 95 % interval holds the true σ.
    pub coverage: f64,
    /// 95 % interval of that share (Wilson).
    pub coverage_interval: (f64, f64),
}

/// Evidence and cross-validation on the same draws.
#[derive(Debug, Clone, Serialize)]
pub struct AgainstCrossValidation {
    /// What the data are.
    pub name: String,
    /// Whether the model and its prior are those that made the data.
    pub well_specified: bool,
    /// n.
    pub rows: usize,
    /// Mean error on fresh rows by evidence, in units of the noise's variance or of the target's.
    pub evidence: Interval,
    /// Median λ by evidence, leave-one-out and ten folds.
    pub median_lambdas: [f64; 3],
    /// Paired difference of the error, evidence less leave-one-out, over the mean error of
    /// leave-one-out.
    pub over_leave_one_out: Interval,
    /// The same against ten folds.
    pub over_ten_folds: Interval,
}
