//! The step as an equation with the user's own numbers in it.

use super::subject::Subject;
use crate::library::{Convention, Optimizer};
use wd_decay::Momenta;
use wd_decay::{Anchor, DecayRule};
use wd_page::number::short;

/// Lines that spell out a step: in the library's symbols, in ours, and with numbers.
pub(super) fn equation(subject: &Subject) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(own) = &subject.library_equation {
        lines.push(format!("{}: {own}", subject.name));
    }
    let Convention::Step { rule, per_unit, .. } = subject.convention else {
        return lines;
    };
    let (point, distance) = match subject.anchor {
        Anchor::Zero => (String::new(), "w"),
        Anchor::Initial => (", a the initial weights".to_owned(), "(w − a)"),
        Anchor::Checkpoint(_) => (", a the weights of the checkpoint".to_owned(), "(w − a)"),
        Anchor::Norm(ratio) => (format!(", a = {} ‖w₀‖ w/‖w‖", short(ratio)), "(w − a)"),
    };
    if per_unit != 1.0 {
        lines.push(format!(
            "without the ½ of (λ/2)‖w‖²: λ = {per_unit} × {} = {}",
            short(subject.lambda.value),
            short(subject.coefficient())
        ));
    }
    let rate = subject.peak_learning_rate().map_or("η_t".to_owned(), |peak| {
        let varies = subject.run.schedule.is_some();
        format!("{}{}", short(peak), if varies { " f_t" } else { "" })
    });
    if rule == DecayRule::Hyperball {
        lines.push(format!(
            "w ← R·Norm(w − {rate} R·Norm(u_t)), R = ‖w₀‖: a matrix keeps its norm, and λ is only its switch"
        ));
    } else if rule == DecayRule::CoupledL2 {
        let lambda = match subject.lambda_schedule {
            Some(_) => format!("{} l_t", short(subject.coefficient())),
            None => short(subject.coefficient()),
        };
        lines.push(format!("g ← g + {lambda} {distance}"));
        lines.push(format!("w ← w − {rate} u_t"));
        if subject.optimizer == Optimizer::Sgd
            && subject.momenta.momentum > 0.0
            && let Some(shrink) = subject.peak_shrink()
        {
            lines.push(format!(
                "through the momentum the penalty takes ηλ/(1 − μ) = {} off w a step, at the peak",
                short(shrink)
            ));
        }
    } else if let (Some(shrink), Some(_)) = (subject.peak_shrink(), subject.peak_learning_rate()) {
        let power = match rule {
            DecayRule::Decoupled | DecayRule::Independent => " f_t",
            DecayRule::Corrected | DecayRule::SquaredLearningRate => " f_t²",
            DecayRule::Constant | DecayRule::CoupledL2 | DecayRule::Hyperball => "",
        };
        let power = if subject.run.schedule.is_some() { power } else { "" };
        let own = if subject.lambda_schedule.is_some() { " l_t" } else { "" };
        let only = if subject.cautious() { " [where u_t w ≥ 0]" } else { "" };
        lines.push(match subject.anchor {
            Anchor::Zero if !subject.cautious() => {
                format!("w ← (1 − {}{power}{own}) w − {rate} u_t", short(shrink))
            }
            _ => format!("w ← w − {}{power}{own} {distance}{only} − {rate} u_t", short(shrink)),
        });
        if power.is_empty() && own.is_empty() && subject.anchor == Anchor::Zero {
            let kept = format!("{:.10}", 1.0 - shrink);
            lines.push(format!(
                "that is, w ← {} w − {rate} u_t",
                kept.trim_end_matches('0').trim_end_matches('.')
            ));
        }
    } else {
        let own = rule.equation().replace("(w − a)", distance);
        lines.push(format!("{own} − η_t u_t, λ = {}", short(subject.coefficient())));
    }
    lines.push(format!("{}{point}", direction(subject)));
    if let Some(schedule) = subject.run.schedule {
        lines.push(format!("f_t: {}", schedule.describe()));
    }
    if let Some(schedule) = subject.lambda_schedule {
        lines.push(format!("l_t: {}", schedule.describe()));
    }
    lines
}

/// What u_t is.
fn direction(subject: &Subject) -> String {
    let Momenta { momentum, dampening, nesterov, beta1, beta2 } = subject.momenta;
    let betas = format!("β₁ = {}, β₂ = {}", short(beta1), short(beta2));
    let ahead = if nesterov { ", looking ahead" } else { "" };
    match subject.optimizer {
        Optimizer::Adam => format!("u_t = m̂_t/(√v̂_t + ε), {betas}"),
        Optimizer::RAdam => format!("u_t = r_t m̂_t/(√v̂_t + ε) once rectified, {betas}"),
        Optimizer::NAdam => format!("u_t = NAdam's direction, {betas}"),
        Optimizer::Adafactor => "u_t = Adafactor's direction".to_owned(),
        Optimizer::Lion => format!("u_t = sign(β₁ m + (1 − β₁) g), {betas}"),
        Optimizer::Muon => format!(
            "u_t = the orthogonal factor of the momentum, scaled by the shape; μ = {}{ahead}",
            short(momentum)
        ),
        Optimizer::Sgd if momentum == 0.0 => "u_t = g".to_owned(),
        Optimizer::Sgd => {
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
        Optimizer::Any | Optimizer::Estimator => "u_t = the optimizer's direction".to_owned(),
    }
}
