//! The path over λ, each mode from its neighbour, and the λ of highest evidence.

use serde::Serialize;

use super::design::Glm;
use super::laplace::LaplacePoint;
use super::mode::Mode;
use crate::EvidenceError;
use crate::gaussian::{NORMAL_975, Outcome};

/// Change of ln λ at which the search ends.
const TOLERANCE: f64 = 1e-9;

/// Steps that the search may take; the secant takes four or five.
const ITERATIONS: usize = 100;

/// Step in ln λ over which the curvature of the evidence is taken.
const DIFFERENCE: f64 = 1e-3;

/// Relative change of ‖W‖² over a decade of λ below which the weights count as settled: of separable classes it grows like
/// ln² 1/λ, which is several percent.
const SETTLED: f64 = 1e-3;

/// Decades below the path in which separability is looked for.
const DECADES: usize = 12;

/// The λ of highest Laplace evidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GlmMaximum {
    /// λ with its evidence, γ and likelihood.
    pub point: LaplacePoint,
    /// [`Outcome::Found`]; [`Outcome::NoSignal`] or [`Outcome::Noiseless`] where the evidence rises up to the largest or down to
    /// the smallest λ of the path, which is then the answer.
    pub outcome: Outcome,
    /// 95 % interval if the evidence is Gaussian in ln λ.
    pub interval: Option<(f64, f64)>,
    /// Whether the classes are separable: there is then no maximum-likelihood fit, though a mode for every λ. `Some(true)`: weights
    /// that separate them were found; `Some(false)`: the weights settle as λ → 0; `None`: they still grow where the search ends, as
    /// they do where the classes touch (quasi-separation).
    pub separable: Option<bool>,
    /// The path that was searched, ascending in λ.
    pub path: Vec<LaplacePoint>,
}

impl Glm {
    /// `count` values of λ, ascending, from where the data hardly notice the prior to where the weights are all but 0.
    ///
    /// # Errors
    /// Data of which even the intercepts cannot be found.
    pub fn grid(&self, count: usize) -> Result<Vec<f64>, EvidenceError> {
        let local = self.local(&self.start()?);
        let curvature = self.curvature(&local);
        let penalized = (0..self.free()).filter(|&index| self.is_penalized(index));
        let trace: f64 = penalized.map(|index| curvature[(index, index)]).sum();
        // Above `high` γ < 0.01; every eigenvalue is below the trace.
        let high = 100.0 * trace;
        let low = 1e-10 * high;
        let step = (high / low).ln() / count.saturating_sub(1).max(1) as f64;
        Ok((0..count).map(|i| low * (step * i as f64).exp()).collect())
    }

    /// Mode, evidence and γ at each λ > 0, in the order given; computed from the largest λ down, each mode from the tangent of
    /// the one before.
    ///
    /// # Errors
    /// [`EvidenceError::Lambda`]; [`EvidenceError::NotConverged`] where λ is too small for the data.
    pub fn path(&self, lambdas: &[f64]) -> Result<Vec<LaplacePoint>, EvidenceError> {
        let mut points: Vec<Option<LaplacePoint>> = vec![None; lambdas.len()];
        self.descend(lambdas, |place, alpha, mode| {
            points[place] = Some(self.point(alpha, mode))
        })?;
        Ok(points.into_iter().flatten().collect())
    }

    /// Visits each λ from the largest down, with its place in the list.
    pub(super) fn descend(
        &self,
        lambdas: &[f64],
        mut visit: impl FnMut(usize, f64, &Mode),
    ) -> Result<(), EvidenceError> {
        if let Some(&lambda) = lambdas
            .iter()
            .find(|lambda| !(lambda.is_finite() && **lambda > 0.0))
        {
            return Err(EvidenceError::Lambda(lambda));
        }
        let mut order: Vec<usize> = (0..lambdas.len()).collect();
        order.sort_by(|&a, &b| lambdas[b].total_cmp(&lambdas[a]));
        let mut before: Option<(f64, Mode)> = None;
        for place in order {
            let alpha = lambdas[place];
            let mode = match before {
                None => self.mode(alpha, self.start()?, None)?,
                Some((other, mode)) => self.mode_near(alpha, other, mode)?,
            };
            visit(place, alpha, &mode);
            before = Some((alpha, mode));
        }
        Ok(())
    }

    /// The mode of one α from that of another, moved along the tangent.
    fn mode_near(&self, alpha: f64, other: f64, mode: Mode) -> Result<Mode, EvidenceError> {
        let tangent = self.tangent(other, &mode);
        // Beyond an e-fold the tangent says little.
        let step = (alpha / other).ln().clamp(-1.0, 1.0);
        let parameters = mode
            .parameters
            .iter()
            .zip(&tangent)
            .map(|(parameter, tangent)| parameter + step * tangent)
            .collect();
        self.mode(alpha, parameters, Some(mode.curvature))
    }

