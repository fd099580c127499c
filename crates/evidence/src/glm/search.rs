//! The path over λ, each mode from its neighbour, and the λ of highest evidence.

use serde::Serialize;

use super::design::Glm;
use super::laplace::LaplacePoint;
use super::mode::Mode;
use crate::EvidenceError;
use crate::gaussian::{NORMAL_975, Outcome};

/// Change of ln λ at which the search ends.
const TOLERANCE: f64 = 1e-9;

/// Spacing in ln λ over which the curvature of the evidence is taken.
const DIFFERENCE: f64 = 1e-2;

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
        let hessian = self.hessian(&local, 0.0);
        let penalized = (0..self.free()).filter(|&index| self.is_penalized(index));
        let trace: f64 = penalized.map(|index| hessian[(index, index)]).sum();
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
            let mode = self.mode(alpha, self.predict_mode(alpha, before.as_ref())?)?;
            visit(place, alpha, &mode);
            before = Some((alpha, mode));
        }
        Ok(())
    }

    /// Where to start Newton's method: the mode of another α, moved along the tangent.
    fn predict_mode(
        &self,
        alpha: f64,
        from: Option<&(f64, Mode)>,
    ) -> Result<Vec<f64>, EvidenceError> {
        let Some((before, mode)) = from else {
            return self.start();
        };
        let distance = (alpha / before).ln();
        let tangent = self.tangent(*before, mode);
        // Beyond an e-fold the tangent says little.
        let step = distance.clamp(-1.0, 1.0);
        Ok(mode
            .parameters
            .iter()
            .zip(&tangent)
            .map(|(parameter, tangent)| parameter + step * tangent)
            .collect())
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
        let (low, high) = (
            path[best.saturating_sub(1)].lambda.ln(),
            path[best + 1].lambda.ln(),
        );
        let (point, parameters) = self.refine(low, high, modes.swap_remove(best).1)?;
        let outcome = if best == 0 && point.lambda.ln() - low < TOLERANCE {
            Outcome::Noiseless
        } else {
            Outcome::Found
        };
        let slope_at = |shift: f64| {
            let alpha = point.lambda * shift.exp();
            self.mode(alpha, parameters.clone())
                .map(|mode| self.slope(alpha, &mode))
        };
        let curvature = (slope_at(DIFFERENCE)? - slope_at(-DIFFERENCE)?) / (2.0 * DIFFERENCE);
        let interval = (outcome == Outcome::Found && curvature < 0.0).then(|| {
            let half = NORMAL_975 / (-curvature).sqrt();
            (point.lambda * (-half).exp(), point.lambda * half.exp())
        });
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
            let mode = self.mode(alpha, parameters).ok()?;
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

    /// The zero of the slope between two ln λ, by false position (the Illinois variant, which keeps both ends moving), with
    /// the mode there.
    fn refine(
        &self,
        mut low: f64,
        mut high: f64,
        mut parameters: Vec<f64>,
    ) -> Result<(LaplacePoint, Vec<f64>), EvidenceError> {
        let mut visit = |t: f64| {
            let mode = self.mode(t.exp(), parameters.clone())?;
            let found = (
                self.point(t.exp(), &mode),
                self.slope(t.exp(), &mode),
                mode.parameters.clone(),
            );
            parameters = mode.parameters;
            Ok::<_, EvidenceError>(found)
        };
        let (at_low, mut slope_low, parameters_low) = visit(low)?;
        if slope_low <= 0.0 {
            return Ok((at_low, parameters_low));
        }
        let (at_high, mut slope_high, parameters_high) = visit(high)?;
        if slope_high >= 0.0 {
            return Ok((at_high, parameters_high));
        }
        let mut last_side = 0;
        loop {
            let guess = (low * slope_high - high * slope_low) / (slope_high - slope_low);
            let t = if guess > low && guess < high {
                guess
            } else {
                0.5 * (low + high)
            };
            let (point, slope, here) = visit(t)?;
            let side = if slope > 0.0 { 1 } else { -1 };
            let moved = if slope > 0.0 { t - low } else { high - t };
            if slope > 0.0 {
                (low, slope_low) = (t, slope);
                if last_side == side {
                    slope_high *= 0.5;
                }
            } else {
                (high, slope_high) = (t, slope);
                if last_side == side {
                    slope_low *= 0.5;
                }
            }
            last_side = side;
            if moved <= TOLERANCE || high - low <= TOLERANCE || slope == 0.0 {
                return Ok((point, here));
            }
        }
    }
}
