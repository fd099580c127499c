//! What a record that took no part in a law says of it: how far the law holds, and what an error
//! costs.
//!
//! The law is [`power_lines`]. The record are the 17 complete grids of learning rate and batch that
//! Step Law published (Li et al. 2025, arXiv 2503.04715; step-law/steplaw at commit 32a8f4c), of
//! about 120 runs each: AdamW at one λ, cosine to 1e-5, 215M to 1.07B parameters. Each grid's
//! optimum, by a quadratic in ln η and ln B through the runs within 2 % of the best, gives a
//! timescale, and these fall as a power of tokens a parameter ([`EXPONENT`]). Their level cannot be
//! compared: λ of these runs is not in the record, and could not be checked in the paper. So the
//! exponent alone is used, through the law's own value in the middle of the grids.

use serde::Serialize;

use crate::laws::power_lines;
use crate::{LawAnswer, PlannedRun, Range, words};

/// Exponent of tokens a parameter in the best timescale, and its standard error.
pub const EXPONENT: (f64, f64) = (-0.592, 0.023);
/// Tokens a parameter of the grids.
pub const TOKENS_PER_PARAMETER: (f64, f64) = (19.0, 466.0);
/// What a learning rate off by a factor costs, as a share of the loss: the steps around the optimum
/// of the grids.
pub const COSTS: [(f64, f64); 2] = [(1.41, 0.001), (2.15, 0.005)];
/// Where the law was tried below its range: 169,728 parameters on 12 tokens each, a peak learning
/// rate of 8e-3, 2,048 tokens a step. The best λ of two corpora lay between these.
pub const BELOW: Below = Below {
    parameters: 169_728.0,
    tokens_per_parameter: 12.0,
    best: Range { low: 0.15, high: 0.3 },
};

/// A measurement below the law's range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Below {
    /// Parameters.
    pub parameters: f64,
    /// Tokens a parameter.
    pub tokens_per_parameter: f64,
    /// The best λ that were found.
    pub best: Range,
}

impl Below {
    /// What the law's formula gives there.
    pub fn by_the_law(&self) -> f64 {
        let (rate, batch) = (8e-3, 2_048.0);
        let steps = self.tokens_per_parameter * self.parameters / batch;
        1.0 / (rate * steps * power_lines::best_timescale(self.tokens_per_parameter))
    }
}

/// The record beside the law's answer for a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IndependentRecord {
    /// The law's id.
    pub law: &'static str,
    /// λ of the law.
    pub lambda: f64,
    /// λ with the record's exponent, through the law's own value in the middle of the record.
    pub by_its_exponent: f64,
    /// What both span, a standard error of the exponent included.
    pub range: Range,
    /// Whether the run's tokens a parameter are among the record's.
    pub within: bool,
    /// Whether the law was tried below its range near this run: a run with fewer parameters, or
    /// fewer tokens each, than the law was fitted on.
    pub below: bool,
}

impl IndependentRecord {
    /// The record beside the answers about a run; absent where the law gives no number.
    pub(crate) fn of(run: &PlannedRun, answers: &[LawAnswer]) -> Option<Self> {
        let answered = answers.iter().find(|one| one.law.id == power_lines::LAW.id)?;
        let lambda = answered.answer.lambda()?;
        let ratio = run.tokens_per_parameter()?;
        let (fewest, most) = TOKENS_PER_PARAMETER;
        let tilt =
            |exponent: f64| (ratio / (fewest * most).sqrt()).powf(power_lines::EXPONENT - exponent);
        let (exponent, error) = EXPONENT;
        let ends = [exponent - error, exponent, exponent + error].map(|one| lambda * tilt(one));
        let low = ends.iter().copied().fold(lambda, f64::min);
        let high = ends.iter().copied().fold(lambda, f64::max);
        Some(IndependentRecord {
            law: answered.law.id,
            lambda,
            by_its_exponent: ends[1],
            range: Range { low, high },
            within: (fewest..=most).contains(&ratio),
            below: ratio < power_lines::TOKENS_PER_PARAMETER.0
                || run.parameters.is_some_and(|number| number < power_lines::PARAMETERS.0),
        })
    }

    /// What it says, in sentences.
    pub fn sentences(&self) -> Vec<String> {
        let (exponent, error) = EXPONENT;
        let (fewest, most) = TOKENS_PER_PARAMETER;
        let reach = match self.within {
            true => "as this run has",
            false => "which are not those of this run",
        };
        let costs = COSTS.map(|(factor, share)| {
            format!("a factor of {factor} costs {} of the loss", wd_page::number::percent(share))
        });
        let mut sentences = vec![
            format!(
                "17 grids that the law was not fitted on (Step Law, arXiv 2503.04715), at {} \
                 tokens a parameter, {reach}, have τ fall with the power {exponent} ± {error} of \
                 tokens a parameter; the law has {}. By their power λ would be {}, and by either \
                 within {}. They check the power alone, not the height: which λ they were trained \
                 with is not known for certain.",
                words::between(fewest, most),
                power_lines::EXPONENT,
                words::lambda(self.by_its_exponent),
                words::range(self.range)
            ),
            format!(
                "What an error costs, in the learning rate there, which moves ηλ as λ does: {}.",
                costs.join(", ")
            ),
        ];
        if self.below {
            sentences.push(format!(
                "Below its range the law has been tried once, at {} parameters and {} tokens each: \
                 its formula gives {}, and the best λ on two corpora lay at {}, so that it was too \
                 large by a factor of {} to {}.",
                words::short(BELOW.parameters),
                words::short(BELOW.tokens_per_parameter),
                words::lambda(BELOW.by_the_law()),
                words::range(BELOW.best),
                words::lambda(BELOW.by_the_law() / BELOW.best.high),
                words::lambda(BELOW.by_the_law() / BELOW.best.low)
            ));
        }
        sentences
    }
}
