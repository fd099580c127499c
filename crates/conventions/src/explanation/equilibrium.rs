//! The equilibrium of the weights: RMS, angle and the steps it takes, or why theory predicts none.

use serde::Serialize;

use super::trajectory::predictable;
use crate::DeclaredDecay;
use wd_decay::{
    Anchor, DecayRule, Equilibrium, Momenta, MuonScale, OptimizerKind, UpdateNoise,
    coupled_sgd_equilibrium,
};
use wd_page::number::short;

/// The equilibrium of the weights if the peak learning rate stays.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EquilibriumPrediction {
    /// Theory has an answer.
    #[serde(rename = "settles")]
    Known(PredictedEquilibrium),
    /// It has none, for this reason.
    Unknown {
        /// Why.
        reason: String,
    },
}

/// An equilibrium and where it holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PredictedEquilibrium {
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

impl EquilibriumPrediction {
    pub(super) fn of(decay: &DeclaredDecay) -> Self {
        match predicted(decay) {
            Ok(equilibrium) => EquilibriumPrediction::Known(equilibrium),
            Err(reason) => EquilibriumPrediction::Unknown { reason: reason.to_owned() },
        }
    }
}

/// The rule, learning rate and shrink of a decay that has an equilibrium.
#[derive(Clone, Copy)]
struct Balance {
    optimizer: OptimizerKind,
    rule: DecayRule,
    rate: f64,
    shrink: f64,
}

impl Balance {
    /// # Errors
    /// Why theory predicts no equilibrium.
    fn of(decay: &DeclaredDecay) -> Result<Self, &'static str> {
        if decay.rule() == Some(DecayRule::Hyperball) {
            return Err("held norms stay where they start, and a step turns a matrix by the \
                        learning rate (in radians)");
        }
        if decay.anchor != Anchor::Zero {
            return Err("the weights decay to other points than zero: it is the distance to them \
                        that settles");
        }
        if !predictable(decay) {
            return Err(
                "cautious decay leaves out the coordinates that the update moves away from \
                        zero; how many these are depends on the gradients",
            );
        }
        let optimizer = match (decay.optimizer, decay.rule()) {
            (Some(OptimizerKind::Nadam), _) => {
                return Err("no equilibrium is published for NAdam");
            }
            (Some(OptimizerKind::Adafactor), _) => {
                return Err(
                    "no equilibrium is published for Adafactor, whose step depends on the \
                            weights' RMS",
                );
            }
            (Some(optimizer), _) => optimizer,
            (None, Some(_)) => {
                return Err("that depends on the optimizer under whose loss the penalty stands");
            }
            (None, None) => {
                return Err("an estimator is fitted to its minimum: no noise settles");
            }
        };
        let (Some(rule), Some(rate)) = (decay.rule(), decay.peak_learning_rate()) else {
            return Err("the learning rate is not known: add lr=…");
        };
        let Some(shrink) = decay.peak_shrink() else {
            return Err("Adam divides the penalty's gradient by the gradients' own size, so that \
                        there is no fixed rate of decay (this is why AdamW was made); \
                        gradient_rms=… would give an estimate");
        };
        if rate == 0.0 {
            return Err("the learning rate is 0: no noise moves the weights");
        }
        if shrink == 0.0 {
            return Err("nothing decays: the RMS grows as η√(D t) for ever, with D the long-run \
                        variance of a coordinate of the update");
        }
        if shrink >= 2.0 {
            return Err("a shrink of 2 or more a step diverges");
        }
        Ok(Balance { optimizer, rule, rate, shrink })
    }

    /// The equilibrium in symbols and in numbers; for SGD, of gradients with a mean square of 1.
    fn solved(&self, decay: &DeclaredDecay) -> (String, Equilibrium) {
        let Momenta { momentum, nesterov, beta1, beta2, .. } = decay.momenta;
        let general = |noise: UpdateNoise| noise.equilibrium(self.rate, self.shrink);
        match self.optimizer {
            OptimizerKind::Sgd => {
                let intake = decay.momenta.intake();
                let coupled = self.rule == DecayRule::CoupledL2;
                let found = if coupled && !nesterov && intake == 1.0 {
                    coupled_sgd_equilibrium(self.rate, decay.coefficient(), momentum, 1.0)
                } else {
                    let gradient_mean_square = intake.powi(2);
                    general(UpdateNoise::Sgd { momentum, nesterov, gradient_mean_square })
                };
                let formula = if coupled {
                    "RMS = √(η E[g²]/(2λ(1 − μ))), angle = √(2ηλ/(1 + μ))"
                } else {
                    "RMS = η √(E[g²]/(2s))/(1 − μ), angle = √(2s (1 − μ)/(1 + μ))"
                };
                (formula.to_owned(), found)
            }
            OptimizerKind::Lion => (
                "RMS = η/√(π b s), angle = √(π b s), b = (1 − β₁)² + β₁²(1 − β₂)/(1 + β₂)"
                    .to_owned(),
                general(UpdateNoise::Lion { beta1, beta2 }),
            ),
            OptimizerKind::Muon => {
                // The angle does not depend on the scale.
                let noise = |scale| UpdateNoise::Muon { momentum, nesterov, scale };
                let formula = match decay.muon_scale {
                    Some(MuonScale::MatchRms) => "RMS = η √(D/(2s)), D = 0.2² × c",
                    _ => "RMS = η √(D/(2s)), D = c/d_in",
                };
                let c = short(noise(MuonScale::MatchRms).diffusion() / 0.04);
                (
                    format!("{formula}, c = {c} for this momentum"),
                    general(noise(decay.muon_scale.unwrap_or(MuonScale::MatchRms))),
                )
            }
            _ => {
                let formula = match self.rule {
                    DecayRule::CoupledL2 => {
                        "RMS = η √(E[g²]/v)/√(2s), s = ηλ/√v, v = E[g²] + λ²w², angle = √(2s (1 − \
                         β₁)/(1 + β₁))"
                    }
                    DecayRule::Decoupled => "RMS = √(η/(2λ)), angle = √(2ηλ (1 − β₁)/(1 + β₁))",
                    _ => "RMS = η/√(2s), angle = √(2s (1 − β₁)/(1 + β₁))",
                };
                let found = general(UpdateNoise::Adam { beta1 });
                // The penalty has its share of what the gradient is divided by.
                let share = decay.gradient_share(None, decay.settled_rms());
                (formula.to_owned(), Equilibrium { rms: share * found.rms, ..found })
            }
        }
    }
}

