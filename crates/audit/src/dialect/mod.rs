//! What a configuration declares, read as its trainer reads it: nanoGPT, Hugging Face, OLMo …

use std::path::PathBuf;

use serde::Serialize;
use wd_decay::{Declared, OptimizerKind, Schedule};

/// What a configuration says of weight decay and of what λ is multiplied with.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Declaration {
    /// The trainer whose configuration this is, for example `nanoGPT`.
    pub dialect: &'static str,
    /// The file, or the checkpoint that holds it.
    pub file: PathBuf,
    /// Line of λ, from 1, where the configuration is text.
    pub line: Option<usize>,
    /// Key of λ as written, for example `optimizer.weight_decay`.
    pub lambda_key: Option<String>,
    /// λ as written, or the trainer's default.
    pub lambda: Option<Declared>,
    /// λ as the trainer hands it to the optimizer: `lambda` times a batch over a nominal batch …
    pub applied_lambda: Option<f64>,
    /// How `applied_lambda` came from `lambda`, where they differ: one clause.
    pub scaling: Option<String>,
    /// λ at the end of the run where it follows a schedule of its own.
    pub final_lambda: Option<f64>,
    /// Peak learning rate.
    pub rate: Option<Declared>,
    /// Learning-rate schedule, where its form and length are known.
    pub schedule: Option<Schedule>,
    /// Optimizer, and whether its decay is decoupled from the gradient, as the trainer builds it.
    pub optimizer: Option<OptimizerKind>,
    /// Name of the optimizer as written.
    pub optimizer_name: Option<String>,
    /// Whether decay is decoupled.
    pub decoupled: Option<bool>,
    /// Whether the step's shrink is λ itself and not λ times the rate (Composer's, for example).
    pub is_independent_of_rate: bool,
    /// β₁ and β₂.
    pub betas: Option<(f64, f64)>,
    /// Momentum.
    pub momentum: Option<f64>,
    /// Sequences or images a step, all devices and accumulation included.
    pub batch: Option<f64>,
    /// Steps of the whole run.
    pub steps: Option<u64>,
    /// Tokens in a sequence, where the data are text.
    pub sequence: Option<f64>,
    /// Passes over the data, where the configuration counts them.
    pub epochs: Option<f64>,
    /// Standard deviation of the initial weights (`initializer_range`).
    pub init_std: Option<f64>,
    /// λ of groups of their own, by what they hold: `norm`, `bias`, a pattern of names.
    pub groups: Vec<(String, f64)>,
    /// Weights in bf16 without a 32-bit copy, where the configuration says so.
    pub is_pure_bf16: Option<bool>,
    /// Keys near `decay`, `wd` or `l2` that were seen and not read.
    pub unread: Vec<String>,
    /// Rules that the configuration asks to ignore, by `# wd: ignore[S01]`.
    pub ignored: Vec<String>,
}
