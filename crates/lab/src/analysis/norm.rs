//! The weight norm that the norm recursion predicts, beside the one that was measured.
//!
//! The prediction is ρ_{t+1} = (1 − s_t)²ρ_t + η_t² for each tensor ([`wd_decay::norm_recursion`]),
//! put together over a group of tensors by their numbers of elements. It is made for Adam's
//! direction under a rule that shrinks the weights directly; for other optimizers, coupled L2, the
//! cautious modifier, an anchor other than zero and weights that were read from a file nothing is
//! predicted. A norm that hyperball holds stays what it was.

use wd_decay::{
    Application, DecayRule, LearningRate, OptimizerKind, PeakLearningRate, Storage, UpdateNoise,
    norm_recursion,
};
use wd_store::{Plan, PlannedTensor};

use super::group::groups;
use super::measured::Measured;
use super::{Band, RoleNorm};
use crate::analysis::window::{centre, windows};
use wd_statistics::interval;

/// Measured and predicted RMS of each group, over the finished trials of one arm, which share
/// `plan` but for its seed.
pub(crate) fn role_norms(plan: &Plan, finished: &[&Measured]) -> Vec<RoleNorm> {
    if finished.is_empty() {
        return Vec::new();
    }
    let rows = plan.steps as usize;
    let cuts = windows(rows);
    groups(plan)
        .into_iter()
        .enumerate()
        .map(|(index, group)| {
            let of_seeds: Vec<_> =
                finished.iter().filter_map(|measured| measured.group_rms.get(index)).collect();
            let measured = (0..cuts.len())
                .filter_map(|window| {
                    let values: Vec<f64> = of_seeds.iter().map(|rms| rms.windows[window]).collect();
                    Band::of(centre(&cuts[window]), &values)
                })
                .collect();
            let tensors: Vec<&PlannedTensor> =
                group.tensors.iter().map(|&tensor| &plan.tensors[tensor]).collect();
            let predicted = predicted_rms(plan, &tensors).unwrap_or_default();
            let ratios: Vec<f64> = of_seeds
                .iter()
                .filter_map(|rms| rms.last)
                .filter_map(|(row, value)| predicted.get(row).map(|prediction| value / prediction))
                .collect();
            RoleNorm {
                role: group.role,
                kind: group.kind,
                measured,
                predicted: cuts
                    .iter()
                    .filter_map(|window| {
                        let step = centre(window);
                        predicted.get(step as usize - 1).map(|rms| (step.floor(), *rms))
                    })
                    .collect(),
                ratio: interval(&ratios),
            }
        })
        .collect()
}

/// The shrink of a tensor whose learning rate is `ratio` times the run's, over that of the run.
fn by_rate(plan: &Plan, ratio: f64) -> f64 {
    let peak = plan.peak_learning_rate;
    let shrink = |ratio: f64| {
        let rate = ratio * peak;
        match plan.rule.apply(1.0, LearningRate(rate), PeakLearningRate(rate)) {
            Application::Shrink(shrink) => shrink.0,
            Application::Gradient(_) | Application::Sphere => 1.0,
        }
    };
    if ratio == 1.0 || peak == 0.0 { 1.0 } else { shrink(ratio) / shrink(1.0) }
}

/// RMS of some tensors of a plan, taken together, after each step, as the norm recursion predicts
/// it.
///
/// `None` where it makes no statement: weights that start from or decay to something unusual, a
/// direction other than Adam's, coupled L2, the cautious modifier, a tensor whose λ is set while
/// the run's is 0.
pub fn predicted_rms(plan: &Plan, tensors: &[&PlannedTensor]) -> Option<Vec<f64>> {
    let shrinks_directly = plan.rule != DecayRule::CoupledL2 && !plan.cautious;
    let is_adam = matches!(plan.optimizer, OptimizerKind::Adam | OptimizerKind::Adamw);
    // Rounding to nearest loses small decays and small updates.
    if plan.storage == Storage::Bf16Nearest {
        return None;
    }
    if !plan.starts_from_initialisation() || !is_adam || (plan.decays() && !shrinks_directly) {
        return None;
    }
    let diffusion = UpdateNoise::Adam { beta1: plan.momenta.beta1 }.diffusion();
    let rates: Vec<f64> = (0..plan.steps).map(|step| plan.learning_rate(step)).collect();
    let shrinks: Vec<f64> = (0..plan.steps).map(|step| plan.shrink(step)).collect();
    let mut squares = vec![0.0; rates.len()];
    let mut elements = 0.0;
    for tensor in tensors {
        // The plan's shrinks are those of a tensor with the configured λ.
        let multiplier = match (tensor.lambda, plan.lambda) {
            (0.0, _) => 0.0,
            (_, 0.0) => return None,
            (own, configured) => own / configured,
        };
        let rms = if plan.holds_norms() && tensor.lambda != 0.0 {
            vec![tensor.initial_rms; rates.len()]
        } else {
            let ratio = tensor.rate_ratio;
            let own: Vec<f64> =
                shrinks.iter().map(|shrink| shrink * multiplier * by_rate(plan, ratio)).collect();
            let rates: Vec<f64> = rates.iter().map(|rate| rate * ratio).collect();
            norm_recursion(tensor.initial_rms, &rates, &own, diffusion)
        };
        let count = tensor.parameters as f64;
        elements += count;
        for (square, rms) in squares.iter_mut().zip(rms) {
            *square += count * rms * rms;
        }
    }
    Some(squares.iter().map(|square| (square / elements).sqrt()).collect())
}
