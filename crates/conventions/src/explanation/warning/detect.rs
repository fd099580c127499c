//! Which warnings a decay calls for.

use wd_decay::{DecayRule, Dtype, OptimizerKind, ScheduleKind};

use super::kind::Warning;
use super::thresholds::{
    F32_COARSE_SHRINK, FORGETFUL_TAU, INERT_KAPPA, ROW_LOSS, forgetful_epochs,
};
use crate::DeclaredDecay;
use crate::explanation::trajectory::{BF16_LEAST_SHRINK, F32_LEAST_SHRINK, Trajectory};

impl Warning {
    /// Every warning that a decay calls for, gravest first.
    pub(in crate::explanation) fn of(
        decay: &DeclaredDecay,
        trajectory: Option<&Trajectory>,
    ) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let run = &decay.run;
        if decay.lambda.value == 0.0 {
            warnings.push(Warning::NothingDecays);
        }
        if decay.lambda.default {
            warnings.push(Warning::LibraryDefault {
                key: "weight_decay",
                value: decay.lambda.value,
                library: decay.name.clone(),
            });
        }
        if let Some(rate) = run.peak_learning_rate.filter(|rate| rate.default) {
            warnings.push(Warning::LibraryDefault {
                key: "lr",
                value: rate.value,
                library: decay.name.clone(),
            });
        }
        let Some(rule) = decay.rule().filter(|_| decay.lambda.value != 0.0) else {
            return warnings;
        };
        let peak_shrink = decay.peak_shrink().unwrap_or(0.0);
        if peak_shrink == 0.0 && run.peak_learning_rate.is_some_and(|rate| rate.value == 0.0) {
            warnings.push(Warning::NothingMoves);
            return warnings;
        }
        if peak_shrink >= 1.0 {
            warnings.push(Warning::Overshoots { shrink: peak_shrink, rule });
        }
        let shares = trajectory.map(|trajectory| trajectory.share_of_steps_below_bf16);
        // Coupled L2 is a part of the update, and is rounded with it.
        if run.dtype == Dtype::Bf16 && rule != DecayRule::CoupledL2 {
            let at_peak = f64::from(u8::from(peak_shrink < BF16_LEAST_SHRINK));
            let share_of_steps = shares.unwrap_or(at_peak);
            if peak_shrink > 0.0 && share_of_steps > 0.0 {
                warnings.push(if decay.stores_shrunk_weights {
                    Warning::LostInBf16 { peak_shrink, share_of_steps }
                } else {
                    Warning::RoundedWithUpdate { peak_shrink, share_of_steps }
                });
            }
        }
        warnings.extend(of_f32(decay, rule, peak_shrink, trajectory));
        let adaptive = decay.optimizer.is_some_and(OptimizerKind::is_adaptive);
        if rule == DecayRule::CoupledL2 && adaptive {
            warnings.push(Warning::CoupledUnderAdaptive { name: decay.name.clone() });
        }
        let timescale = trajectory.and_then(|trajectory| trajectory.timescale);
        if let Some(timescale) = timescale {
            warnings.extend(of_length(decay, rule, timescale.kappa, timescale.tau_fraction));
        }
        let kind = run.schedule.map(|schedule| schedule.kind);
        if let Some(schedule) = run.schedule.filter(|schedule| schedule.warmup >= schedule.steps) {
            let (steps, kind) = (schedule.steps, schedule.kind);
            warnings.push(Warning::OnlyWarmup { steps, kind });
        }
        let one_pass = run.epochs.is_none_or(|epochs| epochs <= 1.0);
        if kind == Some(ScheduleKind::Constant) && one_pass {
            warnings.push(Warning::ConstantLearningRate);
        }
        if let Some(schedule) = run.schedule
            && rule == DecayRule::Constant
            && schedule.kind != ScheduleKind::Constant
            && decay.run.lambda_schedule.is_none()
        {
            warnings.push(Warning::ScheduleIgnored {
                last_factor: schedule.factor(schedule.steps.saturating_sub(1)),
                rule,
            });
        }
        if decay.decayed.norms_and_biases {
            warnings
                .push(Warning::NormsAndBiasesDecay { decayed: decay.decayed.description.clone() });
        }
        if let Some(timescale) = timescale
            && decay.decayed.embeddings
            && timescale.initial_share <= 1.0 - ROW_LOSS
        {
            warnings.push(Warning::UnusedRowsDecay { share_left: timescale.initial_share });
        }
        warnings
    }
}

/// Warnings about f32's own floor; where decay and update are added at once, their sum is rounded.
fn of_f32(
    decay: &DeclaredDecay,
    rule: DecayRule,
    peak_shrink: f64,
    trajectory: Option<&Trajectory>,
) -> Option<Warning> {
    let in_place = decay.stores_shrunk_weights && rule != DecayRule::CoupledL2;
    let is_small = peak_shrink > 0.0 && peak_shrink < F32_COARSE_SHRINK;
    if decay.run.dtype != Dtype::F32 || !in_place || !is_small {
        return None;
    }
    let lambda = decay.lambda.value;
    if peak_shrink < F32_LEAST_SHRINK {
        return Some(Warning::LostInF32 { peak_shrink, lambda });
    }
    let share_of_steps = trajectory.map_or(0.0, |trajectory| trajectory.share_of_steps_below_f32);
    Some(Warning::CoarseInF32 { peak_shrink, share_of_steps, lambda })
}

/// Warnings about κ and τ.
fn of_length(
    decay: &DeclaredDecay,
    rule: DecayRule,
    kappa: f64,
    tau_fraction: Option<f64>,
) -> Option<Warning> {
    let lambda = decay.lambda.value;
    if kappa < INERT_KAPPA {
        return Some(Warning::Inert { kappa, lambda });
    }
    let tau_fraction = tau_fraction?;
    let epochs = decay.run.epochs.filter(|epochs| *epochs > 1.0);
    let tau_epochs = epochs.map(|epochs| tau_fraction * epochs);
    let least_epochs = forgetful_epochs(decay.run.unit);
    let forgets = match tau_epochs {
        Some(tau) => tau < least_epochs,
        None => tau_fraction < FORGETFUL_TAU,
    };
    forgets.then_some(Warning::ForgetsItsData {
        kappa,
        tau_fraction,
        tau_epochs,
        least_epochs,
        lambda,
        rule,
    })
}
