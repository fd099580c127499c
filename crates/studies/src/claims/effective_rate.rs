//! Claims 21, 23 and 29: what the gradient does late in the run, and what λ does to it.
//!
//! Adam divides the size of the gradient out. What is left of λ late in the run is a smaller ‖w‖,
//! so that a step of the same size turns the weights by more: if that is so, the ratio of the
//! relative updates with and without λ is the inverse ratio of the norms, and not that of the
//! gradients.

use wd_lab::setting::spell;
use wd_lab::wording::Ends;
use wd_lab::wording::sentence::short;
use wd_statistics::{Interval, PairedDifference};

use super::adam_scale::ScaledGradients;
use super::row::{Finding, Verdict, more_seeds, surely};
use super::runs::{Arm, Family, Run, paired};

const COMMAND: &str = "wd reproduce";

/// Largest |ln| of a ratio that counts as none: 2 %.
const SAME: f64 = 0.02;

/// ln of a number of two arms' ratio, seed by seed.
fn log_ratio(with: &Arm<'_>, without: &Arm<'_>, value: impl Fn(&Run) -> f64) -> PairedDifference {
    paired(with, without, |run| value(run).ln())
}

/// exp of an interval of logarithms: `1.46 [1.43, 1.49]`.
fn factor(log: &Interval) -> String {
    match log.n {
        0 => "not measured".to_owned(),
        1 => format!("{} (one seed, no interval)", short(log.mean.exp())),
        n => format!("{}, n = {n}", Ends::Brackets.write(log, |log| short(log.exp()))),
    }
}

/// The same without n, where several stand in one sentence.
fn times(log: &Interval) -> String {
    Ends::Brackets.write(log, |log| short(log.exp()))
}

/// The interval of a ratio from that of its logarithm.
fn of_ratio(log: &Interval) -> Interval {
    Interval {
        mean: log.mean.exp(),
        low: log.low.exp(),
        high: log.high.exp(),
        standard_error: log.standard_error * log.mean.exp(),
        n: log.n,
    }
}

/// ln of the late gradient over that in the middle of the same run.
fn growth(run: &Run) -> f64 {
    (run.late_gradient() / run.middle_gradient()).ln()
}

/// Claim 21: the rate is small, hence the gradient too.
pub(super) fn gradient_fades(cosine: &Family<'_>) -> Finding {
    let Some(arm) = cosine.baseline() else {
        return Finding::missing("no run without λ under a cosine has finished", COMMAND);
    };
    let pairs = arm.runs.iter().map(|(seed, run)| (*seed, growth(run)));
    let change = PairedDifference::of(pairs.collect());
    let falls = arm.level(Run::rate_falls_by);
    let verdict = Verdict::decided(surely(&change, -1.0), surely(&change, 1.0));
    let outcome = match verdict {
        Verdict::BorneOut => "It falls with the rate",
        Verdict::Contradicted => "It does not fall with the rate, it grows",
        _ => "Whether it falls with the rate is not shown",
    };
    Finding::new(
        verdict,
        format!(
            "Without λ the learning rate falls by a factor of {} between 30–50 % and 88–98 % of \
             the run, and the norm of the gradient goes from {} to {}: its ratio is {}. {outcome}.",
            short(falls.mean),
            short(arm.level(Run::middle_gradient).mean),
            short(arm.level(Run::late_gradient).mean),
            factor(&change.interval)
        ),
    )
    .settled_by(more_seeds(&change, COMMAND))
    .with("late over middle gradient norm, λ=0", of_ratio(&change.interval))
}

/// Claim 23: λ keeps the gradients large, and that is why learning goes on.
pub(super) fn gradient_drives(cosine: &Family<'_>, control: &ScaledGradients) -> Finding {
    let (Some(with), Some(without)) = (cosine.main(), cosine.baseline()) else {
        return Finding::missing("no pair of runs under a cosine has finished", COMMAND);
    };
    let update = log_ratio(with, without, Run::late_relative_update);
    let gradient = log_ratio(with, without, Run::late_gradient);
    let norm = log_ratio(without, with, Run::late_norm);
    let against_norm =
        paired(with, without, |run| (run.late_relative_update() * run.late_norm()).ln());
    let against_gradient =
        paired(with, without, |run| (run.late_relative_update() / run.late_gradient()).ln());
    let follows_norm = against_norm.interval.n > 1
        && against_norm.interval.low > -SAME
        && against_norm.interval.high < SAME;
    let follows_gradient = against_gradient.interval.n > 1
        && against_gradient.interval.low > -SAME
        && against_gradient.interval.high < SAME;
    let contradicted = control.is_equal() && follows_norm && against_gradient.significant;
    let outcome = match contradicted {
        true => {
            "So the larger gradient is there, and is not what acts: the step turns smaller weights \
             by more."
        }
        false => "",
    };
    Finding::new(
        Verdict::decided(follows_gradient && !follows_norm, contradicted),
        format!(
            "Late in the run, λ = {} over λ = 0: gradients {}; relative updates ‖Δw‖/‖w‖ of the \
             matrices {}; inverse norms {}. The relative update over the inverse norm is {}, over \
             the gradient {}. {} {outcome}",
            spell(with.lambda),
            factor(&gradient.interval),
            factor(&update.interval),
            factor(&norm.interval),
            factor(&against_norm.interval),
            factor(&against_gradient.interval),
            control.sentence()
        ),
    )
    .settled_by(more_seeds(&against_gradient, COMMAND))
    .with("ratio of gradients", of_ratio(&gradient.interval))
    .with("ratio of relative updates", of_ratio(&update.interval))
    .with("ratio of inverse norms", of_ratio(&norm.interval))
}

/// Claim 29: λ preserves the size of the gradient.
pub(super) fn gradient_is_preserved(cosine: &Family<'_>) -> Finding {
    let (Some(with), Some(without)) = (cosine.main(), cosine.baseline()) else {
        return Finding::missing("no pair of runs under a cosine has finished", COMMAND);
    };
    let larger = log_ratio(with, without, Run::late_gradient);
    let own =
        PairedDifference::of(with.runs.iter().map(|(seed, run)| (*seed, growth(run))).collect());
    let without_lambda =
        PairedDifference::of(without.runs.iter().map(|(seed, run)| (*seed, growth(run))).collect());
    // "Preserves" says that it would fall otherwise, and does not with λ.
    let falls_otherwise = surely(&without_lambda, -1.0);
    let grows_otherwise = surely(&without_lambda, 1.0);
    Finding::new(
        Verdict::decided(falls_otherwise && !surely(&own, -1.0), grows_otherwise),
        format!(
            "Without λ the gradient late in the run is {} times that of its middle, with λ = {} it is \
             {} times{}. With λ it is {} times as large as without: the gradient of a normalised \
             weight is proportional to 1/‖w‖.",
            times(&without_lambda.interval),
            spell(with.lambda),
            times(&own.interval),
            if grows_otherwise { ": there is nothing to preserve" } else { "" },
            times(&larger.interval)
        ),
    )
    .settled_by(more_seeds(&without_lambda, COMMAND))
    .with("late over middle gradient norm, λ=0", of_ratio(&without_lambda.interval))
    .with(
        format!("late over middle gradient norm, λ={}", spell(with.lambda)),
        of_ratio(&own.interval),
    )
    .with("late gradient norm with λ over without", of_ratio(&larger.interval))
}
