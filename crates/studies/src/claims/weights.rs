//! Claims 4 and 18: the final weights of trained language models, beside a Gaussian, and the rank
//! of what their heads compare.

use faer::Mat;
use wd_lab::setting::spell;
use wd_lab::wording::sentence::{quantity, short, tested};
use wd_statistics::{Interval, PairedDifference, interval};
use wd_store::{RunDirectory, Tensor};

use super::row::{Finding, Verdict, more_seeds, surely};
use super::runs::{Arm, Family, Run};
use crate::StudyError;

const COMMAND: &str = "wd reproduce claims";

/// A kind of matrix, over all blocks of a model.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kurtosis {
    /// For example `mlp.up`.
    pub(super) kind: String,
    /// Excess kurtosis over seeds, without λ; 0 for a Gaussian.
    pub(super) without: Interval,
    /// The same with λ.
    pub(super) with: Interval,
}

/// What the final weights of two arms are like.
pub(super) struct FinalWeights {
    pub(super) lambda: f64,
    pub(super) kurtosis: Vec<Kurtosis>,
    /// Mean entropy rank of W_QᵀW_K over heads, with λ less without.
    rank: PairedDifference,
    rank_without: Interval,
    rank_with: Interval,
    /// The largest rank that it can have: the width of a head.
    head_width: usize,
}

/// What is read from one run: excess kurtosis by kind of matrix, and the mean entropy rank of its
/// heads.
struct Read {
    seed: u64,
    kurtosis: Vec<(String, f64)>,
    rank: Option<f64>,
}

impl FinalWeights {
    /// Of the runs under the cosine with the most seeds; absent where none has finished.
    ///
    /// # Errors
    /// A checkpoint that is damaged, a decomposition that does not converge.
    pub(super) fn of(cosine: &Family<'_>) -> Result<Option<Self>, StudyError> {
        let (Some(with), Some(without)) = (cosine.main(), cosine.baseline()) else {
            return Ok(None);
        };
        let heads = with.runs.values().next().map_or(1, |run| heads(run));
        let read = |arm: &Arm<'_>| -> Result<Vec<Read>, StudyError> {
            arm.runs.values().map(|run| read(run, heads)).collect()
        };
        let (with_lambda, without_lambda) = (read(with)?, read(without)?);
        let over_seeds = |runs: &[Read], kind: &str| {
            let values: Vec<f64> = runs
                .iter()
                .flat_map(|run| &run.kurtosis)
                .filter_map(|(name, value)| (name == kind).then_some(*value))
                .collect();
            interval(&values)
        };
        let kinds = with_lambda.first().map_or(&[][..], |run| &run.kurtosis);
        let ranks = |runs: &[Read]| -> Vec<(u64, f64)> {
            runs.iter().filter_map(|run| Some((run.seed, run.rank?))).collect()
        };
        let (ranks_with, ranks_without) = (ranks(&with_lambda), ranks(&without_lambda));
        let pairs = ranks_with.iter().filter_map(|(seed, rank)| {
            let other = ranks_without.iter().find(|(other, _)| other == seed)?;
            Some((*seed, rank - other.1))
        });
        let alone = |ranks: &[(u64, f64)]| {
            interval(&ranks.iter().map(|(_, rank)| *rank).collect::<Vec<f64>>())
        };
        Ok(Some(FinalWeights {
            lambda: with.lambda,
            kurtosis: kinds
                .iter()
                .map(|(kind, _)| Kurtosis {
                    kind: kind.clone(),
                    without: over_seeds(&without_lambda, kind),
                    with: over_seeds(&with_lambda, kind),
                })
                .collect(),
            rank: PairedDifference::of(pairs.collect()),
            rank_without: alone(&ranks_without),
            rank_with: alone(&ranks_with),
            head_width: width(with, heads),
        }))
    }

    /// Claim 4: weights are Gaussian.
    pub(super) fn gaussian(&self) -> Finding {
        let told: Vec<String> = self
            .kurtosis
            .iter()
            .map(|kind| {
                format!("{} {} and {}", kind.kind, quantity(&kind.without), quantity(&kind.with))
            })
            .collect();
        let all = || self.kurtosis.iter().flat_map(|kind| [&kind.without, &kind.with]);
        let is_known = !self.kurtosis.is_empty() && all().all(|value| value.n > 1);
        // Within ±.5 a histogram does not look other than a Gaussian.
        let is_gaussian = |value: &Interval| value.low > -0.5 && value.high < 0.5;
        let is_not = |value: &Interval| value.low > 0.5 || value.high < -0.5;
        let mut finding = Finding::new(
            Verdict::decided(is_known && all().all(is_gaussian), is_known && all().any(is_not)),
            format!(
                "As an assumption it need not hold of what is found after training. Excess \
                 kurtosis of the matrices at λ = 0 and at λ = {}: {}. A Gaussian has 0; \
                 \"Gaussian\" is taken to be within ±0.5. The initial weights are Gaussian, \
                 whatever λ is.",
                spell(self.lambda),
                told.join("; ")
            ),
        )
        .settled_by(format!(
            "`{COMMAND} --seeds {}`: more seeds, until every interval lies inside ±0.5 or one \
             outside",
            self.rank_with.n + 2
        ));
        for kind in &self.kurtosis {
            let lambda = spell(self.lambda);
            finding = finding
                .with(format!("excess kurtosis, {}, λ=0", kind.kind), kind.without)
                .with(format!("excess kurtosis, {}, λ={lambda}", kind.kind), kind.with);
        }
        finding
    }

    /// Claim 18: the prior narrows the space.
    pub(super) fn narrows(&self, linear: &str) -> Finding {
        Finding::new(
            Verdict::decided(surely(&self.rank, -1.0), surely(&self.rank, 1.0)),
            format!(
                "{linear} In the language models the entropy rank of W_Qᵀ W_K, a mean over heads, \
                 at most {}, is {} at λ = 0 and {} at λ = {}: a change of {}. There λ is AdamW's, \
                 which is no prior.",
                self.head_width,
                short(self.rank_without.mean),
                short(self.rank_with.mean),
                spell(self.lambda),
                tested(&self.rank)
            ),
        )
        .settled_by(more_seeds(&self.rank, COMMAND))
        .with(format!("entropy rank, λ={} less 0", spell(self.lambda)), self.rank.interval)
    }
}

