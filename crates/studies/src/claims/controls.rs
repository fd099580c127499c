//! Controls of claims 23 and 26: the effective learning rate replayed without λ, the corrected rule
//! at equal κ, and cool-downs of the runs at a constant rate.

use wd_decay::ScheduleKind;
use wd_lab::setting::spell;
use wd_lab::wording::sentence::{change, tested};
use wd_lab::{Grid, Study, Trial};
use wd_statistics::PairedDifference;

use super::averaging::Harm;
use super::row::Finding;
use super::runs::{Arm, Family, Run, Runs, paired};
use crate::StudyError;

/// The option that takes over another run's effective learning rate.
const EFFECTIVE_RATE: &str = "optim.effective_rate_of";

/// Largest difference of losses, in nats a token, that counts as none.
const SAME_LOSS: f64 = 5e-3;

/// Adds to `controls` a run without λ for each finished run with the main λ of `force`, at the
/// effective learning rate of that run.
///
/// # Errors
/// A run directory of `force` that is damaged; a study that cannot be written.
pub fn add_replays(force: &Study, controls: &mut Study) -> Result<Vec<Trial>, StudyError> {
    let runs = Runs::read(force)?;
    let cosine = runs.under(ScheduleKind::Cosine);
    let mut trials = Vec::new();
    for (seed, run) in cosine.main().into_iter().flat_map(|arm| &arm.runs) {
        let path = toml::Value::String(run.directory.display().to_string());
        let axes = [
            format!("{EFFECTIVE_RATE}={path}"),
            "decay.lambda=0".to_owned(),
            format!("run.seed={seed}"),
        ];
        trials.extend(controls.add(&Grid::parse(&axes)?)?);
    }
    Ok(trials)
}

/// The runs of the controls, by what each is.
#[derive(Default)]
pub(super) struct Controls<'a> {
    /// λ = 0 with the effective learning rate of a run with λ.
    replayed: Family<'a>,
    /// λ under the corrected rule, whose sum of shrinks is that of the decoupled one.
    corrected: Family<'a>,
    /// Runs at a constant rate that cooled down over this share of their steps.
    pub(super) cooled: Vec<(f64, Family<'a>)>,
}

impl<'a> Controls<'a> {
    pub(super) fn of(runs: &'a Runs) -> Self {
        let mut shares: Vec<&str> = runs.values("schedule.decay");
        shares.sort_unstable();
        let cooled = shares.into_iter().filter_map(|share| {
            let family = runs.family(&[("schedule.kind", "wsd"), ("schedule.decay", share)]);
            Some((share.parse().ok()?, family))
        });
        Controls {
            cooled: cooled.collect(),
            replayed: runs.family_whatever(EFFECTIVE_RATE),
            corrected: runs.family(&[("decay.rule", "corrected")]),
        }
    }

    /// Claim 23 with what the controls say about it.
    pub(super) fn about_the_effective_rate(
        &self,
        cosine: &Family<'_>,
        finding: Finding,
    ) -> Finding {
        let (Some(with), Some(without)) = (cosine.main(), cosine.baseline()) else {
            return finding;
        };
        let gain = paired(with, without, Run::validation);
        let mut finding = finding;
        if let Some(replayed) = self.replayed.baseline() {
            let left = paired(replayed, with, Run::validation);
            let replay = paired(replayed, without, Run::validation);
            if left.interval.n > 0 {
                finding.found.push_str(&replay_sentence(with, &gain, &replay, &left));
                finding = finding
                    .with("effective rate replayed without λ, less λ", left.interval)
                    .with("effective rate replayed without λ, less λ=0", replay.interval);
            }
        }
        if let Some(corrected) = self.corrected.0.first() {
            let change_by = paired(corrected, without, Run::validation);
            let growth = corrected.level(|run| run.late_gradient() / run.middle_gradient());
            if change_by.interval.n > 0 {
                finding.found.push_str(&format!(
                    " With the corrected rule at the same κ (λ = {}) the gradient late in the run \
                     is {:.2} times that of its middle, and validation loss changes by {}, where \
                     the decoupled rule changes it by {}.",
                    spell(corrected.lambda),
                    growth.mean,
                    tested(&change_by),
                    change(&gain.interval),
                ));
                finding = finding.with("corrected rule at equal κ, less λ=0", change_by.interval);
            }
        }
        finding
    }

