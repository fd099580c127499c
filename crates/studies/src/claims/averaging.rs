//! Claim 26: at a constant rate, is the harm of λ a constraint, or noise that averaging removes?

use wd_lab::setting::spell;
use wd_lab::wording::sentence::{change, tested};
use wd_page::number;
use wd_statistics::{Interval, PairedDifference, interval};

use super::controls::Controls;
use super::row::{Finding, Verdict, more_seeds, surely};
use super::runs::{Arm, Family, Run, paired};

const COMMAND: &str = "wd reproduce claims";

/// What averaging does to the harm of one λ.
pub(super) struct Harm {
    pub(super) lambda: f64,
    /// Validation loss of the raw weights, λ against 0.
    pub(super) raw: PairedDifference,
    /// The same of their moving average.
    pub(super) averaged: PairedDifference,
    /// 1 − averaged/raw, seed by seed: the part of the harm that is noise.
    pub(super) noise: Interval,
}

/// Every λ > 0 of runs at a constant rate that kept an average.
pub(super) fn harms(constant: &Family<'_>) -> Vec<Harm> {
    let Some(baseline) = constant.baseline() else {
        return Vec::new();
    };
    let harm = |arm: &Arm<'_>| {
        let raw = paired(arm, baseline, Run::validation);
        let averaged = paired(arm, baseline, Run::average);
        let shares: Vec<f64> = raw
            .per_seed
            .iter()
            .filter_map(|(seed, raw)| {
                let (_, averaged) = averaged.per_seed.iter().find(|(other, _)| other == seed)?;
                Some(1.0 - averaged / raw)
            })
            .collect();
        Harm { lambda: arm.lambda, raw, averaged, noise: interval(&shares) }
    };
    constant.decayed().map(harm).filter(|harm| harm.noise.n > 0).collect()
}

fn share(noise: &Interval) -> String {
    let percent = |value: f64| number::percent(value);
    match noise.n {
        1 => format!("{} (one seed)", percent(noise.mean)),
        _ => format!("{} [{}, {}]", percent(noise.mean), percent(noise.low), percent(noise.high)),
    }
}

/// Claim 26: there λ acts as a strong prior and as nothing else.
pub(super) fn only_a_prior(
    constant: &Family<'_>,
    cosine: &Family<'_>,
    controls: &Controls<'_>,
) -> Finding {
    let harms = harms(constant);
    let Some(first) = harms.first() else {
        return Finding::missing(
            "no pair of runs at a constant rate has kept a moving average of its weights",
            COMMAND,
        );
    };
    let told: Vec<String> = harms
        .iter()
        .map(|harm| {
            format!(
                "λ = {}: raw {}, averaged {}, so that {} of the harm is gone",
                spell(harm.lambda),
                tested(&harm.raw),
                change(&harm.averaged.interval),
                share(&harm.noise)
            )
        })
        .collect();
    // A constraint does not go away by averaging; noise does.
    let is_noise = |harm: &Harm| harm.noise.n > 1 && harm.noise.low > 0.0 && surely(&harm.raw, 1.0);
    let is_constraint = |harm: &Harm| harm.noise.n > 1 && harm.noise.high < 0.1;
    let mut finding = Finding::new(
        Verdict::decided(harms.iter().all(is_constraint), harms.iter().any(is_noise)),
        format!(
            "Validation loss at a constant rate, λ against 0. {}. The part that averaging takes \
             away is noise of a larger effective learning rate, not a pull towards 0.{}",
            told.join(". "),
            against_cosine(constant, cosine)
        ),
    )
    .settled_by(more_seeds(&first.averaged, COMMAND));
    for harm in &harms {
        let lambda = spell(harm.lambda);
        finding = finding
            .with(format!("raw weights, λ={lambda}"), harm.raw.interval)
            .with(format!("averaged weights, λ={lambda}"), harm.averaged.interval)
            .with(format!("share of the harm that is noise, λ={lambda}"), harm.noise);
    }
    controls.about_the_cool_down(constant, &harms, finding)
}

/// Comparing schedules on raw weights compares annealed with noisy ones: what averages say.
fn against_cosine(constant: &Family<'_>, cosine: &Family<'_>) -> String {
    let (Some(constant), Some(cosine)) = (constant.baseline(), cosine.baseline()) else {
        return String::new();
    };
    let raw = paired(constant, cosine, Run::validation);
    // The average of the constant run against the raw weights of the cosine, which need none.
    let averaged = {
        let pairs = constant.runs.iter().filter_map(|(seed, run)| {
            Some((*seed, run.average() - cosine.runs.get(seed)?.validation()))
        });
        PairedDifference::of(pairs.collect())
    };
    if averaged.interval.n == 0 {
        return String::new();
    }
    format!(
        " The same holds for schedules: without λ, the constant rate against the cosine ends at {} \
         in raw weights, and at {} with its weights averaged.",
        tested(&raw),
        tested(&averaged)
    )
}
