//! The warnings there are.

use wd_decay::{DecayRule, ScheduleKind};

/// A warning: a variant says what was found; [`Warning::reason`] and [`Warning::fix`] put it in
/// words.
#[derive(Debug, Clone, PartialEq)]
pub enum Warning {
    /// λ (or the learning rate) was not typed: it is the library's default.
    LibraryDefault {
        /// `weight_decay` or `lr`.
        key: &'static str,
        /// The default.
        value: f64,
        /// Whose.
        library: String,
    },
    /// λ = 0.
    NothingDecays,
    /// η = 0, and with it every shrink.
    NothingMoves,
    /// A step takes off more than the whole weight.
    Overshoots {
        /// The peak shrink.
        shrink: f64,
        /// What the same decay would be written as in a rule that multiplies by η.
        rule: DecayRule,
    },
    /// w(1 − s) rounds back to w in bf16.
    LostInBf16 {
        /// The peak shrink.
        peak_shrink: f64,
        /// Share of the decaying steps that do nothing.
        share_of_steps: f64,
    },
    /// η(u + λw) is added at once and rounded to bf16, the decay with the update.
    RoundedWithUpdate {
        /// The peak shrink.
        peak_shrink: f64,
        /// Share of the decaying steps whose decay alone would round away.
        share_of_steps: f64,
    },
    /// w(1 − s) rounds back to w in f32 too, throughout the run.
    LostInF32 {
        /// The peak shrink.
        peak_shrink: f64,
        /// λ, for the fix.
        lambda: f64,
    },
    /// Near that floor 1 − s is so coarse that λ acts as another.
    CoarseInF32 {
        /// The peak shrink.
        peak_shrink: f64,
        /// Share of the decaying steps that do nothing.
        share_of_steps: f64,
        /// λ, for the fix.
        lambda: f64,
    },
    /// κ ≪ 1: the run is over before the decay did anything.
    Inert {
        /// κ.
        kappa: f64,
        /// λ, for the fix.
        lambda: f64,
    },
    /// τ is so short that the weights remember only the end of the data.
    ForgetsItsData {
        /// κ.
        kappa: f64,
        /// τ as a share of the run.
        tau_fraction: f64,
        /// τ in epochs, for a run of several.
        tau_epochs: Option<f64>,
        /// The least τ in epochs that was found good on such data.
        least_epochs: f64,
        /// λ, for the fix.
        lambda: f64,
        /// The rule, for the fix.
        rule: DecayRule,
    },
    /// The warm-up is the whole run, and no schedule follows it.
    OnlyWarmup {
        /// Steps.
        steps: u64,
        /// The schedule that does not happen.
        kind: ScheduleKind,
    },
    /// λ under a learning rate that never falls.
    ConstantLearningRate,
    /// Coupled L2 whose gradient an adaptive optimizer rescales.
    CoupledUnderAdaptive {
        /// The optimizer.
        name: String,
    },
    /// Norm gains and biases decay.
    NormsAndBiasesDecay {
        /// Which tensors decay, in words.
        decayed: String,
    },
    /// Rows of an embedding that no batch touches decay all the same.
    UnusedRowsDecay {
        /// What is left of such a row at the end.
        share_left: f64,
    },
    /// The learning rate follows a schedule that λ does not.
    ScheduleIgnored {
        /// η_t/η_max at the end.
        last_factor: f64,
        /// Name of the rule.
        rule: DecayRule,
    },
}

impl Warning {
    /// The variant's name, for programs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Warning::LibraryDefault { .. } => "library-default",
            Warning::NothingDecays => "nothing-decays",
            Warning::NothingMoves => "nothing-moves",
            Warning::Overshoots { .. } => "overshoots",
            Warning::LostInBf16 { .. } => "lost-in-bf16",
            Warning::RoundedWithUpdate { .. } => "rounded-with-update",
            Warning::LostInF32 { .. } => "lost-in-f32",
            Warning::CoarseInF32 { .. } => "coarse-in-f32",
            Warning::Inert { .. } => "inert",
            Warning::ForgetsItsData { .. } => "forgets-its-data",
            Warning::OnlyWarmup { .. } => "only-warmup",
            Warning::ConstantLearningRate => "constant-learning-rate",
            Warning::CoupledUnderAdaptive { .. } => "coupled-under-adaptive",
            Warning::NormsAndBiasesDecay { .. } => "norms-and-biases-decay",
            Warning::UnusedRowsDecay { .. } => "unused-rows-decay",
            Warning::ScheduleIgnored { .. } => "schedule-ignored",
        }
    }
}