/// Heads of attention, as the run was configured.
fn heads(run: &Run) -> usize {
    run.setting("model.heads").and_then(|heads| heads.parse().ok()).unwrap_or(1)
}

/// Width of a head.
fn width(arm: &Arm<'_>, heads: usize) -> usize {
    let run = arm.runs.values().next();
    let tensors = run.map_or_else(Vec::new, |run| run.matrices());
    let qkv = tensors.into_iter().find(|tensor| is_qkv(&tensor.path));
    qkv.and_then(|tensor| tensor.shape.get(1)).map_or(0, |width| width / heads.max(1))
}

fn is_qkv(path: &str) -> bool {
    path.ends_with("attention.qkv.weight")
}

/// `block.3.mlp.up.weight` → `mlp.up`.
fn kind(path: &str) -> String {
    let parts: Vec<&str> = path.split('.').collect();
    match parts.as_slice() {
        ["block", _, middle @ .., "weight"] => middle.join("."),
        [middle @ .., "weight"] => middle.join("."),
        _ => path.to_owned(),
    }
}

/// Reads the last checkpoint of a run.
fn read(run: &Run, heads: usize) -> Result<Read, StudyError> {
    let latest = RunDirectory::open(&run.directory)?.checkpoints().latest()?;
    let model = latest.checkpoint.map(|checkpoint| checkpoint.model).unwrap_or_default();
    let matrices = run.matrices();
    let of_matrices: Vec<&Tensor> = model
        .iter()
        .filter(|(path, _, _)| matrices.iter().any(|tensor| tensor.path == *path))
        .collect();
    // Blocks of one kind share a scale only about: the mean of their own kurtoses, not that of all.
    let mut kurtosis: Vec<(String, Vec<f64>)> = Vec::new();
    let mut ranks = Vec::new();
    for (path, shape, values) in of_matrices {
        let own = excess_kurtosis(values);
        let kind = kind(path);
        match kurtosis.iter_mut().find(|(name, _)| *name == kind) {
            Some((_, all)) => all.push(own),
            None => kurtosis.push((kind, vec![own])),
        }
        if is_qkv(path) {
            ranks.extend(head_ranks(values, shape, heads)?);
        }
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    Ok(Read {
        seed: run.seed,
        kurtosis: kurtosis.into_iter().map(|(kind, values)| (kind, mean(&values))).collect(),
        rank: (!ranks.is_empty()).then(|| mean(&ranks)),
    })
}

/// Σ(w − w̄)⁴/n / (Σ(w − w̄)²/n)² − 3.
fn excess_kurtosis(values: &[f32]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / n;
    let moment = |power: i32| {
        values.iter().map(|value| (f64::from(*value) - mean).powi(power)).sum::<f64>() / n
    };
    moment(4) / moment(2).powi(2) - 3.0
}

/// The entropy rank of W_QᵀW_K of each head, from the rows of queries and keys of one block:
/// exp(−Σ p ln p), p the singular values over their sum (Roy & Vetterli 2007).
///
/// `values` is `[3·width, width]`: queries, keys, values, head by head each.
fn head_ranks(values: &[f32], shape: &[usize], heads: usize) -> Result<Vec<f64>, StudyError> {
    let [rows, width] = *shape else { return Ok(Vec::new()) };
    if heads == 0 || rows != 3 * width || width % heads != 0 || values.len() != rows * width {
        return Ok(Vec::new());
    }
    let head_width = width / heads;
    let part = |first: usize| {
        Mat::from_fn(head_width, width, |row, column| {
            f64::from(values[(first + row) * width + column])
        })
    };
    (0..heads)
        .map(|head| {
            let (queries, keys) = (part(head * head_width), part(width + head * head_width));
            let product: Mat<f64> = queries.transpose() * &keys;
            let values = product.singular_values().map_err(|error| StudyError::Decomposition {
                what: "a head of attention",
                problem: format!("{error:?}"),
            })?;
            Ok(entropy_rank(&values))
        })
        .collect()
}

fn entropy_rank(singular_values: &[f64]) -> f64 {
    let sum: f64 = singular_values.iter().sum();
    let entropy: f64 = singular_values
        .iter()
        .map(|value| value / sum)
        .filter(|share| *share > 0.0)
        .map(|share| -share * share.ln())
        .sum();
    entropy.exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kurtosis_of_known_distributions() {
        // Two values: 1 − 3. A uniform grid: 9/5 − 3 but for its ends.
        assert!((excess_kurtosis(&[1.0, -1.0, 1.0, -1.0]) + 2.0).abs() < 1e-12);
        let grid: Vec<f32> = (0..10_001).map(|index| index as f32 / 10_000.0).collect();
        assert!((excess_kurtosis(&grid) + 1.2).abs() < 1e-3);
        // A Gaussian by its quantiles, from sums of twelve uniform numbers: excess −0.1.
        let uniform = |index: u64| {
            let mixed = index.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (index << 7);
            (mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f32 / (1u64 << 24) as f32
        };
        let sums: Vec<f32> =
            (0..50_000).map(|at| (0..12).map(|part| uniform(12 * at + part)).sum()).collect();
        assert!((excess_kurtosis(&sums) + 0.1).abs() < 0.1);
    }

    #[test]
    fn the_entropy_rank_counts_equal_directions() {
        assert!((entropy_rank(&[2.0, 2.0, 2.0]) - 3.0).abs() < 1e-12);
        assert!((entropy_rank(&[2.0, 0.0, 0.0]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn heads_are_read_from_their_rows() {
        // Width 4, two heads: the first compares two equal directions, the second a single one.
        let (width, heads) = (4, 2);
        let mut values = vec![0.0f32; 3 * width * width];
        for part in [0, width] {
            values[part * width] = 1.0;
            values[(part + 1) * width + 1] = 1.0;
            values[(part + 2) * width + 2] = 1.0;
        }
        let ranks = head_ranks(&values, &[3 * width, width], heads).expect("ranks");
        assert!((ranks[0] - 2.0).abs() < 1e-9 && (ranks[1] - 1.0).abs() < 1e-9, "{ranks:?}");
        assert!(head_ranks(&values, &[3 * width, width], 3).expect("none").is_empty());
    }

    #[test]
    fn the_kind_of_a_matrix() {
        assert_eq!(kind("block.3.attention.qkv.weight"), "attention.qkv");
        assert_eq!(kind("head.weight"), "head");
    }
}