    /// The harm of λ at a constant rate after each cool-down, beside that of the raw weights.
    pub(super) fn about_the_cool_down(
        &self,
        constant: &Family<'_>,
        harms: &[Harm],
        finding: Finding,
    ) -> Finding {
        let mut finding = finding;
        for (share, family) in &self.cooled {
            let Some(baseline) = family.baseline() else { continue };
            let mut told = Vec::new();
            for arm in family.decayed() {
                let cooled = paired(arm, baseline, Run::validation);
                if cooled.interval.n == 0 || !harms.iter().any(|harm| harm.lambda == arm.lambda) {
                    continue;
                }
                told.push(format!("λ = {}: {}", spell(arm.lambda), tested(&cooled)));
                let percent = wd_page::number::percent(*share);
                let name = format!("cooled down over {percent}, λ={}", spell(arm.lambda));
                finding = finding.with(name, cooled.interval);
            }
            if told.is_empty() {
                continue;
            }
            let gain = constant.baseline().map(|raw| paired(baseline, raw, Run::validation));
            let without = gain.filter(|gain| gain.interval.n > 0).map_or(String::new(), |gain| {
                format!(" (the cool-down itself, without λ: {})", change(&gain.interval))
            });
            finding.found.push_str(&format!(
                " With the rate going to 0 over the last {}, λ against 0{without}: {}.",
                wd_page::number::percent(*share),
                told.join("; ")
            ));
        }
        finding
    }
}

/// What is left between a run with the replayed rate and one with λ, beside what the replay did.
fn outcome(replay: &PairedDifference, left: &PairedDifference) -> &'static str {
    let goes_beyond = left.interval.mean * replay.interval.mean > 0.0;
    match (left.equivalence(SAME_LOSS).holds, replay.significant, left.significant) {
        (true, ..) => "it ends where λ ends: the effective rate is the whole of what λ does",
        (_, true, true) if goes_beyond => {
            "it goes further than λ: the effective rate alone does more than the whole of it"
        }
        (_, true, true) => "it goes part of the way",
        (_, true, false) => "it goes that way; whether all of it is not shown",
        _ => "it does not end where λ ends",
    }
}

fn replay_sentence(
    with: &Arm<'_>,
    gain: &PairedDifference,
    replay: &PairedDifference,
    left: &PairedDifference,
) -> String {
    format!(
        " Replayed: λ = 0 with the learning rate of each tensor times its own norm over that of the \
         run with λ = {}, step by step, changes validation loss by {}, where λ changes it by {}; \
         less the run with λ {}: {}.",
        spell(with.lambda),
        tested(replay),
        change(&gain.interval),
        tested(left),
        outcome(replay, left)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    use wd_decay::{DecayRule, LearningRate, PeakLearningRate, Schedule};

    /// κ of λ under a rule and the cosine of the study, per unit of the peak rate.
    fn kappa(rule: DecayRule, lambda: f64, steps: u64) -> f64 {
        let warmup = (0.05 * steps as f64).round() as u64;
        let schedule = Schedule::new(ScheduleKind::Cosine, warmup, steps, 0.0, 0).unwrap();
        (0..steps)
            .map(|step| {
                let rate = LearningRate(8e-3 * schedule.factor(step));
                match rule.apply(lambda, rate, PeakLearningRate(8e-3)) {
                    wd_decay::Application::Shrink(shrink) => shrink.0,
                    _ => f64::NAN,
                }
            })
            .sum()
    }

    #[test]
    fn what_a_replay_leaves_is_told_with_its_sign() {
        let of = |mean: f64, spread: f64| {
            let pairs = (0..5).map(|seed| (seed, mean + spread * (seed as f64 - 2.0)));
            PairedDifference::of(pairs.collect())
        };
        let replay = of(-0.02, 1e-3);
        let cases = [
            (of(1e-3, 1e-4), "ends where λ ends"),
            (of(-0.008, 1e-3), "goes further than λ"),
            (of(0.008, 1e-3), "part of the way"),
            (of(0.004, 8e-3), "whether all of it is not shown"),
        ];
        for (left, words) in cases {
            assert!(outcome(&replay, &left).contains(words), "{words}");
        }
        assert!(outcome(&of(0.0, 0.01), &of(0.02, 1e-3)).contains("does not end"));
    }

    #[test]
    fn the_corrected_rule_has_the_same_kappa() {
        for (steps, lambda, corrected) in [(1875, 0.1, 0.134), (940, 0.2, 0.268)] {
            let ratio = kappa(DecayRule::Corrected, corrected, steps)
                / kappa(DecayRule::Decoupled, lambda, steps);
            assert!((ratio - 1.0).abs() < 2e-3, "{steps}: {ratio}");
        }
    }
}
