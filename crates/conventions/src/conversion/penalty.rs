//! A penalty's typed number and the strengths (P, L) it stands for.

use crate::ConventionError;
use crate::library::{Likelihood, Penalty};
use wd_decay::Run;

impl Penalty {
    /// (P, L) of the typed number `value` with the share `l1_ratio` of L1.
    pub(crate) fn strengths(
        self,
        value: f64,
        l1_ratio: f64,
        likelihood: Likelihood,
        run: &Run,
    ) -> Result<(f64, f64), ConventionError> {
        let unit = self.unit(likelihood, run)?;
        Ok(match self {
            Penalty::Inverse => ((1.0 - l1_ratio) / value, l1_ratio / value),
            Penalty::PriorStd => (unit / (value * value), 0.0),
            Penalty::SummedL1 => (0.0, value),
            Penalty::MeanScaledResponse => {
                (unit * value * (1.0 - l1_ratio), data(run)? * value * l1_ratio)
            }
            _ => (unit * value * (1.0 - l1_ratio), unit * value * l1_ratio),
        })
    }

    /// The typed number and the share of L1 that have the strengths (P, L); `None` when none do.
    pub(super) fn value_of(
        self,
        (quadratic, absolute): (f64, f64),
        likelihood: Likelihood,
        has_l1: bool,
        run: &Run,
    ) -> Result<Option<(f64, f64)>, ConventionError> {
        let unit = self.unit(likelihood, run)?;
        if absolute != 0.0 && !has_l1 && self != Penalty::SummedL1 {
            return Ok(None);
        }
        let mixed = |quadratic: f64, absolute: f64| {
            let value = quadratic + absolute;
            (value, if value == 0.0 { 0.0 } else { absolute / value })
        };
        Ok(Some(match self {
            Penalty::Inverse => {
                let (strength, ratio) = mixed(quadratic, absolute);
                (1.0 / strength, ratio)
            }
            Penalty::PriorStd => ((unit / quadratic).sqrt(), 0.0),
            Penalty::SummedL1 if quadratic != 0.0 => return Ok(None),
            Penalty::SummedL1 => (absolute, 1.0),
            Penalty::MeanScaledResponse => mixed(quadratic / unit, absolute / data(run)?),
            _ => mixed(quadratic / unit, absolute / unit),
        }))
    }

    /// P per unit of the typed number, of its reciprocal square for a prior's standard deviation.
    fn unit(self, likelihood: Likelihood, run: &Run) -> Result<f64, ConventionError> {
        // Between two priors the noise cancels, and a likelihood has none.
        let noise = || match (likelihood, run.noise_std) {
            (Likelihood::Squared, None) => Err(ConventionError::Missing {
                needed_for: "a prior beside a squared error".to_owned(),
                missing: "noise_std=…, the standard deviation of the noise".to_owned(),
            }),
            (Likelihood::Logistic | Likelihood::Poisson, _) | (_, None) => Ok(1.0),
            (_, Some(noise)) => Ok(noise * noise),
        };
        match self {
            Penalty::Summed | Penalty::SummedL1 | Penalty::Inverse => Ok(1.0),
            Penalty::Mean => data(run),
            Penalty::MeanPerBatch => {
                let batch = run.batch.ok_or_else(|| ConventionError::Missing {
                    needed_for: "a penalty that is divided by the rows of a batch".to_owned(),
                    missing: "batch=B, the rows of a batch".to_owned(),
                })?;
                Ok(data(run)? / batch)
            }
            Penalty::MeanScaledResponse => {
                let deviation = run.response_std.ok_or_else(|| ConventionError::Missing {
                    needed_for: "glmnet's λ".to_owned(),
                    missing:
                        "response_std=…, the standard deviation of y (divided by N, not N − 1)"
                            .to_owned(),
                })?;
                Ok(data(run)? / deviation)
            }
            Penalty::PriorPrecision | Penalty::PriorStd => noise(),
        }
    }
}

fn data(run: &Run) -> Result<f64, ConventionError> {
    run.data_points.ok_or_else(|| ConventionError::Missing {
        needed_for: "a penalty beside a mean loss".to_owned(),
        missing: "data=N, the number of data points".to_owned(),
    })
}
