//! An advice with what was asked beside it: another library's λ, and a configuration's.

use serde::Serialize;
use wd_decay::DecayRule;
use wd_page::words::quoted;

use crate::{Advice, TargetLambda};

/// An advice, the same λ in another library, and the command that checks or settles it.
#[derive(Debug, Clone, Serialize)]
pub struct AdviceReport {
    /// What the laws say.
    pub advice: Advice,
    /// The recommendation as another library writes it.
    pub target: Option<TargetLambda>,
    /// λ of the configuration that was asked about, and its rule.
    #[serde(skip)]
    pub configured: Option<(f64, DecayRule)>,
    /// How `wd sweep` begins: the configuration, and settings that give λ the meaning it has here.
    #[serde(skip)]
    pub sweep: Vec<String>,
}

impl AdviceReport {
    /// An advice alone.
    pub fn new(advice: Advice) -> Self {
        let sweep = vec!["wd sweep CONFIG.toml".to_owned()];
        AdviceReport { advice, target: None, configured: None, sweep }
    }

    /// The command that checks or settles the answer, ready to paste; absent where no law comes
    /// near the run.
    pub fn sweep_command(&self) -> Option<String> {
        let axis = &self.advice.sweep.as_ref()?.axis;
        Some(format!("{} {} run.seed=0..2", self.sweep.join(" "), quoted(axis)))
    }
}
