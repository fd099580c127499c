//! What the laws say together.

use serde::Serialize;

use crate::elsewhere::{self, Elsewhere};
use crate::recipes::{self, Standing};
use crate::{Answer, Law, PlannedRun, Range, laws, words};

/// A law and its answer.
#[derive(Debug, Clone, Serialize)]
pub struct Judged {
    /// The law.
    #[serde(flatten)]
    pub law: Law,
    /// What it says about the run.
    pub answer: Answer,
}

/// Where a law stands in a disagreement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Position {
    /// The law's id.
    pub law: &'static str,
    /// Its λ.
    pub lambda: f64,
    /// Its range.
    pub range: Range,
}

/// What follows from all answers.
///
/// Laws *agree* when the ranges of all that apply have a part in common. That part is then the recommended range,
/// and its geometric mean the recommended λ. A law's own range is the published one where there is one, and
/// [`Range::around`] its λ where there is not.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Verdict {
    /// All laws that apply agree.
    Recommended {
        /// λ.
        lambda: f64,
        /// Where they all agree.
        range: Range,
        /// Their ids.
        laws: Vec<&'static str>,
    },
    /// Laws that apply contradict each other.
    Disagreement {
        /// Each of them, by λ.
        positions: Vec<Position>,
        /// Largest λ over smallest.
        factor: f64,
    },
    /// No law applies.
    NotCovered {
        /// The departures that keep the laws away which come nearest; none where only inputs are missing.
        why: Vec<String>,
        /// Inputs with which another law would answer.
        needs: Vec<String>,
    },
}

/// Values of λ to train with, as an axis of `wd sweep`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sweep {
    /// The axis, for example `decay.lambda=log(0.1..1.6,5)`.
    pub axis: String,
    /// The smallest value.
    pub low: f64,
    /// The largest value.
    pub high: f64,
    /// How many there are.
    pub count: usize,
}

/// The whole answer about a run.
#[derive(Debug, Clone, Serialize)]
pub struct Advice {
    /// The run.
    pub run: PlannedRun,
    /// Every law, in the order of [`laws::ALL`].
    pub laws: Vec<Judged>,
    /// What they say together.
    pub verdict: Verdict,
    /// The sweep that checks or settles it; absent where no law comes near the run.
    pub sweep: Option<Sweep>,
    /// λ at other batches, budgets, models and widths.
    pub elsewhere: Vec<Elsewhere>,
    /// The public recipes nearest to this run.
    pub recipes: Vec<Standing>,
}

/// Asks every law about a run.
pub fn advise(run: &PlannedRun) -> Advice {
    let judged: Vec<Judged> =
        laws::ALL.iter().map(|law| Judged { law: *law, answer: (law.answer)(run) }).collect();
    let verdict = verdict(&judged);
    let sweep = sweep(&judged, &verdict);
    let elsewhere = elsewhere::tables(run, &judged, &verdict);
    Advice {
        run: run.clone(),
        sweep,
        elsewhere,
        recipes: recipes::nearest(run, 3),
        laws: judged,
        verdict,
    }
}

fn verdict(judged: &[Judged]) -> Verdict {
    let mut positions: Vec<Position> = judged
        .iter()
        .filter_map(|Judged { law, answer }| {
            let (lambda, range) = answer.applies()?;
            Some(Position { law: law.id, lambda, range })
        })
        .collect();
    let Some(first) = positions.first() else {
        return not_covered(judged);
    };
    let common = positions[1..]
        .iter()
        .try_fold(first.range, |common, position| common.overlap(position.range));
    if let Some(range) = common {
        return Verdict::Recommended {
            lambda: range.middle(),
            range,
            laws: positions.iter().map(|position| position.law).collect(),
        };
    }
    positions.sort_by(|left, right| left.lambda.total_cmp(&right.lambda));
    let factor = positions[positions.len() - 1].lambda / positions[0].lambda;
    Verdict::Disagreement { positions, factor }
}

fn not_covered(judged: &[Judged]) -> Verdict {
    let mut needs: Vec<String> = Vec::new();
    let mut departures: Vec<(usize, &str, &[String])> = Vec::new();
    for Judged { law, answer } in judged {
        match answer {
            // The fewer departures, the nearer the law; one that gives a number is nearer than one that gives none.
            Answer::OutsideRange { why, lambda } => {
                let distance = why.len() + if lambda.is_some() { 0 } else { 100 };
                departures.push((distance, law.name, why));
            }
            Answer::Needs { what } => {
                for input in what {
                    if !needs.contains(input) {
                        needs.push(input.clone());
                    }
                }
            }
            Answer::Applies { .. } | Answer::Instead { .. } => {}
        }
    }
    let nearest = departures.iter().map(|(distance, ..)| *distance).min();
    let mut reasons: Vec<(&String, Vec<&str>)> = Vec::new();
    for (distance, name, why) in &departures {
        for reason in why.iter().filter(|_| Some(*distance) == nearest) {
            match reasons.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, names)) => names.push(name),
                None => reasons.push((reason, vec![name])),
            }
        }
    }
    Verdict::NotCovered {
        why: reasons
            .into_iter()
            .map(|(reason, names)| format!("{}: {reason}", names.join(", ")))
            .collect(),
        needs,
    }
}

/// Two significant digits: as fine as λ is ever tuned.
fn coarse(value: f64) -> f64 {
    format!("{value:.1e}").parse().unwrap_or(value)
}

fn sweep(judged: &[Judged], verdict: &Verdict) -> Option<Sweep> {
    let (low, high) = match verdict {
        // One step of a factor of two either side tells whether the recommendation is at an optimum.
        Verdict::Recommended { lambda, range, .. } => {
            ((0.5 * lambda).min(range.low), (2.0 * lambda).max(range.high))
        }
        Verdict::Disagreement { positions, .. } => (
            positions.iter().map(|position| position.lambda).fold(f64::INFINITY, f64::min),
            positions.iter().map(|position| position.lambda).fold(0.0, f64::max),
        ),
        // Only a law that the run leaves in a single respect is near enough to search around.
        Verdict::NotCovered { .. } => {
            let numbers: Vec<f64> = judged
                .iter()
                .filter_map(|one| match &one.answer {
                    Answer::OutsideRange { why, lambda } if why.len() == 1 => *lambda,
                    _ => None,
                })
                .collect();
            let low = numbers.iter().copied().reduce(f64::min)?;
            (0.5 * low, 2.0 * numbers.into_iter().fold(low, f64::max))
        }
    };
    let (low, high) = (coarse(low), coarse(high));
    // Steps of about two, as λ is tuned, and no more runs than a person would start unasked.
    let count = ((high / low).log2().round() as usize + 1).clamp(3, 7);
    Some(Sweep {
        axis: format!("decay.lambda=log({}..{},{count})", words::short(low), words::short(high)),
        low,
        high,
        count,
    })
}
