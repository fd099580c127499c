//! The λ of highest evidence, by a scan and a safeguarded Newton iteration in ln λ.
//!
//! With t = ln λ and ρ = λ‖w‖²/E the slope is dL/dt = ½(γ − νρ), whose zero is MacKay's fixed
//! point, and d²L/dt² = −½(Σ sλ/(s + λ)² + ν(ρ − ρ² − 2λ² Σ z²/(s + λ)³/E)).

use serde::Serialize;

use super::evidence::{Evidence, Point};
/// Spacing in ln λ of the scan for changes of sign: the sums of s/(s + λ) change over e-folds, not
/// faster.
const SCAN: f64 = 0.25;

/// 97.5 % quantile of the normal distribution.
pub(crate) const NORMAL_975: f64 = 1.959_963_984_540_054;

/// What the evidence says of λ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A maximum at a finite λ.
    Found,
    /// The evidence rises all the way to λ → ∞: the columns say nothing of the target, and every
    /// coefficient is 0.
    NoSignal,
    /// The evidence rises all the way to λ → 0: the columns fit the target exactly, and there is no
    /// noise to weigh the prior against.
    Noiseless,
}

/// The λ of highest evidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Maximum {
    /// λ and all that follows from it; λ is infinite for [`Outcome::NoSignal`] and 0 for
    /// [`Outcome::Noiseless`].
    pub point: Point,
    /// What kind of maximum it is.
    pub outcome: Outcome,
    /// λ·exp(∓1.96/√(−d²L/dt²)): 95 % if the evidence is Gaussian in ln λ. `None` without an inner
    /// maximum, or where it is flat to rounding.
    pub interval: Option<(f64, f64)>,
}

impl Evidence {
    /// dL/d ln λ and d²L/d(ln λ)² of the log evidence L.
    pub fn slopes(&self, lambda: f64) -> (f64, f64) {
        let sums = self.sums(lambda);
        let ratio = lambda * sums.norm / sums.penalized;
        let bend = ratio - ratio * ratio - 2.0 * lambda * lambda * sums.cubic / sums.penalized;
        (0.5 * (sums.gamma - self.degrees * ratio), -0.5 * (sums.gamma_fall + self.degrees * bend))
    }

    /// The λ of highest evidence: the highest of the inner maxima, or λ → ∞ if the evidence is
    /// higher there.
    ///
    /// λ → 0 is the answer only where the columns fit the target exactly, and the evidence is
    /// finite there and higher, or has no inner maximum.
    pub fn maximum(&self) -> Maximum {
        let inner = self
            .brackets()
            .into_iter()
            .map(|(low, high)| self.at(self.refine(low, high)))
            .max_by(|a, b| a.log_evidence.total_cmp(&b.log_evidence));
        let nothing = self.at(f64::INFINITY);
        let exact = self.at(0.0);
        let highest = inner
            .map_or(nothing.log_evidence, |point| point.log_evidence.max(nothing.log_evidence));
        let exact_wins =
            exact.log_evidence > highest && (exact.log_evidence.is_finite() || inner.is_none());
        let (point, outcome) = match inner {
            _ if self.is_interpolated() && exact_wins => (exact, Outcome::Noiseless),
            Some(point) if point.log_evidence > nothing.log_evidence => (point, Outcome::Found),
            _ => (nothing, Outcome::NoSignal),
        };
        // Where the evidence is flat to rounding, its curvature bounds nothing.
        let interval = (outcome == Outcome::Found)
            .then(|| {
                let half = NORMAL_975 / (-self.slopes(point.lambda).1).sqrt();
                (point.lambda * (-half).exp(), point.lambda * half.exp())
            })
            .filter(|(low, high)| *low > 0.0 && high.is_finite());
        Maximum { point, outcome, interval }
    }

    /// Pairs of ln λ between which the slope goes from + to −.
    fn brackets(&self) -> Vec<(f64, f64)> {
        let (largest, smallest) = self.extent();
        // Below `low` the slope is that of λ → 0: λ‖w‖² is little beside R₀ (or R₀ is 0), and λ
        // little beside every s.
        let norm = self.sums(0.0).norm;
        let noise = if self.unexplained > 0.0 {
            self.unexplained / (self.degrees * norm)
        } else {
            smallest
        };
        let low = noise.min(smallest).ln() - 8.0;
        // Above `high` it has the sign of Σs − νΣz², times 1/λ; if that is −, the last change of
        // sign may lie further up.
        let sign: f64 = self
            .eigenvalues
            .iter()
            .zip(&self.projections)
            .map(|(s, z)| s - self.degrees * z * z)
            .sum();
        let mut high = largest.ln() + 8.0;
        while sign < 0.0 && self.slopes(high.exp()).0 > 0.0 && high < largest.ln() + 40.0 {
            high += 2.0;
        }
        let steps = ((high - low) / SCAN).ceil() as usize;
        let mut brackets = Vec::new();
        let mut before: Option<(f64, f64)> = None;
        for step in 0..=steps {
            let t = low + (high - low) * step as f64 / steps as f64;
            let slope = self.slopes(t.exp()).0;
            if let Some((t_before, slope_before)) = before
                && slope_before > 0.0
                && slope <= 0.0
            {
                brackets.push((t_before, t));
            }
            before = Some((t, slope));
        }
        brackets
    }

    /// The zero of the slope between two ln λ: Newton's step where it stays inside, bisection where
    /// not.
    fn refine(&self, mut low: f64, mut high: f64) -> f64 {
        let mut t = 0.5 * (low + high);
        for _ in 0..200 {
            let (slope, curvature) = self.slopes(t.exp());
            if slope > 0.0 {
                low = t;
            } else {
                high = t;
            }
            let newton = t - slope / curvature;
            let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
            if (next - t).abs() <= 1e-15 * (1.0 + t.abs()) {
                break;
            }
            t = next;
        }
        t.exp()
    }
}
