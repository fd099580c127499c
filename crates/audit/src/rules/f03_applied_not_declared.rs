//! F03: the files prove another λ than the declared one.

use wd_page::number::short;

use super::evidence::{is_below_rounding, is_twice, proved};
use super::words::{agree, listed, once};
use super::{Report, Rule};
use crate::case::Case;
use crate::checkpoint::{OptimizerState, Value};
use crate::estimate::{Estimate, Method, TensorEstimate};
use crate::finding::{Place, Severity};

pub(super) static RULE: Rule = Rule {
    id: "F03",
    name: "applied-not-declared",
    severity: Severity::Error,
    finds: "Two checkpoints prove a weight decay that is not the declared one.",
    why: "This is the question itself: the groups say one λ, and the weights moved by another, \
        often by none. A decay that is never applied passes every test whose tolerance is above \
        ηλ, and the public record has it in optimizers of many libraries.",
    seen: "λ̂ of a tensor, from two consecutive steps with the optimizer's state or from rows \
        without gradient, has an interval that excludes the declared λ by five standard errors. λ̂ \
        from steps far apart or from norms is not used: λ cannot be told from them.",
    mend: "Test the optimizer with gradients of zero, where decay is all that acts:\
        \n\n    p.grad = torch.zeros_like(p); before = p.detach().clone(); optimizer.step()\
        \n    assert torch.allclose(p, before * (1 - lr * wd), rtol=1e-6 * lr * wd, atol=0)\
        \n\nCompare in 64 bits, with ηλ far above the rounding of the weights.",
    no_fault: "Decay that is cautious, masked or towards an anchor acts on some coordinates only, \
        and is not reported. Rounding of bf16 and of small steps is N01 and N02, a λ̂ of twice the \
        declared one D06, one below 0 F04.",
    cases: &["tinygrad#17708", "pytorch_optimizer#517", "mlx#440", "Ranger21#54"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    let Some(subject) = case.subjects.last() else { return };
    let is_partial = subject.checkpoint.optimizers.iter().any(is_partial);
    let off: Vec<(&TensorEstimate, Estimate, f64)> = proved(case)
        .filter(|(_, estimate, declared)| estimate.excludes(*declared) && estimate.high >= 0.0)
        .filter(|(_, estimate, declared)| !is_twice(*estimate, *declared))
        .filter(|(one, ..)| !is_below_rounding(case, &one.tensor))
        .collect();
    // The most exact one is shown.
    let width = |estimate: &Estimate| estimate.high - estimate.low;
    let best = off.iter().min_by(|one, other| width(&one.1).total_cmp(&width(&other.1)));
    let Some(&(one, estimate, declared)) = best.filter(|_| !is_partial) else { return };
    let names = once(off.iter().map(|(one, ..)| one.tensor.as_str()));
    let verdict = match estimate.holds(0.0) {
        true => "no decay was applied",
        false if one.method == Method::CoupledMomentum => {
            "a penalty in the gradient or the loss was applied"
        }
        false => "another decay was applied",
    };
    let message = format!(
        "The files prove λ̂ = {} [{}, {}] for `{}`, where λ = {} is declared: \
         {verdict} to {}.",
        short(estimate.value),
        short(estimate.low),
        short(estimate.high),
        one.tensor,
        short(declared),
        listed(&names)
    );
    let fix = format!(
        "Test the optimizer's step with gradients of zero, on {}.",
        agree(&names, "this tensor", "these tensors")
    );
    report.add(Place::file(&subject.checkpoint.path), message, fix, names);
}

/// Whether decay acts on some coordinates only, or towards another point than 0.
fn is_partial(optimizer: &OptimizerState) -> bool {
    const WORDS: [&str; 4] = ["cautious", "mask", "anchor", "decay_to_init"];
    let says = |text: &str| WORDS.iter().any(|word| text.to_lowercase().contains(word));
    let is_on = |value: &Value| !matches!(value, Value::None | Value::Bool(false));
    optimizer.name.as_deref().is_some_and(says)
        || optimizer
            .groups
            .iter()
            .any(|group| group.settings.iter().any(|(key, value)| says(key) && is_on(value)))
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::checkpoint::Value;
    use crate::estimate::Method;
    use crate::rules::testing::*;

    pub(crate) fn fault() -> Case {
        proved(vec![
            estimate("wte.weight", Method::NeverSeen, 0.0, 2e-4),
            estimate("h.0.mlp.c_fc.weight", Method::Consecutive, 0.001, 4e-3),
        ])
    }

    /// A rough estimate, and a good one that misses by two standard errors.
    pub(crate) fn look_alike() -> Case {
        proved(vec![
            estimate("h.0.mlp.c_fc.weight", Method::InitialSpread, 0.05, 0.01),
            estimate("h.1.mlp.c_fc.weight", Method::Consecutive, 0.104, 0.0039),
        ])
    }

    #[test]
    fn the_verdict_is_in_the_message() {
        let [finding] = &findings_of("F03", &fault())[..] else { panic!("one finding") };
        assert_eq!(
            finding.message,
            "The files prove λ̂ = 0 [-2e-4, 2e-4] for `wte.weight`, where λ = 0.1 is declared: no \
             decay was applied to `wte.weight` and `h.0.mlp.c_fc.weight`."
        );
        let third = proved(vec![estimate("wte.weight", Method::NeverSeen, 0.033, 2e-4)]);
        let [finding] = &findings_of("F03", &third)[..] else { panic!("one finding") };
        assert!(finding.message.contains("another decay was applied"));
    }

    #[test]
    fn cautious_decay_is_no_fault() {
        let mut case = fault();
        let group = &mut case.subjects[1].checkpoint.optimizers[0].groups[0];
        group.settings.push(("cautious".to_owned(), Value::Bool(true)));
        assert!(findings_of("F03", &case).is_empty());
    }
}
