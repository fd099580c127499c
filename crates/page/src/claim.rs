//! A claim, and what was found about it.

use serde::Serialize;

/// Does the evidence bear a claim out?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Supported {
    /// It does.
    Supported,
    /// It shows the contrary.
    Contradicted,
    /// It is too weak to say.
    Undecided,
}

impl Supported {
    /// What one of two findings makes of a claim; neither may follow from the evidence.
    pub const fn decided(supported: bool, contradicted: bool) -> Self {
        match (supported, contradicted) {
            (true, _) => Supported::Supported,
            (false, true) => Supported::Contradicted,
            (false, false) => Supported::Undecided,
        }
    }

    /// The word that marks a claim.
    pub const fn name(self) -> &'static str {
        match self {
            Supported::Supported => "supported",
            Supported::Contradicted => "contradicted",
            Supported::Undecided => "undecided",
        }
    }
}

/// One claim, and what was found about it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Claim {
    /// The claim, in words.
    pub claim: String,
    /// What was found, with numbers, intervals and n.
    pub finding: String,
    /// Which way the evidence points.
    pub supported: Supported,
}
