//! A prior precision for each group of columns: w̃_g ~ N(0, 1/α_g), all α found by evidence. With a
//! group a column this is automatic relevance determination.
//!
//! With Λ = diag(λ_g), λ_g = α_g/β, M = X̃ᵀX̃ + Λ and w̃ = M⁻¹X̃ᵀỹ: γ_g = p_g − λ_g Σ_{j ∈ g}
//! (M⁻¹)_jj, and MacKay's update is λ_g ← γ_g/(β‖w̃_g‖²). Since it converges linearly, every second
//! pair of steps is extrapolated in ln λ (Aitken), and kept where the evidence rises. A group whose
//! λ passes a bound says nothing of the target: its λ is ∞, its coefficients 0.
//!
//! Sources: MacKay 1992, eq. 4.9; MacKay 1994 (ARD); Tipping 2001 (“Sparse Bayesian learning”), eq.
//! 16–18.

use std::f64::consts::PI;

use faer::{Mat, Side};
use serde::Serialize;

use crate::columns::Options;
use crate::normal_equations::{Frame, NormalEquations};
use crate::{EvidenceError, Statistics};

/// λ_g/X̃_jᵀX̃_j beyond which a group counts as irrelevant: its coefficients are below 1e-8 of what
/// they would be freely.
const IRRELEVANT: f64 = 1e8;

/// Change of every ln λ_g at which the iteration ends.
const TOLERANCE: f64 = 1e-9;

/// A factor e^8 is the furthest that one extrapolation goes.
const LONGEST_STEP: f64 = 8.0;

/// The model at the α that the evidence prefers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupedFit {
    /// λ_g = α_g/β of each group; infinite for a group without relevance.
    pub lambdas: Vec<f64>,
    /// α_g of each group.
    pub alphas: Vec<f64>,
    /// β.
    pub beta: f64,
    /// ln p(y | α, β).
    pub log_evidence: f64,
    /// γ_g of each group.
    pub effective_parameters: Vec<f64>,
    /// Σ w(y − ŷ)².
    pub residual_sum_of_squares: f64,
    /// In original units.
    pub coefficients: Vec<f64>,
    /// Of the columns as they enter the model.
    pub standardized_coefficients: Vec<f64>,
    /// ŷ where every column is 0.
    pub intercept: f64,
    /// Decompositions of M made.
    pub iterations: usize,
}

/// Finds the prior precision of each group by evidence; `group_of` names each column's group, from
/// 0.
///
/// # Errors
/// Groups that do not fit the columns; what
/// [`Gaussian::from_statistics`](crate::Gaussian::from_statistics) refuses; a target that is fitted
/// exactly, or an iteration that does not end within `iterations` (1,000 are usual).
pub fn grouped(
    statistics: &Statistics,
    target: usize,
    group_of: &[usize],
    options: Options,
    iterations: usize,
) -> Result<GroupedFit, EvidenceError> {
    let p = statistics.columns();
    if group_of.len() != p {
        return Err(EvidenceError::Shape {
            what: "group numbers",
            given: group_of.len(),
            expected: p,
        });
    }
    if target >= statistics.targets() {
        return Err(EvidenceError::Shape {
            what: "number of the target, from 0",
            given: target,
            expected: statistics.targets() - 1,
        });
    }
    let groups = group_of.iter().max().map_or(0, |last| last + 1);
    if let Some(empty) = (0..groups).find(|group| !group_of.contains(group)) {
        return Err(EvidenceError::Shape {
            what: "columns of a group (groups are numbered from 0)",
            given: 0,
            expected: empty,
        });
    }
    let NormalEquations { gram, cross, columns, moments } =
        NormalEquations::of(statistics, options, None)?;
    let frame = Frame::of(&moments, p, target, options.intercept)?;
    let search = Search { gram: &gram, cross: cross.col_as_slice(target), group_of, frame: &frame };

    let largest = (0..p).map(|j| gram[(j, j)]).fold(0.0, f64::max);
    let bound = (largest * IRRELEVANT).ln();
    let mut logs = vec![(largest / p as f64).ln(); groups];
    let mut state = search.at(&logs)?;
    let mut made = 1;
    let mut steps: Vec<Vec<f64>> = vec![logs.clone()];
    loop {
        if made >= iterations {
            return Err(EvidenceError::NotConverged {
                what: "the precisions of the groups",
                iterations,
                hint: ": allow more iterations, or merge groups",
            });
        }
        let next: Vec<f64> = state
            .updated
            .iter()
            .zip(&logs)
            .map(|(new, old)| if *old >= bound { *old } else { new.min(bound) })
            .collect();
        let change = next.iter().zip(&logs).map(|(new, old)| (new - old).abs()).fold(0.0, f64::max);
        logs = next;
        if change <= TOLERANCE {
            break;
        }
        state = search.at(&logs)?;
        made += 1;
        steps.push(logs.clone());
        if let [first, second, third] = steps.as_slice() {
            let leap: Vec<f64> =
                (0..groups).map(|g| aitken(first[g], second[g], third[g]).min(bound)).collect();
            let leapt = search.at(&leap)?;
            made += 1;
            if leapt.log_evidence > state.log_evidence {
                (logs, state) = (leap, leapt);
            }
            steps = vec![logs.clone()];
        }
    }
    let relevant: Vec<f64> =
        logs.iter().map(|log| if *log >= bound { f64::INFINITY } else { *log }).collect();
    let state = search.at(&relevant)?;
    let lambdas: Vec<f64> = relevant.iter().map(|log| log.exp()).collect();
    let coefficients = columns.coefficients(&state.coefficients);
    let at_mean = if frame.unpenalized > 0.0 { moments.means[p + target] } else { 0.0 };
    Ok(GroupedFit {
        alphas: lambdas.iter().map(|lambda| lambda * state.beta).collect(),
        lambdas,
        beta: state.beta,
        log_evidence: state.log_evidence,
        effective_parameters: state.gammas,
        residual_sum_of_squares: state.residual,
        intercept: columns.intercept_at_zero(at_mean, &coefficients),
        coefficients,
        standardized_coefficients: state.coefficients,
        iterations: made + 1,
    })
}

