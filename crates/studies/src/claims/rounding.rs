//! Beside the post: what rounding the final weights costs, with λ and without. No run is trained
//! for it.

use std::collections::BTreeMap;

use serde::Serialize;
use wd_lab::setting::spell;
use wd_lab::wording::sentence::tested;
use wd_statistics::{PairedDifference, adjust_family};
use wd_store::RunDirectory;

use super::runs::{Arm, Family, Run};
use crate::StudyError;

/// What rounding the weights to some bits costs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rounding {
    /// Bits of an integer.
    pub bits: u8,
    /// λ.
    pub lambda: f64,
    /// Validation loss of the rounded weights less that of the weights as they are, at λ = 0.
    pub without: PairedDifference,
    /// The same with λ.
    pub with: PairedDifference,
    /// The cost with λ less that without, on the same seeds.
    pub difference: PairedDifference,
}

impl Rounding {
    /// From the evaluations of the runs under the cosine with the most seeds.
    ///
    /// # Errors
    /// An evaluation that is damaged.
    pub(super) fn all(cosine: &Family<'_>) -> Result<Vec<Self>, StudyError> {
        let (Some(with), Some(without)) = (cosine.main(), cosine.baseline()) else {
            return Ok(Vec::new());
        };
        let (costs_with, costs_without) = (costs(with)?, costs(without)?);
        let mut all = Vec::new();
        for (bits, with_lambda) in costs_with.iter().rev() {
            let Some(without_lambda) = costs_without.get(bits) else { continue };
            let pairs = with_lambda.iter().filter_map(|(seed, cost)| {
                let (_, other) = without_lambda.iter().find(|(other, _)| other == seed)?;
                Some((*seed, cost - other))
            });
            all.push(Rounding {
                bits: *bits,
                lambda: with.lambda,
                difference: PairedDifference::of(pairs.collect()),
                with: PairedDifference::of(with_lambda.clone()),
                without: PairedDifference::of(without_lambda.clone()),
            });
        }
        adjust_family(all.iter_mut().map(|rounding| &mut rounding.difference));
        Ok(all)
    }

    /// In a sentence.
    pub(super) fn sentence(&self) -> String {
        format!(
            "int{}: {} at λ = 0, {} at λ = {}, a difference of {}",
            self.bits,
            tested(&self.without),
            tested(&self.with),
            spell(self.lambda),
            tested(&self.difference)
        )
    }
}

/// By bits, each seed with what rounding adds to its validation loss.
fn costs(arm: &Arm<'_>) -> Result<BTreeMap<u8, Vec<(u64, f64)>>, StudyError> {
    let mut costs: BTreeMap<u8, Vec<(u64, f64)>> = BTreeMap::new();
    for (seed, run) in &arm.runs {
        for (bits, loss) in rounded_losses(run)? {
            costs.entry(bits).or_default().push((*seed, loss - run.validation()));
        }
    }
    Ok(costs)
}

/// The losses that were measured on rounded final weights, by bits.
fn rounded_losses(run: &Run) -> Result<Vec<(u8, f64)>, StudyError> {
    let all = RunDirectory::open(&run.directory)?.rounded()?;
    let of_end = all.into_iter().filter(|rounded| rounded.step == run.plan.steps);
    Ok(of_end.map(|rounded| (rounded.bits, rounded.loss)).collect())
}
