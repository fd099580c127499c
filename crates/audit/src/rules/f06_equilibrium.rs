//! F06: where the norms are on their way to.

use wd_page::number::{count, significant};

use super::words::listed;
use super::{Report, Rule};
use crate::case::Case;
use crate::estimate::Balance;
use crate::finding::{Place, Severity};

/// Elements that a tensor must have before one step's growth can be told from its noise.
const LEAST_ELEMENTS: usize = 100_000;

pub(super) static RULE: Rule = Rule {
    id: "F06",
    name: "equilibrium",
    severity: Severity::Note,
    finds: "The norms of the tensors grow, are balanced, or shrink, at some distance from where \
        decay and update would balance.",
    why: "Updates make weights larger and decay makes them smaller until the two balance, for \
        AdamW at an RMS of about √(η/2λ). Until then the effective learning rate changes by \
        itself; from then on λ sets the size of a relative update. A run that never comes near is \
        one in which λ did not do what it is for.",
    seen: "The state says what the last step did to ‖w‖², with an interval; decay's part of it is \
        −2ηλ. This needs the weights with the optimizer's state, η and λ.",
    mend: "To come to the balance earlier raise λ or the rate, and keep ηλ:\
        \n\n    steps_to_balance = 1 / (lr * weight_decay)\
        \n\nwd explain predicts the norm over the run.",
    no_fault: "It is a note. Tensors of fewer than 100,000 elements have no verdict: their growth \
        in one step is noise. Correlated gradients move the balance by tens of per cent.",
    cases: &[],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    let Some(subject) = case.subjects.last() else { return };
    let tensors = subject.checkpoint.tensors_by_name();
    let large: Vec<&Balance> = case
        .proof
        .balances
        .iter()
        .filter(|one| {
            let tensor = tensors.get(one.tensor.as_str());
            tensor.is_some_and(|tensor| tensor.elements() >= LEAST_ELEMENTS)
        })
        .collect();
    if large.is_empty() {
        return;
    }
    let these = |is_it: fn(&Balance) -> bool| -> Vec<String> {
        large.iter().filter(|one| is_it(one)).map(|one| one.tensor.clone()).collect()
    };
    let growing = these(|one| one.growth.low > 0.0);
    let shrinking = these(|one| one.growth.high < 0.0);
    let balanced = large.len() - growing.len() - shrinking.len();
    let [all, up, down, still] =
        [large.len(), growing.len(), shrinking.len(), balanced].map(|one| count(one as u64));
    let moving = if growing.is_empty() { &shrinking } else { &growing };
    let example = match moving.is_empty() {
        true => String::new(),
        false => format!(" ({})", listed(moving)),
    };
    let message = format!(
        "In the last step {up} of {all} large tensors grew, {down} shrank, and {still} cannot be \
         told from balanced{example}{}.",
        distance(&large)
    );
    let fix = "Nothing is wrong; raise ηλ where a balance should be reached earlier.".to_owned();
    report.add(Place::file(&subject.checkpoint.path), message, fix, moving.clone());
}

/// The smallest and the largest RMS as a share of the balanced one.
fn distance(balances: &[&Balance]) -> String {
    let ratios: Vec<f64> = balances
        .iter()
        .filter_map(|one| Some(one.rms / one.equilibrium_rms.filter(|&rms| rms > 0.0)?))
        .filter(|ratio| ratio.is_finite())
        .collect();
    let least = ratios.iter().copied().min_by(f64::total_cmp);
    let most = ratios.iter().copied().max_by(f64::total_cmp);
    match (least, most) {
        (Some(least), Some(most)) => {
            let (least, most) = (significant(least, 2), significant(most, 2));
            let range = if least == most { least } else { format!("{least} to {most}") };
            format!("; the RMS is {range} times the balanced one, √(η/2λ)")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::estimate::{Balance, Estimate};
    use crate::rules::testing::*;
    use crate::tensor::Dtype;

    fn grown(elements: usize) -> Case {
        let mut subject = clean();
        subject.checkpoint.model[0] =
            named("h.0.attn.c_attn.weight", filled(Dtype::Float32, 0.02, &[elements]));
        let mut case = one(subject);
        case.proof.balances = vec![Balance {
            tensor: "h.0.attn.c_attn.weight".to_owned(),
            growth: Estimate { value: 8.7e-5, low: 6.1e-5, high: 1.13e-4 },
            decay_part: -2e-4,
            rms: 0.02,
            equilibrium_rms: Some(0.0707),
        }];
        case
    }

    pub(crate) fn fault() -> Case {
        grown(100_000)
    }

    /// A small tensor, whose growth in one step is noise.
    pub(crate) fn look_alike() -> Case {
        grown(400)
    }

    #[test]
    fn the_distance_is_in_the_message() {
        let [finding] = &findings_of("F06", &fault())[..] else { panic!("one finding") };
        assert_eq!(
            finding.message,
            "In the last step 1 of 1 large tensors grew, 0 shrank, and 0 cannot be told from \
             balanced (`h.0.attn.c_attn.weight`); the RMS is 0.28 times the balanced one, √(η/2λ)."
        );
    }
}
