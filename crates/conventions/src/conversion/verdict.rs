//! What running both sides of a conversion found.

use std::fmt;

use serde::{Deserialize, Serialize};
use wd_page::number::short;

/// Relative distance below which two trajectories in double precision are the same.
const TOLERANCE: f64 = 1e-6;

/// What running both sides found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Verdict {
    /// Both ran.
    Compared {
        /// Largest relative distance of the weights over the steps, or of the fitted coefficients.
        distance: f64,
        /// Whether the conversion claims to be exact.
        exact: bool,
        /// Libraries and versions that ran.
        versions: [String; 2],
    },
    /// A library is not installed.
    Missing {
        /// Which.
        library: String,
    },
    /// There is nothing to run, and why.
    NotRun {
        /// Why.
        reason: String,
    },
}

impl Verdict {
    /// Nothing was run, for this reason.
    pub fn not_run(reason: impl Into<String>) -> Self {
        Verdict::NotRun { reason: reason.into() }
    }

    /// Whether a conversion that claims to be exact is not.
    pub fn refutes(&self) -> bool {
        matches!(self, Verdict::Compared { distance, exact: true, .. } if *distance > TOLERANCE)
    }

    /// For a table's cell.
    pub fn brief(&self) -> String {
        match self {
            Verdict::Compared { .. } if self.refutes() => {
                format!("DIFFERS: {}", short(self.distance()))
            }
            Verdict::Compared { distance, .. } => {
                format!("within {}", short(*distance))
            }
            Verdict::Missing { library } => format!("no {library}"),
            Verdict::NotRun { .. } => "–".to_owned(),
        }
    }

    fn distance(&self) -> f64 {
        match self {
            Verdict::Compared { distance, .. } => *distance,
            _ => 0.0,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Compared { distance, exact, versions } => write!(
                formatter,
                "{} against {}: {} by at most {} of the weights' norm",
                versions[0],
                versions[1],
                match (self.refutes(), exact) {
                    (true, _) => "they should agree, and DIFFER",
                    (false, true) => "they agree, and differ",
                    (false, false) => "they differ",
                },
                short(*distance)
            ),
            Verdict::Missing { library } => {
                write!(formatter, "not run: {library} is not installed in this Python")
            }
            Verdict::NotRun { reason } => write!(formatter, "not run: {reason}"),
        }
    }
}

/// What a run of one side gave.
#[derive(Debug, Deserialize)]
pub struct Side {
    /// The weights of every step, or of every fit; absent where it did not run.
    pub weights: Option<Vec<Vec<f64>>>,
    /// Library and version that ran.
    pub version: Option<String>,
    /// The library that is not installed.
    pub missing: Option<String>,
    /// Why there is nothing to run.
    pub unsupported: Option<String>,
}

impl Verdict {
    /// The verdict on two sides that were run.
    pub fn on(source: &Side, target: &Side, exact: bool) -> Self {
        for side in [source, target] {
            if let Some(library) = &side.missing {
                return Verdict::Missing { library: library.clone() };
            }
            if let Some(reason) = &side.unsupported {
                return Verdict::not_run(reason);
            }
        }
        let (Some(left), Some(right)) = (&source.weights, &target.weights) else {
            return Verdict::not_run("the run gave no weights");
        };
        if left.len() != right.len()
            || left.iter().zip(right).any(|(left, right)| left.len() != right.len())
        {
            return Verdict::not_run("the two sides have other shapes");
        }
        let norm = |values: &mut dyn Iterator<Item = f64>| {
            values.map(|value| value * value).sum::<f64>().sqrt()
        };
        let distance = left
            .iter()
            .zip(right)
            .map(|(left, right)| {
                let apart = norm(&mut left.iter().zip(right).map(|(left, right)| left - right));
                apart / norm(&mut left.iter().copied()).max(f64::MIN_POSITIVE)
            })
            .fold(0.0, f64::max);
        let version = |side: &Side| side.version.clone().unwrap_or_default();
        Verdict::Compared { distance, exact, versions: [version(source), version(target)] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(weights: &[f64]) -> Side {
        Side {
            weights: Some(vec![vec![1.0, 1.0], weights.to_vec()]),
            version: Some("torch 2.15.0".to_owned()),
            missing: None,
            unsupported: None,
        }
    }

    #[test]
    fn an_exact_answer_is_refuted_by_another_trajectory() {
        let verdict =
            |weights: &[f64], exact| Verdict::on(&side(&[3.0, 4.0]), &side(weights), exact);
        let near = verdict(&[3.0, 4.0 + 1e-9], true);
        assert!(!near.refutes());
        let far = verdict(&[3.0, 4.5], true);
        assert!(far.refutes());
        // 0.5 against a norm of 5.
        assert_eq!(far.brief(), "DIFFERS: 0.1");
        assert!(!verdict(&[3.0, 4.5], false).refutes());
        assert!(matches!(verdict(&[3.0], true), Verdict::NotRun { .. }));
    }

    #[test]
    fn a_missing_library_is_named() {
        let missing = Side {
            weights: None,
            version: None,
            missing: Some("optax".to_owned()),
            unsupported: None,
        };
        let verdict = Verdict::on(&side(&[1.0, 1.0]), &missing, true);
        assert_eq!(verdict.to_string(), "not run: optax is not installed in this Python");
    }
}
