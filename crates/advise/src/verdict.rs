//! What follows from the answers of all laws.

use serde::Serialize;

use crate::{Answer, Law, Range};

/// A law and its answer.
#[derive(Debug, Clone, Serialize)]
pub struct LawAnswer {
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
/// Laws *agree* when the ranges of all that apply have a part in common. That part is then the
/// recommended range, and its geometric mean the recommended λ. A law's own range is the published
/// one where there is one, and [`Range::around`] its λ where there is not.
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
        /// The departures that keep the laws away which come nearest; none where only inputs are
        /// missing.
        why: Vec<String>,
        /// Inputs with which another law would answer.
        needs: Vec<String>,
    },
}

impl Verdict {
    /// What follows from the answers of all laws.
    pub(crate) fn of(answers: &[LawAnswer]) -> Self {
        let mut positions: Vec<Position> = answers
            .iter()
            .filter_map(|LawAnswer { law, answer }| {
                let (lambda, range) = answer.applies()?;
                Some(Position { law: law.id, lambda, range })
            })
            .collect();
        let Some(first) = positions.first() else {
            return not_covered(answers);
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
}

fn not_covered(answers: &[LawAnswer]) -> Verdict {
    let mut needs: Vec<String> = Vec::new();
    let mut departures: Vec<(usize, &str, &[String])> = Vec::new();
    for LawAnswer { law, answer } in answers {
        match answer {
            // The fewer departures, the nearer the law; one that gives a number is nearer than one
            // that gives none.
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
        why: reasons.into_iter().map(|(reason, names)| said_of(&names, reason)).collect(),
        needs,
    }
}

/// A reason with the laws that it keeps away; more than three are counted.
fn said_of(names: &[&str], reason: &str) -> String {
    match (names, reason.strip_prefix("it was established")) {
        ([_, _, _, _, ..], Some(rest)) => {
            format!("{} laws were established{rest}", names.len())
        }
        ([_, _, _, _, ..], None) => format!("{} laws: {reason}", names.len()),
        (few, _) => format!("{}: {reason}", few.join(", ")),
    }
}
