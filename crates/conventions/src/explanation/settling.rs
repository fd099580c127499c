//! Where the weights settle: RMS, angle and the steps it takes, or why theory is silent.

use serde::Serialize;

use super::course::predictable;
use super::subject::Subject;
use crate::library::Optimizer;
use wd_decay::{Anchor, DecayRule, Equilibrium, MuonScale, UpdateNoise, coupled_sgd_equilibrium};
use wd_page::number::short;

/// Where the weights settle if the peak learning rate stays.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Settling {
    /// Theory has an answer.
    Settles(Settled),
    /// It has none, for this reason.
    Unknown {
        /// Why.
        reason: String,
    },
}

/// An equilibrium and where it holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Settled {
    /// RMS and angle in symbols.
    pub formula: String,
    /// RMS of the weights; absent where it depends on numbers that were not given.
    pub rms: Option<f64>,
    /// RMS over the RMS of a coordinate of the gradient, for SGD.
    pub rms_per_gradient_rms: Option<f64>,
    /// For SGD on a scale-invariant tensor: ‖w‖/√‖g̃‖, with g̃ the gradient at unit norm.
    pub norm_per_root_of_unit_gradient: Option<f64>,
    /// What RMS waits for.
    pub needs: Option<String>,
    /// Angle in radians by which the weights turn each step.
    pub angle: f64,
    /// Steps within which the mean square comes near its equilibrium by a factor e.
    pub relaxation_steps: f64,
    /// Bound on the weights at such points, where one is known.
    pub bound: Option<String>,
    /// Where this holds.
    pub holds: String,
}

impl Settling {
    pub(super) fn of(subject: &Subject) -> Self {
        settled(subject).map_or_else(|reason| Settling::Unknown { reason }, Settling::Settles)
    }
}

fn settled(subject: &Subject) -> Result<Settled, String> {
    if subject.rule() == Some(DecayRule::Hyperball) {
        return Err(
            "held norms stay where they start, and a step turns a matrix by the learning rate (in radians)"
                .to_owned(),
        );
    }
    if subject.anchor != Anchor::Zero {
        return Err(
            "the weights decay to other points than zero: it is the distance to them that settles"
                .to_owned(),
        );
    }
    if !predictable(subject) {
        return Err(
            "cautious decay leaves out the coordinates that the update moves away from zero; \
             how many these are depends on the gradients"
                .to_owned(),
        );
    }
    let silent = |what: &str| Err(format!("no equilibrium is published for {what}"));
    match subject.optimizer {
        Optimizer::NAdam => return silent("NAdam"),
        Optimizer::Adafactor => return silent("Adafactor, whose step depends on the weights' RMS"),
        Optimizer::Any => {
            return Err(
                "that depends on the optimizer under whose loss the penalty stands".to_owned()
            );
        }
        Optimizer::Estimator => {
            return Err("an estimator is fitted to its minimum: no noise settles".to_owned());
        }
        _ => {}
    }
    let (Some(rule), Some(rate)) = (subject.rule(), subject.peak_learning_rate()) else {
        return Err("the learning rate is not known: add lr=…".to_owned());
    };
    let momentum = subject.momenta.momentum;
    let Some(shrink) = subject.peak_shrink() else {
        return Err(
            "Adam divides the penalty's gradient by the gradients' own size, so that there is no fixed \
             rate of decay (this is why AdamW was made); gradient_rms=… would give an estimate"
                .to_owned(),
        );
    };
    if rate == 0.0 {
        return Err("the learning rate is 0: no noise moves the weights".to_owned());
    }
    if shrink == 0.0 {
        return Err(
            "nothing decays: the RMS grows as η√(D t) for ever, with D the long-run variance of a coordinate of the update"
                .to_owned(),
        );
    }
    if shrink >= 2.0 {
        return Err("a shrink of 2 or more a step diverges".to_owned());
    }
    let general = |noise: UpdateNoise| noise.equilibrium(rate, shrink);
    let unit_gradient = UpdateNoise::Sgd {
        momentum,
        nesterov: subject.momenta.nesterov,
        gradient_mean_square: subject.momenta.intake().powi(2),
    };
    let (formula, found, rms): (String, Equilibrium, Option<f64>) = match subject.optimizer {
        Optimizer::Sgd => {
            let plain = rule == DecayRule::CoupledL2
                && !subject.momenta.nesterov
                && subject.momenta.intake() == 1.0;
            let found = if plain {
                coupled_sgd_equilibrium(rate, subject.coefficient(), momentum, 1.0)
            } else {
                general(unit_gradient)
            };
            let formula = if rule == DecayRule::CoupledL2 {
                "RMS = √(η E[g²]/(2λ(1 − μ))), angle = √(2ηλ/(1 + μ))"
            } else {
                "RMS = η √(E[g²]/(2s))/(1 − μ), angle = √(2s (1 − μ)/(1 + μ))"
            };
            let rms = subject.run.gradient_rms.map(|gradient| found.rms * gradient);
            (formula.to_owned(), found, rms)
        }
        Optimizer::Lion => {
            let found = general(subject.noise().ok_or("β₁ and β₂ are not known")?);
            let formula =
                "RMS = η/√(π b s), angle = √(π b s), b = (1 − β₁)² + β₁²(1 − β₂)/(1 + β₂)";
            (formula.to_owned(), found, Some(found.rms))
        }
        Optimizer::Muon => {
            // The angle does not depend on the scale.
            let noise =
                |scale| UpdateNoise::Muon { momentum, nesterov: subject.momenta.nesterov, scale };
            let found = general(noise(subject.muon_scale.unwrap_or(MuonScale::MatchRms)));
            let formula = match subject.muon_scale {
                Some(MuonScale::MatchRms) => "RMS = η √(D/(2s)), D = 0.2² × c",
                _ => "RMS = η √(D/(2s)), D = c/d_in",
            };
            let c = noise(MuonScale::MatchRms).diffusion() / 0.04;
            (
                format!("{formula}, c = {} for this momentum", short(c)),
                found,
                subject.muon_scale.map(|_| found.rms),
            )
        }
        _ => {
            let beta1 = subject.momenta.beta1;
            let found = general(UpdateNoise::Adam { beta1 });
            let formula = match rule {
                DecayRule::Decoupled => "RMS = √(η/(2λ)), angle = √(2ηλ (1 − β₁)/(1 + β₁))",
                _ => "RMS = η/√(2s), angle = √(2s (1 − β₁)/(1 + β₁))",
            };
            (formula.to_owned(), found, Some(found.rms))
        }
    };
    let is_sgd = subject.optimizer == Optimizer::Sgd;
    let noise_scale = (rate * subject.momenta.intake() / (1.0 - momentum)).powi(2);
    Ok(Settled {
        formula,
        rms,
        rms_per_gradient_rms: is_sgd.then_some(found.rms),
        // ‖w‖⁴ = η²‖g̃‖²/(2s(1 − μ)²), of which Kosson et al. give the coupled case.
        norm_per_root_of_unit_gradient: is_sgd.then(|| (noise_scale / (2.0 * shrink)).powf(0.25)),
        needs: match (rms, subject.optimizer) {
            (None, Optimizer::Muon) => Some("width=…, the columns d_in of a matrix".to_owned()),
            (None, _) => Some("gradient_rms=…, the RMS of a coordinate of the gradient".to_owned()),
            _ => None,
        },
        angle: found.angle,
        relaxation_steps: found.relaxation_steps,
        bound: bound(subject, rule, rate, shrink),
        holds: holds(subject, found.rms),
    })
}

