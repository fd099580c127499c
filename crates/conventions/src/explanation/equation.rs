//! The step as an equation with the user's own numbers in it.

use crate::DeclaredDecay;
use crate::library::Convention;
use wd_decay::{Anchor, DecayRule, Momenta, OptimizerKind};
use wd_page::number::short;

/// Lines that spell out a step: in the library's symbols, in ours, and with numbers.
pub(super) fn equation(decay: &DeclaredDecay) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(own) = &decay.library_equation {
        lines.push(format!("{}: {own}", decay.name));
    }
    let Convention::Step { rule, per_unit, .. } = decay.convention else {
        return lines;
    };
    let (point, distance) = match decay.anchor {
        Anchor::Zero => (String::new(), "w"),
        Anchor::Initial => (", a the initial weights".to_owned(), "(w − a)"),
        Anchor::Checkpoint(_) => (", a the weights of the checkpoint".to_owned(), "(w − a)"),
        Anchor::Norm(ratio) => (format!(", a = {} ‖w₀‖ w/‖w‖", short(ratio)), "(w − a)"),
    };
    if per_unit != 1.0 {
        lines.push(format!(
            "without the ½ of (λ/2)‖w‖²: λ = {per_unit} × {} = {}",
            short(decay.lambda.value),
            short(decay.coefficient())
        ));
    }
    let rate = decay.peak_learning_rate().map_or("η_t".to_owned(), |peak| {
        let varies = decay.run.schedule.is_some();
        format!("{}{}", short(peak), if varies { " f_t" } else { "" })
    });
    if rule == DecayRule::Hyperball {
        lines.push(format!(
            "w ← R·Norm(w − {rate} R·Norm(u_t)), R = ‖w₀‖: a matrix keeps its norm, and λ is only \
             its switch"
        ));
    } else if rule == DecayRule::CoupledL2 {
        let lambda = match decay.run.lambda_schedule {
            Some(_) => format!("{} l_t", short(decay.coefficient())),
            None => short(decay.coefficient()),
        };
        lines.push(format!("g ← g + {lambda} {distance}"));
        lines.push(format!("w ← w − {rate} u_t"));
        if decay.optimizer == Some(OptimizerKind::Sgd)
            && decay.momenta.momentum > 0.0
            && let Some(shrink) = decay.peak_shrink()
        {
            lines.push(format!(
                "through the momentum the penalty takes ηλ/(1 − μ) = {} off w a step, at the peak",
                short(shrink)
            ));
        }
    } else if let (Some(shrink), Some(_)) = (decay.peak_shrink(), decay.peak_learning_rate()) {
        let power = match rule {
            DecayRule::Decoupled | DecayRule::Independent => " f_t",
            DecayRule::Corrected | DecayRule::SquaredLearningRate => " f_t²",
            DecayRule::Constant | DecayRule::CoupledL2 | DecayRule::Hyperball => "",
        };
        let power = if decay.run.schedule.is_some() { power } else { "" };
        let own = if decay.run.lambda_schedule.is_some() { " l_t" } else { "" };
        let only = if decay.cautious() { " [where u_t w ≥ 0]" } else { "" };
        lines.push(match decay.anchor {
            Anchor::Zero if !decay.cautious() => {
                format!("w ← (1 − {}{power}{own}) w − {rate} u_t", short(shrink))
            }
            _ => format!("w ← w − {}{power}{own} {distance}{only} − {rate} u_t", short(shrink)),
        });
        if power.is_empty() && own.is_empty() && decay.anchor == Anchor::Zero {
            let kept = format!("{:.10}", 1.0 - shrink);
            lines.push(format!(
                "that is, w ← {} w − {rate} u_t",
                kept.trim_end_matches('0').trim_end_matches('.')
            ));
        }
    } else {
        let own = rule.equation().replace("(w − a)", distance);
        lines.push(format!("{own} − η_t u_t, λ = {}", short(decay.coefficient())));
    }
    lines.push(format!("{}{point}", direction(decay)));
    if let Some(schedule) = decay.run.schedule {
        lines.push(format!("f_t: {}", schedule.describe()));
    }
    if let Some(schedule) = decay.run.lambda_schedule {
        lines.push(format!("l_t: {}", schedule.describe()));
    }
    lines
}

/// What u_t is.
fn direction(decay: &DeclaredDecay) -> String {
    let Momenta { momentum, dampening, nesterov, beta1, beta2 } = decay.momenta;
    let betas = format!("β₁ = {}, β₂ = {}", short(beta1), short(beta2));
    let ahead = if nesterov { ", looking ahead" } else { "" };
    let Some(optimizer) = decay.optimizer else {
        return "u_t = the optimizer's direction".to_owned();
    };
    match optimizer {
        OptimizerKind::Adam | OptimizerKind::Adamw => format!("u_t = m̂_t/(√v̂_t + ε), {betas}"),
        OptimizerKind::Radam => format!("u_t = r_t m̂_t/(√v̂_t + ε) once rectified, {betas}"),
        OptimizerKind::Nadam => format!("u_t = NAdam's direction, {betas}"),
        OptimizerKind::Adafactor => "u_t = Adafactor's direction".to_owned(),
        OptimizerKind::Lion => format!("u_t = sign(β₁ m + (1 − β₁) g), {betas}"),
        OptimizerKind::Muon => format!(
            "u_t = the orthogonal factor of the momentum, scaled by the shape; μ = {}{ahead}",
            short(momentum)
        ),
        OptimizerKind::Sgd if momentum == 0.0 => "u_t = g".to_owned(),
        OptimizerKind::Sgd => {
            let intake = match 1.0 - dampening {
                1.0 => String::new(),
                intake => format!("{} ", short(intake)),
            };
            let step = if nesterov {
                format!("u_t = g + {} b", short(momentum))
            } else {
                "u_t = b".to_owned()
            };
            format!("b ← {} b + {intake}g, {step}", short(momentum))
        }
    }
}