    /// The λ of highest evidence: the best of `lambdas`, refined between its neighbours until the slope is 0.
    ///
    /// # Errors
    /// As [`Glm::path`]; fewer than three λ.
    pub fn maximum(&self, lambdas: &[f64]) -> Result<GlmMaximum, EvidenceError> {
        if lambdas.len() < 3 {
            return Err(EvidenceError::Shape {
                what: "values of λ to search",
                given: lambdas.len(),
                expected: 3,
            });
        }
        let mut lambdas = lambdas.to_vec();
        lambdas.sort_by(f64::total_cmp);
        let mut modes: Vec<(f64, Vec<f64>)> = Vec::new();
        let mut path = Vec::new();
        self.descend(&lambdas, |_, alpha, mode| {
            path.push(self.point(alpha, mode));
            modes.push((alpha, mode.parameters.clone()));
        })?;
        path.reverse();
        modes.reverse();
        let separable = self.separability(&path, &modes[0]);
        let best = (0..path.len())
            .max_by(|&a, &b| path[a].log_evidence.total_cmp(&path[b].log_evidence))
            .unwrap_or_default();
        if best + 1 == path.len() {
            return Ok(GlmMaximum {
                point: path[best],
                outcome: Outcome::NoSignal,
                interval: None,
                separable,
                path,
            });
        }
        let low = best.saturating_sub(1);
        let parameters = modes.swap_remove(best).1;
        let (point, mode, outcome) =
            self.refine(&path[low..=best + 1], path[best].lambda, parameters)?;
        let lambda = point.lambda;
        let nearby = lambda * DIFFERENCE.exp();
        let interval = if outcome == Outcome::Found {
            let (slope, mode) = (
                self.slope(lambda, &mode),
                self.mode_near(nearby, lambda, mode)?,
            );
            let curvature = (self.slope(nearby, &mode) - slope) / DIFFERENCE;
            let half = NORMAL_975 / (-curvature).sqrt();
            (curvature < 0.0).then(|| (lambda * (-half).exp(), lambda * half.exp()))
        } else {
            None
        };
        Ok(GlmMaximum {
            point,
            outcome,
            interval,
            separable,
            path,
        })
    }

    /// Follows the path further down until the weights separate the classes or settle.
    fn separability(&self, path: &[LaplacePoint], lowest: &(f64, Vec<f64>)) -> Option<bool> {
        let settled = |before: f64, after: f64| (after - before).abs() <= SETTLED * after;
        if path.iter().any(|point| point.separates) {
            return Some(true);
        }
        if settled(path[1].squared_norm, path[0].squared_norm) {
            return Some(false);
        }
        let (mut alpha, mut parameters) = lowest.clone();
        let mut norm = path[0].squared_norm;
        for _ in 0..DECADES {
            alpha /= 10.0;
            // So far down that H cannot be decomposed, nothing can be said.
            let mode = self.mode(alpha, parameters, None).ok()?;
            if self
                .family
                .separates(mode.local.predictor.as_ref(), &self.target, &self.weights)
            {
                return Some(true);
            }
            if settled(norm, mode.squared_norm) {
                return Some(false);
            }
            (norm, parameters) = (mode.squared_norm, mode.parameters);
        }
        None
    }

    /// The zero of the slope between the ends of a part of the path, from the mode of its best λ: by the secant through the last
    /// two slopes, the first being that of the parabola through three points; by bisection where that leaves the bracket.
    fn refine(
        &self,
        bracket: &[LaplacePoint],
        best: f64,
        parameters: Vec<f64>,
    ) -> Result<(LaplacePoint, Mode, Outcome), EvidenceError> {
        let (mut low, mut high) = (
            bracket[0].lambda.ln(),
            bracket[bracket.len() - 1].lambda.ln(),
        );
        let mut t = best.ln();
        let mut mode = self.mode(best, parameters, None)?;
        let mut slope = self.slope(best, &mode);
        if bracket[0].lambda == best && slope <= 0.0 {
            return Ok((self.point(best, &mode), mode, Outcome::Noiseless));
        }
        let mut curvature = match bracket {
            [below, at, above] => {
                let (left, right) = (
                    (at.lambda / below.lambda).ln(),
                    (above.lambda / at.lambda).ln(),
                );
                let rise = (at.log_evidence - below.log_evidence) / left;
                2.0 * ((above.log_evidence - at.log_evidence) / right - rise) / (left + right)
            }
            _ => f64::NAN,
        };
        for _ in 0..ITERATIONS {
            if slope > 0.0 {
                low = t;
            } else {
                high = t;
            }
            let secant = t - slope / curvature;
            let next = if secant > low && secant < high {
                secant
            } else {
                0.5 * (low + high)
            };
            let step = next - t;
            if step.abs() <= TOLERANCE {
                break;
            }
            let before = t;
            t = next;
            mode = self.mode_near(t.exp(), before.exp(), mode)?;
            let here = self.slope(t.exp(), &mode);
            curvature = (here - slope) / step;
            slope = here;
        }
        Ok((self.point(t.exp(), &mode), mode, Outcome::Found))
    }
}