/// The bound at points of rest: Xie & Li 2024 (arXiv 2404.04454) for AdamW, Chen et al. 2023
/// (arXiv 2310.05898) for Lion, Chen, Li & Liu 2025 (arXiv 2506.15054) for Muon.
fn bound(subject: &Subject, rule: DecayRule, rate: f64, shrink: f64) -> Option<String> {
    // η_t/s_t has to stay the same over the run.
    if !matches!(rule, DecayRule::Decoupled | DecayRule::Independent)
        || subject.lambda_schedule.is_some()
    {
        return None;
    }
    let limit = short(rate / shrink);
    let of = match rule {
        DecayRule::Decoupled => "1/λ",
        _ => "η_max/λ",
    };
    match subject.optimizer {
        Optimizer::Adam | Optimizer::Lion => Some(format!("every |w_i| ≤ {of} = {limit}")),
        Optimizer::Muon => match subject.muon_scale {
            Some(MuonScale::MatchRms) => None,
            _ => Some(format!(
                "largest singular value ≤ {of} × √max(1, d_out/d_in), {limit} for wide matrices"
            )),
        },
        _ => None,
    }
}

/// Where the equilibrium holds; `rms` is what was found.
fn holds(subject: &Subject, rms: f64) -> String {
    let general = "Holds where gradients are mostly noise and every coordinate is updated: hidden \
                   matrices late in training; not for embeddings of rare tokens, nor early on";
    match subject.optimizer {
        Optimizer::Muon => {
            // All scales have the same angle, and an RMS in proportion to the update's.
            let matched = match subject.muon_scale {
                Some(MuonScale::Shape { fan_in }) => rms * 0.2 * (fan_in as f64).sqrt(),
                _ => rms,
            };
            format!(
                "{general}. Five Newton–Schulz steps make the update, and with it the RMS, some \
                 15 % smaller; square matrices turn 20 % faster. Scaled by 0.2√max(d_out, d_in) \
                 (Moonlight; torch's adjust_lr_fn=match_rms_adamw) the RMS is {}",
                short(matched)
            )
        }
        Optimizer::Sgd => format!("{general}. The angle holds whatever the gradient's size"),
        _ => general.to_owned(),
    }
}
