//! The path over λ, each mode from its neighbour, and the λ of highest evidence.

use super::design::Glm;
use super::laplace::LaplacePoint;
use super::mode::{Mode, solve};
use super::posterior::GlmPosterior;
use crate::EvidenceError;
use crate::gaussian::{NORMAL_975, Outcome};

/// Error of ln λ at which the search ends.
const TOLERANCE: f64 = 1e-7;

/// Steps that the search may take; the secant takes four or five.
const ITERATIONS: usize = 100;

/// Relative change of ‖W‖² over a decade of λ below which the weights count as settled: of
/// separable classes it grows like ln² 1/λ, which is several percent.
const SETTLED: f64 = 1e-3;

/// Decades below the path in which separability is looked for.
const DECADES: usize = 12;

/// The λ of highest Laplace evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct GlmMaximum {
    /// λ with its evidence, γ and likelihood.
    pub point: LaplacePoint,
    /// Its mode and posterior.
    pub posterior: GlmPosterior,
    /// [`Outcome::Found`]; [`Outcome::NoSignal`] or [`Outcome::Noiseless`] where the evidence rises
    /// up to the largest or down to the smallest λ of the path, which is then the answer.
    pub outcome: Outcome,
    /// 95 % interval if the evidence is Gaussian in ln λ.
    pub interval: Option<(f64, f64)>,
    /// Whether the classes are separable: there is then no maximum-likelihood fit, though a mode
    /// for every λ. `Some(true)`: weights that separate them were found; `Some(false)`: the weights
    /// settle as λ → 0; `None`: they still grow where the search ends, as they do where the classes
    /// touch (quasi-separation).
    pub separable: Option<bool>,
    /// The path that was searched, ascending in λ.
    pub path: Vec<LaplacePoint>,
}

impl Glm {
    /// `count` values of λ, ascending, from where the data hardly notice the prior to where the
    /// weights are all but 0.
    ///
    /// # Errors
    /// Data of which even the intercepts cannot be found.
    pub fn grid(&self, count: usize) -> Result<Vec<f64>, EvidenceError> {
        let local = self.local(&self.start()?);
        let trace = self.penalized_curvature_trace(&local);
        // Above `high` γ < 0.01; every eigenvalue is below the trace.
        let high = 100.0 * trace;
        let low = 1e-10 * high;
        let step = (high / low).ln() / count.saturating_sub(1).max(1) as f64;
        Ok((0..count).map(|i| low * (step * i as f64).exp()).collect())
    }

    /// Mode, evidence and γ at each λ > 0, in the order given; computed from the largest λ down,
    /// each mode from the one before.
    ///
    /// # Errors
    /// [`EvidenceError::Lambda`]; [`EvidenceError::NotConverged`] where λ is too small for the
    /// data.
    pub fn path(&self, lambdas: &[f64]) -> Result<Vec<LaplacePoint>, EvidenceError> {
        let mut points: Vec<Option<LaplacePoint>> = vec![None; lambdas.len()];
        self.descend(lambdas, |place, alpha, mode| points[place] = Some(self.point(alpha, mode)))?;
        Ok(points.into_iter().flatten().collect())
    }

