//! Claim 7: does maximum likelihood fit even the noise? A CNN of images some of whose labels are
//! wrong.

use wd_lab::setting::spell;
use wd_lab::wording::sentence::{change, tested};
use wd_page::number;
use wd_statistics::{Interval, PairedDifference};

use super::row::{Finding, Verdict, more_seeds, surely};
use super::runs::{Family, Run, Runs};

const COMMAND: &str = "wd reproduce claims";
const KEY: &str = "data.label_noise";

/// The runs of each share of wrong labels, ascending.
pub(super) struct Labels<'a>(pub(super) Vec<(f64, Family<'a>)>);

impl Run {
    /// Share of the wrong labels of the training images that the final weights reproduce.
    pub(super) fn memorised(&self) -> f64 {
        self.series.at_end("memorised")
    }

    /// Loss on the test images, whose labels are right.
    fn test_loss(&self) -> f64 {
        self.series.at_end("validation_loss")
    }

    /// Expected calibration error on the test images.
    fn calibration(&self) -> f64 {
        self.series.at_end("calibration_error")
    }
}

impl<'a> Labels<'a> {
    /// From the runs of the study.
    pub(super) fn of(runs: &'a Runs) -> Self {
        let mut all: Vec<(f64, Family<'a>)> = runs
            .values(KEY)
            .into_iter()
            .filter_map(|value| Some((value.parse().ok()?, runs.family(&[(KEY, value)]))))
            .collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        Labels(all)
    }

    /// The finding.
    pub(super) fn finding(&self) -> Finding {
        let Some((noise, family)) = self.0.last() else {
            return Finding::missing("no network on wrong labels has finished", COMMAND);
        };
        let Some(baseline) = family.baseline() else {
            return Finding::missing("no network on wrong labels without λ has finished", COMMAND);
        };
        let chance = baseline.runs.values().next().map_or(0.1, |run| chance(run));
        let fitted = baseline.level(Run::memorised);
        let changes = family.changes(Run::memorised);
        let losses = family.changes(Run::test_loss);
        let best = losses
            .iter()
            .filter(|(_, loss)| loss.interval.mean < 0.0)
            .min_by(|a, b| a.1.interval.mean.total_cmp(&b.1.interval.mean));
        let told: Vec<String> = changes
            .iter()
            .zip(&losses)
            .map(|((lambda, memorised), (_, loss))| {
                format!(
                    "λ = {}: {} of the share, test loss {}",
                    spell(*lambda),
                    change(&memorised.interval),
                    tested(loss)
                )
            })
            .collect();
        let others: Vec<String> = self.0[..self.0.len() - 1]
            .iter()
            .filter_map(|(noise, family)| {
                // Without wrong labels there are none to reproduce.
                let level = family.baseline()?.level(Run::memorised);
                (level.n > 0).then(|| format!("{} at {}", written(&level), number::percent(*noise)))
            })
            .collect();
        let at_less = match others.is_empty() {
            true => String::new(),
            false => format!(" ({} wrong labels)", others.join(", ")),
        };
        let mut finding = Finding::new(
            Verdict::decided(
                fitted.n > 0 && lower(&fitted) > chance + 0.2,
                fitted.n > 1 && fitted.high < chance + 0.1,
            ),
            format!(
                "With {} of the labels wrong, the CNN without λ reproduces {} of the wrong labels \
                 it was trained on{at_less}; one that had learnt only what is right would give \
                 them about as often as chance, {}. {}. {}",
                number::percent(*noise),
                written(&fitted),
                number::percent(chance),
                told.join("; "),
                calibration(family, best)
            ),
        )
        .settled_by(changes.first().map_or_else(String::new, |(_, c)| more_seeds(c, COMMAND)))
        .with("share of wrong labels reproduced, λ=0", fitted);
        for ((lambda, memorised), (_, loss)) in changes.iter().zip(&losses) {
            let lambda = spell(*lambda);
            finding = finding
                .with(
                    format!("share of wrong labels reproduced, λ={lambda} less 0"),
                    memorised.interval,
                )
                .with(format!("test loss, λ={lambda} less 0"), loss.interval);
        }
        finding
    }
}

/// The lower end of an interval; with one seed the mean.
fn lower(interval: &Interval) -> f64 {
    if interval.low.is_finite() { interval.low } else { interval.mean }
}

/// What the best λ does to the calibration.
fn calibration(family: &Family<'_>, best: Option<&(f64, PairedDifference)>) -> String {
    let Some((lambda, loss)) = best else {
        return "No λ tried lowers the test loss.".to_owned();
    };
    let changes = family.changes(Run::calibration);
    let own = changes.iter().find(|(other, _)| other == lambda);
    let error = own.map_or_else(String::new, |(_, change)| {
        format!(", and changes the calibration error by {}", tested(change))
    });
    let sure = if surely(loss, -1.0) { "" } else { ", not surely" };
    format!("The best of these λ is {}{sure}{error}.", spell(*lambda))
}

fn chance(run: &Run) -> f64 {
    run.plan.images.as_ref().map_or(0.1, |images| 1.0 / images.classes.len().max(1) as f64)
}

fn written(share: &Interval) -> String {
    let percent = |value: f64| number::percent(value.clamp(0.0, 1.0));
    match share.n {
        1 => format!("{} (one seed)", percent(share.mean)),
        n => format!(
            "{} [{}, {}] (n = {n})",
            percent(share.mean),
            percent(share.low),
            percent(share.high)
        ),
    }
}
