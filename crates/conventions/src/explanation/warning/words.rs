//! A warning in words: what is the matter, and what to do about it.

use serde::{Serialize, Serializer, ser::SerializeStruct};
use wd_decay::DecayRule;
use wd_page::counted;
use wd_page::number::{share, short};

use super::kind::Warning;
use super::thresholds::{F32_COARSE_SHRINK, F32_MEASURED, FORGETFUL_TAU};

/// The commonest way to a decay far too strong.
const COPIED_ACROSS_CONVENTIONS: &str = "was λ copied from a library that multiplies it by the \
    learning rate? Here it would be that λ × η_max (`wd convert`)";

impl Warning {
    /// What is the matter.
    pub fn reason(&self) -> String {
        match self {
            Warning::LibraryDefault { key, value, library } => format!(
                "{key} was not given: {} is the default of {library}, and other libraries have \
                 others",
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
            Warning::LostInBf16 { peak_shrink, share_of_steps } => format!(
                "bf16 weights have 8 significant bits: where a step shrinks by less than 2⁻⁹ = \
                 0.00195, w(1 − s) rounds back to w. The largest shrink here is {}; {} of the \
                 decaying steps do nothing. κ and the predicted RMS are those of exact arithmetic",
                short(*peak_shrink),
                share(*share_of_steps)
            ),
            Warning::RoundedWithUpdate { peak_shrink, share_of_steps } => format!(
                "bf16 weights have 8 significant bits, and η(u + λw) is rounded to their grid as \
                 one sum: the decay acts only where it changes how that sum rounds. Alone it would \
                 round away in {} of the decaying steps, where it is below 2⁻⁹ = 0.00195 of the \
                 weight (the largest shrink here is {}). κ and the predicted RMS are those of \
                 exact arithmetic",
                share(*share_of_steps),
                short(*peak_shrink)
            ),
            Warning::LostInF32 { peak_shrink, .. } => format!(
                "f32 weights have 24 significant bits: where a step shrinks by less than 2⁻²⁵ = \
                 2.98e-8, 1 − s rounds to 1 and nothing decays. The largest shrink here is {}. κ \
                 and the predicted RMS are those of exact arithmetic",
                short(*peak_shrink)
            ),
            Warning::CoarseInF32 { peak_shrink, share_of_steps, .. } => {
                let measured: Vec<String> = F32_MEASURED
                    .iter()
                    .map(|(shrink, times)| format!("{} times at {}", short(*times), short(*shrink)))
                    .collect();
                format!(
                    "f32 weights have 24 significant bits, and 1 − s is rounded to multiples of \
                     2⁻²⁴ = 5.96e-8: near those λ acts as another. Measured with torch.optim.AdamW \
                     without gradients, it acts {}, and below 2.98e-8 not at all. The largest \
                     shrink here is {}; {} of the decaying steps do nothing",
                    measured.join(", "),
                    short(*peak_shrink),
                    share(*share_of_steps)
                )
            }
            Warning::Inert { kappa, .. } => format!(
                "κ = {}: over the whole run the decay takes {} off weights that no gradient moves",
                short(*kappa),
                share(-(-kappa).exp_m1())
            ),
            Warning::ForgetsItsData { kappa, tau_fraction, tau_epochs, least_epochs, .. } => {
                match tau_epochs {
                    Some(epochs) => format!(
                        "τ = {}: the weights average over less than one pass, so that the order of \
                         the data within it matters (κ = {}; {})",
                        counted(short(*epochs), "epoch"),
                        short(*kappa),
                        least_timescale(*least_epochs)
                    ),
                    None => format!(
                        "τ is {} of the run (κ = {}): the weights remember only the last few τ of \
                         a single pass, and forget the rest of its data",
                        share(*tau_fraction),
                        short(*kappa)
                    ),
                }
            }
            Warning::OnlyWarmup { steps, kind } => format!(
                "the warm-up is as long as the run, {}: the learning rate only rises, and nothing \
                 of the {kind} schedule follows",
                counted(steps, "step")
            ),
            Warning::ConstantLearningRate => {
                "the learning rate never falls: in one pass over text λ was then measured to raise \
                 only the effective learning rate, and with it the raw training loss; its gain \
                 showed when the rate decayed (D'Angelo et al. 2024). No law was fitted for \
                 constant rates, nor was this measured elsewhere"
                    .to_owned()
            }
            Warning::CoupledUnderAdaptive { name } => format!(
                "{name} adds λw to the gradient and then rescales it with the gradient: weights \
                 with large gradients hardly decay, and λ does not set the rate (Loshchilov & \
                 Hutter 2019, section 2)"
            ),
            Warning::NormsAndBiasesDecay { decayed } => {
                format!("norm gains and biases decay too: {decayed}")
            }
            Warning::UnusedRowsDecay { share_left } => format!(
                "an embedding row that no batch touches has no gradient but decays all the same: \
                 {} of it is left at the end",
                share(*share_left)
            ),
            Warning::ScheduleIgnored { last_factor, rule } => format!(
                "the {} rule decays as much in the last step as at the peak, while the learning \
                 rate falls to {} of it: decay outweighs learning at the end",
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
                DecayRule::Independent | DecayRule::Constant => {
                    COPIED_ACROSS_CONVENTIONS.to_owned()
                }
                _ => "lower λ or the learning rate until η λ ≪ 1".to_owned(),
            },
            Warning::RoundedWithUpdate { .. } => {
                "keep f32 master weights, or round stochastically".to_owned()
            }
            Warning::LostInBf16 { .. } => {
                "keep f32 master weights, round stochastically, or use a fused kernel that adds \
                 decay and update before it rounds"
                    .to_owned()
            }
            Warning::LostInF32 { peak_shrink, lambda }
            | Warning::CoarseInF32 { peak_shrink, lambda, .. } => {
                let enough = lambda / peak_shrink * F32_COARSE_SHRINK;
                let raised = match enough.is_finite() {
                    true => format!("λ = {} would be above it", short(enough)),
                    false => "no λ is above it: raise the learning rate".to_owned(),
                };
                format!(
                    "{raised}; if the weights should stay near their start (fine-tuning), leave λ \
                     out or decay to the start instead"
                )
            }
            Warning::Inert { kappa, lambda } if !(lambda / kappa).is_finite() => {
                "no λ changes that: raise the learning rate".to_owned()
            }
            Warning::Inert { kappa, lambda } => format!(
                "λ = {} would give κ = 1; if the weights should stay near their start \
                 (fine-tuning), decay to the start instead; else leave λ out of the search",
                short(lambda / kappa)
            ),
            Warning::ForgetsItsData {
                tau_fraction,
                tau_epochs,
                least_epochs,
                lambda,
                rule,
                ..
            } => {
                let fix = match tau_epochs {
                    Some(epochs) => format!(
                        "λ = {} gives τ = {}",
                        short(lambda * epochs / least_epochs),
                        counted(short(*least_epochs), "epoch")
                    ),
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
            Warning::OnlyWarmup { steps, .. } => {
                format!("shorten the warm-up, to warmup={} for example", (steps / 20).max(1))
            }
            Warning::ConstantLearningRate => {
                "let the rate fall (cosine, linear, wsd), or judge λ after a short \
                 anneal"
                    .to_owned()
            }
            Warning::CoupledUnderAdaptive { .. } => {
                "use the decoupled form (AdamW); its λ is another number, about this one divided \
                 by the gradients' RMS"
                    .to_owned()
            }
            Warning::NormsAndBiasesDecay { .. } => {
                "give them a group of their own with λ = 0, unless that is meant".to_owned()
            }
            Warning::UnusedRowsDecay { .. } => {
                "exclude the embedding from decay, or decay only the rows of the batch".to_owned()
            }
            Warning::ScheduleIgnored { .. } => {
                "use the independent rule, whose decay follows the schedule, or give λ the \
                 schedule too"
                    .to_owned()
            }
        }
    }
}

/// Which τ were found good, in passes over the data.
fn least_timescale(least_epochs: f64) -> String {
    match least_epochs {
        1.0 => "Wang & Aitchison 2024 find the best τ of images between 1 epoch and the whole run"
            .to_owned(),
        least => format!(
            "on repeated text the λ that Kim et al. 2026 tuned have τ of {} of an epoch and more",
            short(least)
        ),
    }
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
