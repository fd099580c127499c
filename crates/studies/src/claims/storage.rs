//! Claim 31: what is left of the decay where weights are stored in bf16.

use wd_lab::setting::spell;
use wd_lab::wording::Ends;
use wd_lab::wording::sentence::short;
use wd_page::number;
use wd_statistics::{Interval, PairedDifference};

use super::row::{Finding, Verdict};
use super::runs::{Family, Run, Runs, paired};

const COMMAND: &str = "wd reproduce claims";

/// The key, and what it may be beside f32.
const KEY: &str = "optim.storage";

/// The runs of each storage.
pub(super) struct Storages<'a> {
    pub(super) exact: Family<'a>,
    pub(super) nearest: Family<'a>,
    pub(super) stochastic: Family<'a>,
}

impl<'a> Storages<'a> {
    /// From the runs of the study.
    pub(super) fn of(runs: &'a Runs) -> Self {
        Storages {
            exact: runs.family(&[]),
            nearest: runs.family(&[(KEY, "bf16-nearest")]),
            stochastic: runs.family(&[(KEY, "bf16-stochastic")]),
        }
    }

    /// The finding.
    pub(super) fn finding(&self) -> Finding {
        let (Some(with), Some(without)) = (self.nearest.main(), self.nearest.baseline()) else {
            return Finding::missing("no pair of runs with weights in bf16 has finished", COMMAND);
        };
        let shrink = with.runs.values().map(|run| peak_shrink(run)).fold(0.0, f64::max);
        let norms = paired(with, without, Run::final_norm);
        let losses = paired(with, without, Run::validation);
        let is_swallowed = norms.is_identical() && losses.is_identical();
        let kept = |family: &Family<'_>| {
            let (with, without) = (family.arm(with.lambda)?, family.baseline()?);
            Some(paired(with, without, |run| run.final_norm().ln()))
        };
        let (exact, stochastic) = (kept(&self.exact), kept(&self.stochastic));
        let is_kept = stochastic.as_ref().is_some_and(|ratio| ratio.interval.mean < -0.01);
        let told = |name: &str, ratio: &Option<PairedDifference>| match ratio {
            Some(ratio) => format!("{name} {}", factor(&ratio.interval)),
            None => format!("{name} not measured"),
        };
        let loss = |family: &Family<'_>, name: &str| {
            let (other, exact) = (family.arm(with.lambda)?, self.exact.arm(with.lambda)?);
            let change = paired(other, exact, Run::validation);
            Some(format!("{name} {}", wd_lab::wording::sentence::tested(&change)))
        };
        let losses: Vec<String> =
            [loss(&self.nearest, "to nearest"), loss(&self.stochastic, "stochastically")]
                .into_iter()
                .flatten()
                .collect();
        let below = 2f64.powi(-9);
        Finding::new(
            Verdict::decided(
                is_swallowed && is_kept && shrink < below,
                !is_swallowed && shrink < below && norms.interval.n > 0,
            ),
            format!(
                "With λ = {} a step takes at most {} off, below 2⁻⁹ = 0.00195: rounded to nearest \
                 after decay and update, as PyTorch does, {}. ‖w‖ with λ over that without: {}; \
                 {}. Validation loss against f32 at this λ: rounded {}. That it keeps large models \
                 from diverging in bf16 was not tried: they are too large for this study.",
                spell(with.lambda),
                short(shrink),
                match is_swallowed {
                    true =>
                        "the run with λ has the norms and losses of that without, bit for bit: \
                             the decay is lost",
                    false => "the run with λ differs from that without",
                },
                told("f32", &exact),
                told("bf16 rounded stochastically", &stochastic),
                losses.join("; ")
            ),
        )
        .settled_by(format!("`{COMMAND}`: two runs in each storage"))
        .with("‖w‖ rounded to nearest, λ less 0", norms.interval)
        .with("ln ‖w‖ in f32, λ less 0", exact.map_or(NONE, |ratio| ratio.interval))
        .with("ln ‖w‖ rounded stochastically, λ less 0", stochastic.map_or(NONE, |r| r.interval))
    }
}

const NONE: Interval =
    Interval { mean: f64::NAN, low: f64::NAN, high: f64::NAN, standard_error: f64::NAN, n: 0 };

fn peak_shrink(run: &Run) -> f64 {
    (0..run.plan.steps).map(|step| run.plan.shrink(step)).fold(0.0, f64::max)
}

fn factor(log: &Interval) -> String {
    let written = Ends::Brackets.write(log, |log| number::fixed(log.exp(), 3));
    format!("{written} (n = {})", log.n)
}