fn predicted(decay: &DeclaredDecay) -> Result<PredictedEquilibrium, &'static str> {
    let balance = Balance::of(decay)?;
    let (formula, found) = balance.solved(decay);
    let Balance { optimizer, rate, shrink, .. } = balance;
    let is_sgd = optimizer == OptimizerKind::Sgd;
    let rms = match optimizer {
        OptimizerKind::Sgd => decay.run.gradient_rms.map(|gradient| found.rms * gradient),
        OptimizerKind::Muon => decay.muon_scale.map(|_| found.rms),
        _ => Some(found.rms),
    };
    let noise_scale = (rate * decay.momenta.intake() / (1.0 - decay.momenta.momentum)).powi(2);
    Ok(PredictedEquilibrium {
        formula,
        rms,
        rms_per_gradient_rms: is_sgd.then_some(found.rms),
        // ‖w‖⁴ = η²‖g̃‖²/(2s(1 − μ)²), of which Kosson et al. give the coupled case.
        norm_per_root_of_unit_gradient: is_sgd.then(|| (noise_scale / (2.0 * shrink)).powf(0.25)),
        needs: match (rms, optimizer) {
            (None, OptimizerKind::Muon) => Some("width=…, the columns d_in of a matrix".to_owned()),
            (None, _) => Some("gradient_rms=…, the RMS of a coordinate of the gradient".to_owned()),
            _ => None,
        },
        angle: found.angle,
        relaxation_steps: found.relaxation_steps,
        bound: bound(decay, &balance),
        holds: holds(decay, optimizer, found.rms),
    })
}

/// The bound at points of rest: Xie & Li 2024 (arXiv 2404.04454) for AdamW, Chen et al. 2023
/// (arXiv 2310.05898) for Lion, Chen, Li & Liu 2025 (arXiv 2506.15054) for Muon.
fn bound(decay: &DeclaredDecay, balance: &Balance) -> Option<String> {
    // η_t/s_t has to stay the same over the run.
    if !matches!(balance.rule, DecayRule::Decoupled | DecayRule::Independent)
        || decay.run.lambda_schedule.is_some()
    {
        return None;
    }
    let limit = short(balance.rate / balance.shrink);
    let of = match balance.rule {
        DecayRule::Decoupled => "1/λ",
        _ => "η_max/λ",
    };
    match balance.optimizer {
        OptimizerKind::Adam | OptimizerKind::Adamw | OptimizerKind::Lion => {
            Some(format!("every |w_i| ≤ {of} = {limit}"))
        }
        OptimizerKind::Muon => match decay.muon_scale {
            Some(MuonScale::MatchRms) => None,
            _ => Some(format!(
                "largest singular value ≤ {of} × √max(1, d_out/d_in), {limit} for wide matrices"
            )),
        },
        _ => None,
    }
}

/// Where the equilibrium holds; `rms` is what was found.
fn holds(decay: &DeclaredDecay, optimizer: OptimizerKind, rms: f64) -> String {
    let general = "Holds where gradients are mostly noise and every coordinate is updated: hidden \
                   matrices late in training; not for embeddings of rare tokens, nor early on";
    match optimizer {
        OptimizerKind::Muon => {
            // All scales have the same angle, and an RMS in proportion to the update's.
            let matched = match decay.muon_scale {
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
        OptimizerKind::Sgd => format!("{general}. The angle holds whatever the gradient's size"),
        _ => general.to_owned(),
    }
}
