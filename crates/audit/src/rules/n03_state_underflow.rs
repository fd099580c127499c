//! N03: the second moment of a 16-bit state has become 0.

use wd_page::number::percent;

use super::evidence::states;
use super::words::{agree, listed};
use super::{Report, Rule};
use crate::case::Case;
use crate::checkpoint::ParameterState;
use crate::finding::{Place, Severity};
use crate::tensor::{Dtype, Tensor};

pub(super) static RULE: Rule = Rule {
    id: "N03",
    name: "state-underflow",
    severity: Severity::Note,
    finds: "The optimizer's state was stored in 16 bits, and second moments became 0 where the \
        first ones are not.",
    why: "The second moment is a square, and squares of small gradients lie below the smallest \
        number of 16 bits. An optimizer that is resumed from such a file divides by ε alone and \
        makes a first step of any size. Estimates of λ that read the update from the state, or \
        look for rows without gradient, cannot be made from it.",
    seen: "Some tensor of exp_avg_sq in 16 bits is 0 at elements where exp_avg is not. This needs \
        a saved optimizer.",
    mend: "Save the optimizer as it is, without a cast:\
        \n\n    torch.save({\"optimizer\": optimizer.state_dict()}, path)\
        \n\nUltralytics casts its state to fp16 to save space: resume from such a file with a \
        warm-up.",
    no_fault: "Elements where both moments are 0 never had a gradient, which is no underflow.",
    cases: &[],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for subject in &case.subjects {
        let (mut names, mut lost, mut all) = (Vec::new(), 0, 0);
        for (parameter, state) in states(subject) {
            let Some((underflown, elements)) = underflow(state) else { continue };
            all += elements;
            lost += underflown;
            if underflown > 0 {
                names.push(parameter.label());
            }
        }
        if names.is_empty() {
            continue;
        }
        let message = format!(
            "In the 16-bit state of {} the second moment is 0 at {} of the elements, where the \
             first one is not.",
            listed(&names),
            percent(lost as f64 / all as f64)
        );
        let fix = format!(
            "Save the state in 32 bits; λ of {} tensors cannot be proved from this file.",
            agree(&names, "such", "these")
        );
        report.add(Place::file(&subject.checkpoint.path), message, fix, names);
    }
}

/// Elements whose second moment alone is 0, and all elements, of a state in 16 bits.
fn underflow(state: &ParameterState) -> Option<(usize, usize)> {
    let (first, second) = (state.tensor("exp_avg")?, state.tensor("exp_avg_sq")?);
    let is_short = matches!(second.dtype(), Dtype::Float16 | Dtype::Bfloat16);
    if !is_short || first.shape() != second.shape() {
        return None;
    }
    let zeros = zeros(second)?;
    if zeros.iter().all(|&bits| bits == 0) {
        return Some((0, second.elements()));
    }
    let (mut position, mut underflown) = (0_usize, 0);
    first.for_each_block(|block| {
        for &value in block {
            let is_zero =
                zeros.get(position / 64).is_some_and(|bits| bits >> (position % 64) & 1 == 1);
            underflown += usize::from(is_zero && value != 0.0);
            position += 1;
        }
    });
    Some((underflown, second.elements()))
}

/// Which elements are 0, a bit for each: the two moments cannot be walked through at once.
fn zeros(tensor: &Tensor) -> Option<Vec<u64>> {
    let mut bits = vec![0_u64; tensor.elements().div_ceil(64)];
    let mut position = 0_usize;
    let is_read = tensor.for_each_block(|block| {
        for &value in block {
            if value == 0.0
                && let Some(word) = bits.get_mut(position / 64)
            {
                *word |= 1 << (position % 64);
            }
            position += 1;
        }
    });
    is_read.then_some(bits)
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::rules::testing::*;
    use crate::tensor::Dtype;

    fn with_first_moment(value: f64) -> Case {
        let mut subject = clean();
        let state = &mut subject.checkpoint.optimizers[0].states[0];
        let shape = state.tensors[0].tensor.shape().to_vec();
        state.tensors[0].tensor = filled(Dtype::Float16, value, &shape);
        state.tensors[1].tensor = filled(Dtype::Float16, 1e-9, &shape);
        one(subject)
    }

    pub(crate) fn fault() -> Case {
        with_first_moment(1e-4)
    }

    /// Both moments are 0: there never was a gradient.
    pub(crate) fn look_alike() -> Case {
        with_first_moment(0.0)
    }
}
