//! N02: ηλ is so small that f32 rounding changes or swallows the decay.

use wd_page::number::short;

use super::evidence::{F32_QUANTUM, F32_ROUGH, groups, is_shrink_itself, peak_rate, states};
use super::{Report, Rule};
use crate::case::{Case, Subject, is_decoupled};
use crate::finding::{Place, Severity};
use crate::tensor::Dtype;

pub(super) static RULE: Rule = Rule {
    id: "N02",
    name: "fp32-quantum",
    severity: Severity::Warning,
    finds: "A step of decay is so small that 32-bit rounding swallows it or changes its size.",
    why: "A 32-bit number has 24 significant bits, and w·(1 − ηλ) rounds back to w where ηλ is \
        below 2⁻²⁵, 3e-8. Above that, rounding takes off too much or too little. Measured with \
        AdamW of PyTorch 2.15: nothing at λ = 0.01 and a rate of 2e-6, 2.9 λ at 3e-6, 1.15 λ at \
        1e-5, 0.94 λ at 2e-5, 0.95 λ at 5e-5. Fine-tuning with common defaults lies there.",
    seen: "The largest known rate times λ of a group whose state is kept in 32 bits is below 10⁻⁶. \
        This needs a saved optimizer whose decay is decoupled.",
    mend: "Set λ to 0 and say so, or choose λ so that it acts: over a run of S steps λ = 1/(ηS) \
        takes weights without gradient down to 37 %.\
        \n\n    optimizer = torch.optim.AdamW(groups, lr=2e-5, weight_decay=0.0)\
        \n\nwd explain gives κ of the run.",
    no_fault: "The effect of so small a decay is harmless; what is wrong is the claim that a \
        certain λ was applied. A small rate at the end of a schedule does not count: the peak \
        does.",
    cases: &[],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for subject in &case.subjects {
        let Some((lambda, rate)) = below(case, subject) else { continue };
        let shrink = lambda * rate;
        let effect = match shrink < F32_QUANTUM {
            true => "is below 2⁻²⁵, where 32-bit weights do not move at all",
            false => {
                "is below 10⁻⁶, where rounding of 32-bit weights changes the decay by more than 3 %"
            }
        };
        let message =
            format!("ηλ = {} · {} = {} {effect}.", short(rate), short(lambda), short(shrink));
        let fix = "Set λ to 0, or choose one that acts over the run.".to_owned();
        report.add(Place::file(&subject.checkpoint.path), message, fix, Vec::new());
    }
}

/// λ and the peak rate of the group whose shrink is largest, if even that is too small.
fn below(case: &Case, subject: &Subject) -> Option<(f64, f64)> {
    let declarations = subject.declared(case);
    let is_single = states(subject).iter().any(|(_, state)| {
        let mut tensors = state.tensors.iter().map(|one| &one.tensor);
        tensors.any(|one| one.dtype() == Dtype::Float32 && one.elements() > 1)
    });
    let decaying = groups(subject).filter(|(_, group)| group.lambda.is_some_and(|one| one > 0.0));
    let mut largest: Option<(f64, f64)> = None;
    for (optimizer, group) in decaying {
        // A penalty in the gradient is not rounded by itself; and where a step takes off λ itself,
        // the rate says nothing of its size.
        let is_other = is_decoupled(optimizer, group, declarations) == Some(false)
            || is_shrink_itself(optimizer, declarations);
        let (lambda, rate) = (group.lambda?, peak_rate(subject, group, declarations)?);
        if is_other || rate <= 0.0 {
            return None;
        }
        if largest.is_none_or(|(most, at)| lambda * rate > most * at) {
            largest = Some((lambda, rate));
        }
    }
    largest.filter(|(lambda, rate)| is_single && lambda * rate < F32_ROUGH)
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::rules::testing::*;

    /// A fine-tuning at 2e-5 with λ = 0.01.
    pub(crate) fn fault() -> Case {
        let mut subject = clean();
        set_lambda(&mut subject, 0, 0.01);
        for group in &mut subject.checkpoint.optimizers[0].groups {
            (group.rate, group.initial_rate) = (Some(2e-5), Some(2e-5));
        }
        one(subject)
    }

    /// The end of a cosine: the rate is tiny now, and was not at its peak.
    pub(crate) fn look_alike() -> Case {
        let mut subject = clean();
        for group in &mut subject.checkpoint.optimizers[0].groups {
            group.rate = Some(1e-9);
        }
        one(subject)
    }

    #[test]
    fn a_decay_without_the_rate_is_not_multiplied_by_it() {
        let mut case = fault();
        case.subjects[0].checkpoint.optimizers[0].name = Some("DecoupledAdamW".to_owned());
        assert_eq!(findings_of("N02", &case), []);
    }

    #[test]
    fn below_the_quantum_nothing_moves() {
        let mut case = fault();
        set_lambda(&mut case.subjects[0], 0, 1e-3);
        let [finding] = &findings_of("N02", &case)[..] else { panic!("one finding") };
        assert_eq!(
            finding.message,
            "ηλ = 2e-5 · 0.001 = 2e-8 is below 2⁻²⁵, where 32-bit weights do not move at all."
        );
    }
}