/// The limit of a sequence of three whose steps shrink geometrically; the last of them where they
/// do not.
fn aitken(first: f64, second: f64, third: f64) -> f64 {
    let (before, after) = (second - first, third - second);
    let ratio = after / before;
    if ratio > 0.0 && ratio < 1.0 {
        third + (after * ratio / (1.0 - ratio)).clamp(-LONGEST_STEP, LONGEST_STEP)
    } else {
        third
    }
}

/// What stays the same while the λ_g change.
struct Search<'a> {
    gram: &'a Mat<f64>,
    cross: &'a [f64],
    group_of: &'a [usize],
    frame: &'a Frame,
}

/// Everything at one set of λ_g.
struct State {
    log_evidence: f64,
    beta: f64,
    residual: f64,
    gammas: Vec<f64>,
    coefficients: Vec<f64>,
    /// MacKay's ln λ_g after this one.
    updated: Vec<f64>,
}

impl Search<'_> {
    /// At ln λ_g; columns of groups with an infinite one are left out.
    fn at(&self, logs: &[f64]) -> Result<State, EvidenceError> {
        let total = self.frame.total;
        let degrees = self.frame.degrees;
        let kept: Vec<usize> =
            (0..self.group_of.len()).filter(|&j| logs[self.group_of[j]].is_finite()).collect();
        let lambda = |j: usize| logs[self.group_of[j]].exp();
        let matrix = Mat::from_fn(kept.len(), kept.len(), |a, b| {
            let (i, j) = (kept[a.max(b)], kept[a.min(b)]);
            self.gram[(i, j)] + if a == b { lambda(i) } else { 0.0 }
        });
        let mut coefficients = vec![0.0; self.group_of.len()];
        let mut gammas = vec![0.0; logs.len()];
        let mut norms = vec![0.0; logs.len()];
        let mut log_determinant = 0.0;
        let mut explained = 0.0;
        let mut penalty = 0.0;
        if !kept.is_empty() {
            let factor = matrix.llt(Side::Lower).map_err(|_| EvidenceError::NotConverged {
                what: "the decomposition of X'X + λ",
                iterations: 0,
                hint: ": the columns are linearly dependent, and a group's λ too small to part \
                       them",
            })?;
            let mut inverse = Mat::<f64>::identity(kept.len(), kept.len());
            faer::linalg::solvers::SolveCore::solve_in_place_with_conj(
                &factor,
                faer::Conj::No,
                inverse.as_mut(),
            );
            for (a, &j) in kept.iter().enumerate() {
                let group = self.group_of[j];
                let weight: f64 =
                    kept.iter().enumerate().map(|(b, &i)| inverse[(b, a)] * self.cross[i]).sum();
                coefficients[j] = weight;
                gammas[group] += 1.0 - lambda(j) * inverse[(a, a)];
                norms[group] += weight * weight;
                explained += weight * self.cross[j];
                penalty += lambda(j) * weight * weight;
                log_determinant += 2.0 * factor.L()[(a, a)].ln() - logs[group];
            }
        }
        let penalized = total - explained;
        // What a difference of sums like these is known to.
        if penalized <= total * 1e-13 {
            return Err(EvidenceError::NotConverged {
                what: "the precision of the noise",
                iterations: 0,
                hint: ": the columns fit the target exactly",
            });
        }
        let beta = degrees / penalized;
        let updated =
            gammas.iter().zip(&norms).map(|(gamma, norm)| (gamma.max(0.0) / (beta * norm)).ln());
        // A group without coefficients has nothing to say: 0/0 and x/0 both mean λ → ∞.
        let updated = updated.map(|log| if log.is_nan() { f64::INFINITY } else { log }).collect();
        Ok(State {
            log_evidence: 0.5 * degrees * (beta.ln() - 1.0 - (2.0 * PI).ln())
                - 0.5 * log_determinant
                + self.frame.offset,
            beta,
            residual: penalized - penalty,
            gammas,
            coefficients,
            updated,
        })
    }
}
