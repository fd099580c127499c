//! N04: rows without gradient move by single steps of bf16.

use wd_page::number::count;

use super::words::{agree, listed};
use super::{Report, Rule};
use crate::case::Case;
use crate::finding::{Place, Severity};
use crate::tensor::{Dtype, Tensor};

/// Elements of a row that must have moved before their common direction is no chance: 2⁻⁸.
const LEAST_MOVED: usize = 8;

pub(super) static RULE: Rule = Rule {
    id: "N04",
    name: "jumpy-dead-rows",
    severity: Severity::Note,
    finds: "Rows of a bf16 copy move towards 0 by single steps of the last digit, here and there.",
    why: "It looks like a fault and is none. The weights that train are 32-bit and shrink a little \
        in every step; the bf16 copy that is saved follows in jumps of one last digit, each \
        element at another time. That *is* weight decay, of rows that have no gradient.",
    seen: "Between two checkpoints some elements of a row in bf16 moved by exactly one step \
        towards 0, none moved otherwise, and most did not move. This needs two files of the model \
        in bf16.",
    mend: "Nothing is to be mended. If unused rows should stay as they are, spare the embedding:\
        \n\n    {\"params\": [model.embedding.weight], \"weight_decay\": 0.0}\
        \n\nThe mean over many rows gives λ, which a single element cannot.",
    no_fault: "Rows that were trained move in both directions, and are not reported.",
    cases: &["Megatron-LM#2994"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for pair in case.subjects.windows(2) {
        let [first, second] = pair else { continue };
        let before = first.checkpoint.tensors_by_name();
        let (mut names, mut rows) = (Vec::new(), 0);
        for after in &second.checkpoint.model {
            let Some(earlier) = before.get(after.name.as_str()) else { continue };
            let jumpy = jumpy_rows(earlier, &after.tensor);
            rows += jumpy;
            if jumpy > 0 {
                names.push(after.name.clone());
            }
        }
        if names.is_empty() {
            continue;
        }
        let message = format!(
            "{} {} of {} moved towards 0 by single steps of bf16 in some elements and not at all \
             in the others: the decay of 32-bit weights, seen through a bf16 copy.",
            count(rows as u64),
            if rows == 1 { "row" } else { "rows" },
            listed(&names)
        );
        let fix = format!(
            "Nothing is wrong; spare {} if unused rows should not decay.",
            agree(&names, "the tensor", "the tensors")
        );
        report.add(Place::file(&second.checkpoint.path), message, fix, names);
    }
}

/// Rows in which elements moved by one step towards 0 and none moved otherwise.
fn jumpy_rows(first: &Tensor, second: &Tensor) -> usize {
    let is_bf16 = |one: &Tensor| {
        one.dtype() == Dtype::Bfloat16 && one.is_contiguous() && !one.is_big_endian()
    };
    let (rows, length) = first.rows();
    let is_table = first.shape() == second.shape() && rows > 1 && length >= 2 * LEAST_MOVED;
    if !is_table || !is_bf16(first) || !is_bf16(second) {
        return 0;
    }
    let before = first.bytes().chunks_exact(2 * length);
    let after = second.bytes().chunks_exact(2 * length);
    before.zip(after).filter(|(before, after)| is_jumpy(before, after)).count()
}

fn is_jumpy(before: &[u8], after: &[u8]) -> bool {
    let mut moved = 0;
    for (old, new) in before.chunks_exact(2).zip(after.chunks_exact(2)) {
        let [old, new] = [old, new].map(|bytes| match bytes {
            &[low, high] => u16::from_le_bytes([low, high]),
            _ => 0,
        });
        if old == new {
            continue;
        }
        // The bits of one sign are in the order of their values.
        if old & 0x7fff == 0 || new != old - 1 {
            return false;
        }
        moved += 1;
    }
    moved >= LEAST_MOVED && 4 * moved <= before.len()
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::rules::testing::*;
    use crate::tensor::Dtype;

    /// A table of 4 rows of 32 in bf16; the elements of row 3 that `moves` picks have moved.
    fn pair(moves: fn(usize) -> f64) -> Case {
        let start = |index: usize| if index.is_multiple_of(2) { 1.5 } else { -1.5 };
        let table = |later: bool| {
            let value = |index: usize| match later && index >= 96 {
                true => start(index) * (1.0 - moves(index) / 192.0),
                false => start(index),
            };
            let values: Vec<f64> = (0..128).map(value).collect();
            let mut subject = clean();
            subject.checkpoint.model[4] =
                named("wte.weight", tensor(Dtype::Bfloat16, &values, &[4, 32]));
            subject
        };
        two(table(false), table(true))
    }

    pub(crate) fn fault() -> Case {
        pair(|index| f64::from(u8::from(index.is_multiple_of(3))))
    }

    /// A row that was trained: some elements grew.
    pub(crate) fn look_alike() -> Case {
        pair(|index| match index % 6 {
            0 => 1.0,
            3 => -1.0,
            _ => 0.0,
        })
    }
}
