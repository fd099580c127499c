//! What is likely to be otherwise than the person who typed λ thinks.

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::course::Course;
use super::subject::Subject;
use crate::library::Optimizer;
use wd_decay::{DecayRule, Dtype, ScheduleKind};
use wd_page::counted;
use wd_page::number::{share, short};

/// κ below which a decay is called inert: it takes less than a twentieth off weights that no
/// gradient moves.
const INERT_KAPPA: f64 = 0.05;

/// τ as a share of the run below which a single pass is said to forget its data: Power Lines' best
/// τ at 1280 tokens a parameter, the most that was measured (1.084 × 1280^−0.527 = 0.025; Bergsma
/// et al. 2025, arXiv 2505.13738).
const FORGETFUL_TAU: f64 = 0.025;

/// The commonest way to a decay far too strong.
const COPIED_ACROSS_CONVENTIONS: &str = "was λ copied from a library that multiplies it by the \
    learning rate? Here it would be that λ × η_max (`wd convert`)";

/// Share of a row that has to decay away before unused rows are worth a warning.
const ROW_LOSS: f64 = 0.1;

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
        /// λ, for the fix.
        lambda: f64,
        /// The rule, for the fix.
        rule: DecayRule,
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
    /// Every warning that a subject calls for, gravest first.
    pub(super) fn of(subject: &Subject, course: Option<&Course>) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let run = &subject.run;
        if subject.lambda.value == 0.0 {
            warnings.push(Warning::NothingDecays);
        }
        if subject.lambda.default {
            warnings.push(Warning::LibraryDefault {
                key: "weight_decay",
                value: subject.lambda.value,
                library: subject.name.clone(),
            });
        }
        if let Some(rate) = run.peak_learning_rate.filter(|rate| rate.default) {
            warnings.push(Warning::LibraryDefault {
                key: "lr",
                value: rate.value,
                library: subject.name.clone(),
            });
        }
        let Some(rule) = subject.rule().filter(|_| subject.lambda.value != 0.0) else {
            return warnings;
        };
        let peak_shrink = subject.peak_shrink().unwrap_or(0.0);
        if peak_shrink == 0.0 && run.peak_learning_rate.is_some_and(|rate| rate.value == 0.0) {
            warnings.push(Warning::NothingMoves);
            return warnings;
        }
        if peak_shrink >= 1.0 {
            warnings.push(Warning::Overshoots { shrink: peak_shrink, rule });
        }
        let shares = course.map(|course| course.share_of_steps_below_bf16);
        // Coupled L2 is a part of the update, and is rounded with it.
        if run.dtype == Dtype::Bf16 && rule != DecayRule::CoupledL2 {
            let at_peak = f64::from(u8::from(peak_shrink < super::course::BF16_LEAST_SHRINK));
            let share_of_steps = shares.unwrap_or(at_peak);
            if peak_shrink > 0.0 && share_of_steps > 0.0 {
                warnings.push(if subject.stores_shrunk_weights {
                    Warning::LostInBf16 { peak_shrink, share_of_steps }
                } else {
                    Warning::RoundedWithUpdate { peak_shrink, share_of_steps }
                });
            }
        }
        let adaptive = matches!(
            subject.optimizer,
            Optimizer::Adam
                | Optimizer::NAdam
                | Optimizer::RAdam
                | Optimizer::Adafactor
                | Optimizer::Lion
                | Optimizer::Muon
        );
        if rule == DecayRule::CoupledL2 && adaptive {
            warnings.push(Warning::CoupledUnderAdaptive { name: subject.name.clone() });
        }
        let timescale = course.and_then(|course| course.timescale);
        if let Some(timescale) = timescale {
            warnings.extend(of_length(subject, rule, timescale.kappa, timescale.tau_fraction));
        }
        let kind = run.schedule.map(|schedule| schedule.kind);
        let one_pass = run.epochs.is_none_or(|epochs| epochs <= 1.0);
        if kind == Some(ScheduleKind::Constant) && one_pass {
            warnings.push(Warning::ConstantLearningRate);
        }
        if let Some(schedule) = run.schedule
            && rule == DecayRule::Constant
            && schedule.kind != ScheduleKind::Constant
            && subject.lambda_schedule.is_none()
        {
            warnings.push(Warning::ScheduleIgnored {
                last_factor: schedule.factor(schedule.steps.saturating_sub(1)),
                rule,
            });
        }
        if subject.decayed.norms_and_biases {
            warnings.push(Warning::NormsAndBiasesDecay {
                decayed: subject.decayed.description.clone(),
            });
        }
        if let Some(timescale) = timescale
            && subject.decayed.embeddings
            && timescale.initial_share <= 1.0 - ROW_LOSS
        {
            warnings.push(Warning::UnusedRowsDecay { share_left: timescale.initial_share });
        }
        warnings
    }

    /// The variant's name, for programs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Warning::LibraryDefault { .. } => "library-default",
            Warning::NothingDecays => "nothing-decays",
            Warning::NothingMoves => "nothing-moves",
            Warning::Overshoots { .. } => "overshoots",
            Warning::LostInBf16 { .. } => "lost-in-bf16",
            Warning::RoundedWithUpdate { .. } => "rounded-with-update",
            Warning::Inert { .. } => "inert",
            Warning::ForgetsItsData { .. } => "forgets-its-data",
            Warning::ConstantLearningRate => "constant-learning-rate",
            Warning::CoupledUnderAdaptive { .. } => "coupled-under-adaptive",
            Warning::NormsAndBiasesDecay { .. } => "norms-and-biases-decay",
            Warning::UnusedRowsDecay { .. } => "unused-rows-decay",
            Warning::ScheduleIgnored { .. } => "schedule-ignored",
        }
    }

    /// What is the matter.
    pub fn reason(&self) -> String {
        match self {
            Warning::LibraryDefault {
                key,
                value,
                library,
            } => format!(
                "{key} was not given: {} is the default of {library}, and other libraries have others",
                short(*value)
            ),
            Warning::NothingDecays => "λ = 0: nothing decays".to_owned(),
            Warning::NothingMoves => {
                "the learning rate is 0: no step moves a weight, and none decays".to_owned()
            }
            Warning::Overshoots { shrink, rule } => format!(
                "a step takes {} times the weight off: it changes sign{}. The rule is {}, {}",
                short(*shrink),
                if *shrink >= 2.0 { " and grows without bound" } else { "" },
                rule.name(),
                rule.equation()
            ),
            Warning::LostInBf16 {
                peak_shrink,
                share_of_steps,
            } => format!(
                "bf16 weights have 8 significant bits: where a step shrinks by less than 2⁻⁹ = 0.00195, w(1 − s) rounds back to w. \
                 The largest shrink here is {}; {} of the decaying steps do nothing. κ and the predicted RMS are those of exact \
                 arithmetic",
                short(*peak_shrink),
                share(*share_of_steps)
            ),
            Warning::RoundedWithUpdate {
                peak_shrink,
                share_of_steps,
            } => format!(
                "bf16 weights have 8 significant bits, and η(u + λw) is rounded to their grid as one sum: the decay acts only where \
                 it changes how that sum rounds. Alone it would round away in {} of the decaying steps, where it is below 2⁻⁹ = \
                 0.00195 of the weight (the largest shrink here is {}). κ and the predicted RMS are those of exact arithmetic",
                share(*share_of_steps),
                short(*peak_shrink)
            ),
            Warning::Inert { kappa, .. } => format!(
                "κ = {}: over the whole run the decay takes {} off weights that no gradient moves",
                short(*kappa),
                share(-(-kappa).exp_m1())
            ),
            Warning::ForgetsItsData {
                kappa,
                tau_fraction,
                tau_epochs,
                ..
            } => match tau_epochs {
                Some(epochs) => format!(
                    "τ = {}: the weights average over less than one pass, so that the order of the data within it matters \
                     (κ = {}; Wang & Aitchison 2024 find the best τ between 1 epoch and the whole run)",
                    counted(short(*epochs), "epoch"),
                    short(*kappa)
                ),
                None => format!(
                    "τ is {} of the run (κ = {}): the weights remember only the last few τ of a single pass, and forget the rest of its data",
                    share(*tau_fraction),
                    short(*kappa)
                ),
            },
            Warning::ConstantLearningRate => {
                "the learning rate never falls: in one pass over text λ was then measured to raise only the effective learning rate, \
                 and with it the raw training loss; its gain showed when the rate decayed (D'Angelo et al. 2024). No law was \
                 fitted for constant rates, nor was this measured elsewhere"
                    .to_owned()
            }
            Warning::CoupledUnderAdaptive { name } => format!(
                "{name} adds λw to the gradient and then rescales it with the gradient: weights with large gradients hardly decay, \
                 and λ does not set the rate (Loshchilov & Hutter 2019, section 2)"
            ),
            Warning::NormsAndBiasesDecay { decayed } => {
                format!("norm gains and biases decay too: {decayed}")
            }
            Warning::UnusedRowsDecay { share_left } => format!(
                "an embedding row that no batch touches has no gradient but decays all the same: {} of it is left at the end",
                share(*share_left)
            ),
            Warning::ScheduleIgnored { last_factor, rule } => format!(
                "the {} rule decays as much in the last step as at the peak, while the learning rate falls to {} of it: decay outweighs learning at the end",
                rule.name(),
                share(*last_factor)
            ),
        }
    }

    /// What to do about it.
    pub fn fix(&self) -> String {
        match self {
            Warning::LibraryDefault { key, .. } => format!("say it: {key}=…"),
            Warning::NothingDecays => "give weight_decay=… if decay is meant".to_owned(),
            Warning::NothingMoves => "give the peak of the learning rate: lr=…".to_owned(),
            Warning::Overshoots { rule, .. } => match rule {
                DecayRule::Independent | DecayRule::Constant => COPIED_ACROSS_CONVENTIONS.to_owned(),
                _ => "lower λ or the learning rate until η λ ≪ 1".to_owned(),
            },
            Warning::RoundedWithUpdate { .. } => {
                "keep f32 master weights, or round stochastically".to_owned()
            }
            Warning::LostInBf16 { .. } => {
                "keep f32 master weights, round stochastically, or use a fused kernel that adds decay and update before it rounds"
                    .to_owned()
            }
            Warning::Inert { kappa, lambda } if !(lambda / kappa).is_finite() => {
                "no λ changes that: raise the learning rate".to_owned()
            }
            Warning::Inert { kappa, lambda } => format!(
                "λ = {} would give κ = 1; if the weights should stay near their start (fine-tuning), decay to the start instead; \
                 else leave λ out of the search",
                short(lambda / kappa)
            ),
            Warning::ForgetsItsData {
                tau_fraction,
                tau_epochs,
                lambda,
                rule,
                ..
            } => {
                let fix = match tau_epochs {
                    Some(epochs) => format!("λ = {} gives τ = 1 epoch", short(lambda * epochs)),
                    None => format!(
                        "λ = {} gives τ = {} of the run",
                        short(lambda * tau_fraction / FORGETFUL_TAU),
                        share(FORGETFUL_TAU)
                    ),
                };
                match rule {
                    DecayRule::Independent | DecayRule::Constant => {
                        format!("{fix}; {COPIED_ACROSS_CONVENTIONS}")
                    }
                    _ => fix,
                }
            }
            Warning::ConstantLearningRate => {
                "let the rate fall (cosine, linear, wsd), or judge λ after a short anneal".to_owned()
            }
            Warning::CoupledUnderAdaptive { .. } => {
                "use the decoupled form (AdamW); its λ is another number, about this one divided by the gradients' RMS"
                    .to_owned()
            }
            Warning::NormsAndBiasesDecay { .. } => {
                "give them a group of their own with λ = 0, unless that is meant".to_owned()
            }
            Warning::UnusedRowsDecay { .. } => {
                "exclude the embedding from decay, or decay only the rows of the batch".to_owned()
            }
            Warning::ScheduleIgnored { .. } => {
                "use the independent rule, whose decay follows the schedule, or give λ the schedule too".to_owned()
            }
        }
    }
}

/// Warnings about κ and τ.
fn of_length(
    subject: &Subject,
    rule: DecayRule,
    kappa: f64,
    tau_fraction: Option<f64>,
) -> Option<Warning> {
    let lambda = subject.lambda.value;
    if kappa < INERT_KAPPA {
        return Some(Warning::Inert { kappa, lambda });
    }
    let tau_fraction = tau_fraction?;
    let epochs = subject.run.epochs.filter(|epochs| *epochs > 1.0);
    let tau_epochs = epochs.map(|epochs| tau_fraction * epochs);
    let forgets = match tau_epochs {
        Some(tau) => tau < 1.0,
        None => tau_fraction < FORGETFUL_TAU,
    };
    forgets.then_some(Warning::ForgetsItsData { kappa, tau_fraction, tau_epochs, lambda, rule })
}

impl Serialize for Warning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut warning = serializer.serialize_struct("Warning", 3)?;
        warning.serialize_field("kind", self.kind())?;
        warning.serialize_field("reason", &self.reason())?;
        warning.serialize_field("fix", &self.fix())?;
        warning.end()
    }
}
