//! Weights drawn with a known σ, and the σ that the evidence finds.

use faer::Mat;
use serde::Serialize;

use super::random::Random;
use wd_evidence::{EvidenceError, Gaussian, Intercept, Options};

/// σ of the prior as the evidence finds it, in units of the noise's standard deviation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Recovered {
    /// 1/√λ; 0 where the evidence sees no signal, ∞ where it sees no noise, which takes fewer rows
    /// than weights.
    pub sigma: f64,
    /// 95 % interval, from that of ln λ; `None` without an inner maximum.
    pub interval: Option<(f64, f64)>,
}

impl Recovered {
    /// Whether the interval holds `sigma`; one that does not exist holds nothing.
    pub fn covers(&self, sigma: f64) -> bool {
        self.interval.is_some_and(|(low, high)| low <= sigma && sigma <= high)
    }
}

/// Draws p weights from N(0, σ²), n rows of p independent standard normal columns and noise of
/// variance 1, and asks the evidence for σ. Columns stay as they are drawn, since the prior is on
/// their weights; there is no intercept.
///
/// # Errors
/// What [`Gaussian::from_rows`] refuses.
pub fn recover(n: usize, p: usize, sigma: f64, seed: u64) -> Result<Recovered, EvidenceError> {
    let mut random = Random::new(seed);
    let weights: Vec<f64> = (0..p).map(|_| sigma * random.normal()).collect();
    let x = Mat::from_fn(n, p, |_, _| random.normal());
    let y = Mat::from_fn(n, 1, |i, _| {
        let fitted: f64 = (0..p).map(|j| x[(i, j)] * weights[j]).sum();
        fitted + random.normal()
    });
    let options =
        Options { intercept: Intercept::Absent, standardize: false, ..Options::default() };
    let maximum =
        Gaussian::from_rows(x.as_ref(), y.as_ref(), None, options)?.evidence(0)?.maximum();
    let deviation = |lambda: f64| 1.0 / lambda.sqrt();
    Ok(Recovered {
        sigma: deviation(maximum.point.lambda),
        interval: maximum.interval.map(|(low, high)| (deviation(high), deviation(low))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sigma_is_found_where_rows_and_weights_are_many() {
        let found = recover(800, 400, 0.5, 1).expect("a fit");
        // The standard error of ln σ is at least 1/√(2p) = 0.035.
        assert!((found.sigma / 0.5).ln().abs() < 0.2, "{found:?}");
        let (low, high) = found.interval.expect("a maximum");
        assert!(low < found.sigma && found.sigma < high);
        assert!(found.covers(found.sigma) && !found.covers(2.0 * high));
    }

    #[test]
    fn without_weights_there_is_no_interval_to_cover_anything() {
        let empty = (0..40)
            .map(|seed| recover(30, 5, 0.0, seed).expect("a fit"))
            .filter(|found| found.interval.is_none())
            .inspect(|found| assert!(found.sigma == 0.0 && !found.covers(0.0)))
            .count();
        assert!(empty > 10, "{empty}");
    }
}
