//! A claim of the post with what was found about it.

use serde::{Deserialize, Serialize};
use wd_page::Supported;
use wd_statistics::{Interval, PairedDifference};

use crate::StudyError;

/// What the evidence makes of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The evidence bears it out.
    BorneOut,
    /// The evidence shows the contrary.
    Contradicted,
    /// The evidence is too weak to say.
    Undecided,
    /// It is a definition, or a formula: there is nothing to measure.
    Definition,
}

impl Verdict {
    /// Every verdict, in the order in which they are counted.
    pub const ALL: [Verdict; 4] =
        [Verdict::BorneOut, Verdict::Contradicted, Verdict::Undecided, Verdict::Definition];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::BorneOut => "borne out",
            Verdict::Contradicted => "contradicted",
            Verdict::Undecided => "undecided",
            Verdict::Definition => "definition",
        }
    }

    /// What one of two findings makes of a claim.
    pub(super) fn decided(borne_out: bool, contradicted: bool) -> Self {
        Supported::decided(borne_out, contradicted).into()
    }
}

impl From<Supported> for Verdict {
    fn from(supported: Supported) -> Self {
        match supported {
            Supported::Supported => Verdict::BorneOut,
            Supported::Contradicted => Verdict::Contradicted,
            Supported::Undecided => Verdict::Undecided,
        }
    }
}

/// One number of a finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measure {
    /// What it is.
    pub name: String,
    /// Its mean with its 95 % interval and the number of seeds or draws.
    pub interval: Interval,
}

/// What was found about a claim.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What the evidence makes of it.
    pub verdict: Verdict,
    /// The finding in words and numbers.
    pub found: String,
    /// The numbers behind the words.
    pub measures: Vec<Measure>,
    /// Where it is undecided: what would settle it.
    pub to_settle: Option<String>,
}

impl Finding {
    /// A definition, with what the library says of it.
    pub(super) fn definition(found: impl Into<String>) -> Self {
        Finding::new(Verdict::Definition, found)
    }

    /// A finding without numbers of its own.
    pub(super) fn new(verdict: Verdict, found: impl Into<String>) -> Self {
        Finding { verdict, found: found.into(), measures: Vec::new(), to_settle: None }
    }

    /// Nothing was measured.
    pub(super) fn missing(what: &str, settle: &str) -> Self {
        Finding::new(Verdict::Undecided, format!("Not measured: {what}.")).settled_by(settle)
    }

    /// The same with a number.
    pub(super) fn with(mut self, name: impl Into<String>, interval: Interval) -> Self {
        if interval.n > 0 {
            self.measures.push(Measure { name: name.into(), interval });
        }
        self
    }

    /// The same with what would settle it, where it is undecided.
    pub(super) fn settled_by(mut self, settle: impl Into<String>) -> Self {
        if self.verdict == Verdict::Undecided {
            self.to_settle = Some(settle.into());
        }
        self
    }

    /// The number of seeds or draws behind its numbers, the fewest; absent without numbers.
    pub fn n(&self) -> Option<usize> {
        self.measures.iter().map(|measure| measure.interval.n).min()
    }
}

/// Is a difference shown to lie on this side of zero, corrected where it is one of several?
pub(super) fn surely(difference: &PairedDifference, sign: f64) -> bool {
    let shown = match difference.adjusted_p {
        Some(_) => difference.holds_after_correction(),
        None => difference.significant,
    };
    shown && difference.interval.mean * sign > 0.0
}

/// How many more seeds a difference needs, for the words of `to_settle`.
pub(super) fn more_seeds(difference: &PairedDifference, command: &str) -> String {
    match difference.more_seeds {
        Some(more) => format!(
            "`{command} --seeds {}`: about {more} more seeds for this effect and spread",
            difference.interval.n as u64 + more
        ),
        None => format!("`{command} --seeds 5`: more seeds"),
    }
}

/// A claim: its number, its words, and what was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClaimRow {
    /// Its number, in the order of the post.
    pub number: u32,
    /// What the post says.
    pub says: String,
    /// What was done.
    pub done: String,
    /// The command that shows it.
    pub command: String,
    /// What was found.
    #[serde(flatten)]
    pub finding: Finding,
}

/// Claims that stand together in the post.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// What they are about.
    pub heading: String,
    /// In the order of the post.
    pub rows: Vec<ClaimRow>,
}

/// `claims.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    pub(super) parts: Vec<PartWords>,
}

/// A part of `claims.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PartWords {
    pub(super) heading: String,
    pub(super) claims: Vec<ClaimWords>,
}

/// A claim of `claims.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClaimWords {
    pub(super) number: u32,
    pub(super) says: String,
    pub(super) done: String,
    pub(super) command: String,
}

impl Words {
    /// Reads the words that the program carries along.
    pub(super) fn read() -> Result<Self, StudyError> {
        toml::from_str(include_str!("claims.toml")).map_err(|error| StudyError::Shipped {
            file: "crates/studies/src/claims/claims.toml",
            problem: error.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_post_has_31_claims_in_order() {
        let words = Words::read().expect("the shipped words");
        let claims = words.parts.iter().flat_map(|part| &part.claims);
        let numbers: Vec<u32> = claims.clone().map(|claim| claim.number).collect();
        assert_eq!(numbers, (1..=31).collect::<Vec<u32>>());
        for claim in claims {
            assert!(claim.command.starts_with("wd "), "{}", claim.number);
            assert!(!claim.says.is_empty() && !claim.done.is_empty(), "{}", claim.number);
        }
    }

    #[test]
    fn only_what_is_undecided_has_something_to_settle_it() {
        let open = Finding::new(Verdict::Undecided, "x").settled_by("more");
        assert_eq!(open.to_settle.as_deref(), Some("more"));
        let closed = Finding::new(Verdict::BorneOut, "x").settled_by("more");
        assert_eq!(closed.to_settle, None);
    }
}
