//! How near a fit comes to the rows.

use serde::Serialize;

/// How near a fit comes to the rows that it was fitted to. What a family does not have is absent.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Quality {
    /// R² = 1 − Σ(y − ŷ)²/Σ(y − ȳ)²; about 0 instead of ȳ without an intercept.
    pub r_squared: Option<f64>,
    /// The same of rows left out in turn, where leave-one-out was computed.
    pub r_squared_left_out: Option<f64>,
    /// √(Σ(y − ŷ)²/n).
    pub root_mean_squared_error: Option<f64>,
    /// Twice the log likelihood that is missing to a fit of every row by itself.
    pub deviance: Option<f64>,
    /// The deviance of the intercept alone.
    pub null_deviance: Option<f64>,
    /// The share of rows whose likeliest class came.
    pub accuracy: Option<f64>,
}

impl Quality {
    /// 1 − deviance/null deviance: what R² is to squared errors.
    pub fn explained_deviance(&self) -> Option<f64> {
        match (self.deviance, self.null_deviance) {
            (Some(deviance), Some(null)) if null > 0.0 => Some(1.0 - deviance / null),
            _ => None,
        }
    }
}

/// A prediction and what came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// ŷ, of the fit without this row where that is known.
    pub predicted: f64,
    /// y.
    pub observed: f64,
}

/// Some of the rows that pass by, evenly: a figure shows no more.
#[derive(Debug, Default)]
pub(super) struct Sample {
    kept: Vec<Observation>,
    seen: usize,
    /// One of 2^halvings rows is kept.
    halvings: u32,
}

impl Sample {
    /// Dots of a figure, at most.
    const MOST: usize = 600;

    pub(super) fn add(&mut self, observation: Observation) {
        if self.seen.is_multiple_of(1 << self.halvings) {
            if self.kept.len() == Sample::MOST {
                let mut index = 0;
                self.kept.retain(|_| {
                    index += 1;
                    index % 2 == 1
                });
                self.halvings += 1;
            }
            if self.seen.is_multiple_of(1 << self.halvings) {
                self.kept.push(observation);
            }
        }
        self.seen += 1;
    }

    pub(super) fn finish(self) -> Vec<Observation> {
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_even_and_bounded() {
        for rows in [1usize, 599, 600, 601, 5000, 100_000] {
            let mut sample = Sample::default();
            for row in 0..rows {
                sample.add(Observation { predicted: row as f64, observed: 0.0 });
            }
            let kept = sample.finish();
            assert!(
                kept.len() <= Sample::MOST && kept.len() * 4 >= rows.min(Sample::MOST),
                "{rows}"
            );
            let gaps: Vec<f64> =
                kept.windows(2).map(|pair| pair[1].predicted - pair[0].predicted).collect();
            assert!(gaps.windows(2).all(|pair| pair[0] == pair[1]), "{rows}: {gaps:?}");
        }
    }
}