    /// Visits each λ from the largest down, with its place in the list.
    pub(super) fn descend(
        &self,
        lambdas: &[f64],
        mut visit: impl FnMut(usize, f64, &Mode),
    ) -> Result<(), EvidenceError> {
        if let Some(&lambda) = lambdas.iter().find(|lambda| !(lambda.is_finite() && **lambda > 0.0))
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

    /// The mode of one α from that of another.
    ///
    /// There ∇ℓ = αPθ̂, so that with the curvature of the old mode a Newton step to the new α needs
    /// no look at the data: whatever the distance, it is off by the change of the curvature alone.
    fn mode_near(&self, alpha: f64, other: f64, mode: Mode) -> Result<Mode, EvidenceError> {
        let factor = self.decompose(&mode.curvature, alpha)?;
        let gradient: Vec<f64> = (0..self.free())
            .map(|index| match self.is_penalized(index) {
                true => (other - alpha) * mode.parameters[index],
                false => 0.0,
            })
            .collect();
        let mut parameters = mode.parameters;
        parameters
            .iter_mut()
            .zip(solve(&factor, &gradient))
            .for_each(|(parameter, step)| *parameter += step);
        self.mode(alpha, parameters, Some(mode.curvature))
    }

    /// The λ of highest evidence: the best of `lambdas`, refined between its neighbours until the
    /// slope is 0.
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
        let mut path: Vec<LaplacePoint> = Vec::new();
        let mut best: Option<(LaplacePoint, Mode)> = None;
        let mut lowest = Vec::new();
        self.descend(&lambdas, |_, alpha, mode| {
            let point = self.point(alpha, mode);
            if best.as_ref().is_none_or(|(best, _)| point.log_evidence > best.log_evidence) {
                best = Some((point, mode.clone()));
            }
            lowest.clone_from(&mode.parameters);
            path.push(point);
        })?;
        path.reverse();
        let separable = self.separability(&path, lowest);
        let Some((best, mode)) = best else {
            // Of values that are not finite none is the best.
            return Err(EvidenceError::Lambda(f64::NAN));
        };
        let place = path.partition_point(|point| point.lambda < best.lambda);
        let (point, mode, outcome, curvature) = if place + 1 == path.len() {
            (best, mode, Outcome::NoSignal, 0.0)
        } else {
            self.refine(&path[place.saturating_sub(1)..=place + 1], best, mode)?
        };
        let interval = (outcome == Outcome::Found && curvature < 0.0).then(|| {
            let ratio = (NORMAL_975 / (-curvature).sqrt()).exp();
            (point.lambda / ratio, point.lambda * ratio)
        });
        Ok(GlmMaximum {
            posterior: self.posterior_of(point.lambda, &mode),
            point,
            outcome,
            interval,
            separable,
            path,
        })
    }

    /// Follows the path further down until the weights separate the classes or settle.
    fn separability(&self, path: &[LaplacePoint], lowest: Vec<f64>) -> Option<bool> {
        let settled = |before: f64, after: f64| (after - before).abs() <= SETTLED * after;
        if path.iter().any(|point| point.separates) {
            return Some(true);
        }
        if settled(path[1].squared_norm, path[0].squared_norm) {
            return Some(false);
        }
        let (mut alpha, mut parameters) = (path[0].lambda, lowest);
        let mut norm = path[0].squared_norm;
        for _ in 0..DECADES {
            alpha /= 10.0;
            // So far down that H cannot be decomposed, nothing can be said.
            let mode = self.mode(alpha, parameters, None).ok()?;
            if self.family.separates(mode.local.predictor.as_ref(), &self.target, &self.weights) {
                return Some(true);
            }
            if settled(norm, mode.squared_norm) {
                return Some(false);
            }
            (norm, parameters) = (mode.squared_norm, mode.parameters);
        }
        None
    }

    /// The zero of the slope between the ends of a part of the path, from the mode of its best λ:
    /// by the secant through the last two slopes, the first being that of the parabola through
    /// three points; by bisection where that leaves the bracket.
    fn refine(
        &self,
        bracket: &[LaplacePoint],
        best: LaplacePoint,
        mut mode: Mode,
    ) -> Result<(LaplacePoint, Mode, Outcome, f64), EvidenceError> {
        let (mut low, mut high) = (bracket[0].lambda.ln(), bracket[bracket.len() - 1].lambda.ln());
        let mut t = best.lambda.ln();
        let mut slope = self.slope(best.lambda, &mode);
        if bracket[0].lambda == best.lambda && slope <= 0.0 {
            return Ok((best, mode, Outcome::Noiseless, f64::NAN));
        }
        let mut curvature = match bracket {
            [below, at, above] => {
                let (left, right) =
                    ((at.lambda / below.lambda).ln(), (above.lambda / at.lambda).ln());
                let rise = (at.log_evidence - below.log_evidence) / left;
                2.0 * ((above.log_evidence - at.log_evidence) / right - rise) / (left + right)
            }
            _ => f64::NAN,
        };
        let mut last_step = f64::INFINITY;
        for _ in 0..ITERATIONS {
            if slope > 0.0 {
                low = t;
            } else {
                high = t;
            }
            let secant = t - slope / curvature;
            let next = if secant > low && secant < high { secant } else { 0.5 * (low + high) };
            let step = next - t;
            let before = t;
            t = next;
            mode = self.mode_near(t.exp(), before.exp(), mode)?;
            if step == 0.0 {
                break;
            }
            // What a secant step leaves is of the order of it times the step before.
            if (step * last_step).abs() <= TOLERANCE {
                curvature = -slope / step;
                break;
            }
            let here = self.slope(t.exp(), &mode);
            curvature = (here - slope) / step;
            slope = here;
            last_step = step;
        }
        Ok((self.point(t.exp(), &mode), mode, Outcome::Found, curvature))
    }
}
