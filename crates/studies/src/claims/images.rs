//! Claims 2, 12, 13 and 15 to 17: networks on few images, by the analysis of their study.

use wd_lab::wording::Ends;
use wd_lab::wording::sentence::{change, difference, tested};
use wd_page::number::{self, short};
use wd_statistics::{PairedDifference, equivalence, interval};

use super::row::{Finding, Verdict, more_seeds, surely};
use crate::vision::VisionAnalysis;
use crate::vision::analysis::{Censored, Gain, Point, Scaling, Surface};

const COMMAND: &str = "wd reproduce vision";

/// How many times more decay a step "far more" is, at the least.
const FAR_MORE: f64 = 10.0;

/// The surfaces that were trained by AdamW at many passes, with what their best λ gains, the fewest
/// images first.
fn gains(analysis: &VisionAnalysis) -> Vec<(&Surface, &Gain)> {
    let pairs = analysis.surfaces.iter().zip(&analysis.gains);
    let is_usual = |surface: &Surface| surface.optimizer.is_adaptive() && surface.epochs > 1.001;
    let mut gains: Vec<_> = pairs
        .filter(|(surface, _)| is_usual(surface))
        .filter_map(|(surface, gain)| Some((surface, gain.as_ref()?)))
        .collect();
    gains.sort_by_key(|(surface, _)| surface.images);
    gains
}

/// What a claim says where no run has finished.
fn none() -> Finding {
    Finding::missing("no network on images has finished its grid of λ", COMMAND)
}

/// Claim 2: less complexity, less over-fitting.
pub(super) fn prevents_over_fitting(analysis: &VisionAnalysis, linear: &str) -> Finding {
    let gains = gains(analysis);
    let Some((_, first)) = gains.first() else { return none() };
    let helps = |gain: &Gain| surely(&gain.test_loss, -1.0) && surely(&gain.gap, -1.0);
    let fewest = gains.iter().map(|(surface, _)| surface.images).min();
    let told: Vec<String> = gains
        .iter()
        .filter(|(surface, _)| Some(surface.images) == fewest)
        .map(|(surface, gain)| {
            format!(
                "{}, λ = {}: test loss {}, test − training loss {}",
                surface.label(),
                short(gain.lambda),
                tested(&gain.test_loss),
                change(&gain.gap.interval)
            )
        })
        .collect();
    let mut finding = Finding::new(
        Verdict::decided(
            gains.iter().any(|(_, gain)| helps(gain)),
            gains.iter().all(|(_, gain)| surely(&gain.test_loss, 1.0)),
        ),
        format!(
            "{linear} On the fewest images, with the best λ against 0: {}. In one pass over many \
             data it is otherwise: claims 24 and 27.",
            told.join("; ")
        ),
    )
    .settled_by(more_seeds(&first.test_loss, COMMAND));
    for (surface, gain) in gains.iter().filter(|(surface, _)| Some(surface.images) == fewest) {
        finding = finding
            .with(format!("test loss, {}", surface.label()), gain.test_loss.interval)
            .with(format!("gap, {}", surface.label()), gain.gap.interval);
    }
    finding
}

/// Claim 12: too large a λ does not converge.
pub(super) fn too_large(analysis: &VisionAnalysis, library: &str) -> Finding {
    let gains: Vec<_> =
        gains(analysis).into_iter().filter(|(_, gain)| gain.largest > gain.lambda).collect();
    let Some((_, first)) = gains.first() else {
        let mut finding = none();
        finding.found = format!("{library} {}", finding.found);
        return finding;
    };
    let told: Vec<String> = gains
        .iter()
        .map(|(surface, gain)| {
            format!(
                "{}, λ = {} against {}: training loss {}",
                surface.label(),
                short(gain.largest),
                short(gain.lambda),
                tested(&gain.too_large_train)
            )
        })
        .collect();
    let mut finding = Finding::new(
        Verdict::decided(
            gains.iter().any(|(_, gain)| surely(&gain.too_large_train, 1.0)),
            gains.iter().all(|(_, gain)| surely(&gain.too_large_train, -1.0)),
        ),
        format!(
            "{library} Below that too large a λ converges, and under-fits. {}.",
            told.join("; ")
        ),
    )
    .settled_by(more_seeds(&first.too_large_train, COMMAND));
    for (surface, gain) in &gains {
        finding = finding
            .with(format!("training loss, {}", surface.label()), gain.too_large_train.interval);
    }
    finding
}

/// Test loss of one point less that of another, seed by seed.
fn against(with: &Point, without: &Point) -> PairedDifference {
    let pairs = with.finals.iter().filter_map(|(seed, finals)| {
        Some((*seed, finals.test_loss - without.finals.get(seed)?.test_loss))
    });
    PairedDifference::of(pairs.collect())
}

/// Claim 13: too small a λ does nothing.
pub(super) fn too_small(analysis: &VisionAnalysis, library: &str) -> Finding {
    // The smallest λ of each surface, where it is small, beside what the best one gains.
    let mut small = Vec::new();
    for (surface, gain) in gains(analysis) {
        let curve = surface.curve(gain.learning_rate);
        let zero = curve.iter().find(|point| point.lambda == 0.0);
        let least = curve.iter().find(|point| point.lambda > 0.0 && point.lambda <= 0.01);
        if let (Some(zero), Some(least)) = (zero, least) {
            let margin = 0.5 * gain.test_loss.interval.mean.abs();
            small.push((surface, least.lambda, least.kappa, against(least, zero), margin));
        }
    }
    if small.is_empty() {
        let mut finding = Finding::missing(
            "no network was trained with a λ of 0.01 or less",
            "wd reproduce claims",
        );
        finding.found = format!("{library} {}", finding.found);
        return finding;
    }
    let holds =
        |change: &PairedDifference, margin: f64| equivalence(&change.values(), margin).holds;
    let told: Vec<String> = small
        .iter()
        .map(|(surface, lambda, kappa, change, margin)| {
            let worth = match holds(change, *margin) {
                true => "shown to be less than half of what the best λ does",
                false => "not told apart from half of what the best λ does",
            };
            format!(
                "{}, λ = {} (κ = {}): test loss {}, {worth}",
                surface.label(),
                short(*lambda),
                short(number::rounded(*kappa)),
                tested(change)
            )
        })
        .collect();
    let any_holds = small.iter().any(|(_, _, _, change, margin)| holds(change, *margin));
    let any_acts = small.iter().any(|(_, _, _, change, margin)| {
        surely(change, change.interval.mean.signum()) && change.interval.mean.abs() > *margin
    });
    let open =
        small.first().map_or_else(String::new, |(.., change, _)| more_seeds(change, COMMAND));
    let mut finding = Finding::new(
        Verdict::decided(any_holds && !any_acts, any_acts),
        format!("{library} Measured: {}.", told.join("; ")),
    )
    .settled_by(open);
    for (surface, lambda, _, change, _) in &small {
        let name = format!("test loss, {}, λ = {}", surface.label(), short(*lambda));
        finding = finding.with(name, change.interval);
    }
    finding
}

/// Where an optimum is only bounded, is the slope that was found larger than the true one?
///
/// With the most images it may lie below its grid, and with the fewest above it: the true slope is
/// then steeper down than the one found.
fn is_at_least_as_steep(scaling: &Scaling) -> bool {
    let last = scaling.optima.len().saturating_sub(1);
    scaling.optima.iter().enumerate().all(|(index, optimum)| {
        optimum.censored.values().all(|end| match end {
            Censored::Below => index == last,
            Censored::Above => index == 0,
        })
    })
}

/// Claim 15: the more data, the less a small σ fits.
pub(super) fn more_data(analysis: &VisionAnalysis) -> Finding {
    let scalings: Vec<&Scaling> = analysis
        .scalings
        .iter()
        .filter(|scaling| scaling.key == "data.size")
        .filter(|scaling| {
            gains(analysis).iter().any(|(surface, _)| {
                scaling.surfaces.first().is_some_and(|first| {
                    analysis.surfaces.get(*first).is_some_and(|own| std::ptr::eq(own, *surface))
                })
            })
        })
        .collect();
    let Some(first) = scalings.first() else { return none() };
    let falls = |scaling: &Scaling| scaling.slope.high < 0.0 && is_at_least_as_steep(scaling);
    let rises = |scaling: &Scaling| scaling.slope.low > 0.0 && !scaling.is_bound;
    let told: Vec<String> = scalings
        .iter()
        .map(|scaling| {
            let model =
                scaling.surfaces.first().map_or("", |index| analysis.surfaces[*index].model());
            let sizes: Vec<String> =
                scaling.values.iter().map(|value| number::count(*value as u64)).collect();
            let bound = match scaling.is_bound {
                true => ", a bound, since an optimum lies at an end of its grid",
                false => "",
            };
            format!(
                "{model}, over {} images: slope {}, n = {}{bound}",
                sizes.join(", "),
                change(&scaling.slope),
                scaling.slope.n
            )
        })
        .collect();
    let mut finding = Finding::new(
        Verdict::decided(
            scalings.iter().any(|scaling| falls(scaling)),
            scalings.iter().any(|scaling| rises(scaling)),
        ),
        format!(
            "For a fixed σ the prior's share of the posterior falls as 1/n, so that the best λ of \
             a mean loss falls too. d ln(best ηλ)/d ln n: {}.",
            told.join("; ")
        ),
    )
    .settled_by(format!(
        "`{COMMAND} --data PATH --full`: more sizes and a finer grid, {} seeds or \
                         more",
        first.slope.n.max(3)
    ));
    for scaling in &scalings {
        let model = scaling.surfaces.first().map_or("", |index| analysis.surfaces[*index].model());
        finding = finding.with(format!("slope, {model}"), scaling.slope);
    }
    finding
}

/// Claim 16: a ViT needs far more λ than a CNN.
pub(super) fn vit_needs_more(analysis: &VisionAnalysis) -> Finding {
    // The ratio at the fewest images, turned so that it is the ViT's over the CNN's.
    let images = |index: usize| analysis.surfaces.get(index).map_or(u64::MAX, |s| s.images);
    let model = |index: usize| analysis.surfaces.get(index).map_or("", |s| s.model());
    let ratio = analysis
        .ratios
        .iter()
        .filter(|ratio| model(ratio.one) == "vit" || model(ratio.other) == "vit")
        .min_by_key(|ratio| images(ratio.one));
    let Some(ratio) = ratio else { return none() };
    let sign = if model(ratio.one) == "vit" { 1.0 } else { -1.0 };
    let values: Vec<(u64, f64)> =
        ratio.log_optimum.per_seed.iter().map(|(seed, log)| (*seed, sign * log)).collect();
    let log = PairedDifference::of(values);
    let gain: Vec<f64> =
        ratio.gain.per_seed.iter().map(|(_, difference)| sign * difference).collect();
    let gain = interval(&gain);
    let far = FAR_MORE.ln();
    let written = Ends::Brackets.write(&log.interval, |value| short(number::rounded(value.exp())));
    let bound =
        if ratio.is_bound { " (a bound: an optimum lies at an end of its grid)" } else { "" };
    let known = log.interval.n > 1;
    Finding::new(
        Verdict::decided(known && log.interval.low > far, known && log.interval.high < far),
        format!(
            "On {} images the best ηλ of the ViT is {written} times that of the CNN, n = \
             {}{bound}; \"far more\" is taken to be {FAR_MORE} times or more. Its gain from λ \
             differs from the CNN's by {} in test loss. In the literature the ratio of 500 between \
             a ViT's λ and a ResNet's is almost all convention (claim 3).",
            number::count(images(ratio.one)),
            log.interval.n,
            change(&gain)
        ),
    )
    .settled_by(format!("`{COMMAND} --seeds 4`: an interval needs seeds"))
    .with("ln of the ratio of the best ηλ", log.interval)
    .with("gain of the ViT less that of the CNN, test loss", gain)
}

/// Claim 17: with much data the freedom of a model is an advantage, and λ not needed.
pub(super) fn much_data(analysis: &VisionAnalysis) -> Finding {
    let gains = gains(analysis);
    let models: Vec<&str> = {
        let mut models: Vec<&str> = gains.iter().map(|(surface, _)| surface.model()).collect();
        models.dedup();
        models.sort_unstable();
        models.dedup();
        models
    };
    let ends = |model: &str| {
        let of: Vec<_> = gains.iter().filter(|(surface, _)| surface.model() == model).collect();
        let (few, many) = (of.first()?, of.last()?);
        (few.0.images < many.0.images).then_some((few.0, few.1, many.0, many.1))
    };
    let mut told = Vec::new();
    let mut shrinks = Vec::new();
    for model in &models {
        let Some((few, gain_few, many, gain_many)) = ends(model) else { continue };
        let less = PairedDifference::of(
            gain_many
                .test_loss
                .per_seed
                .iter()
                .filter_map(|(seed, large)| {
                    let small = &gain_few.test_loss.per_seed;
                    Some((*seed, large - small.iter().find(|(other, _)| other == seed)?.1))
                })
                .collect(),
        );
        told.push(format!(
            "{model}: the best λ changes the test loss by {} on {} images and by {} on {}, a \
             difference of {}",
            change(&gain_few.test_loss.interval),
            number::count(few.images),
            change(&gain_many.test_loss.interval),
            number::count(many.images),
            difference(&less)
        ));
        shrinks.push((model, less));
    }
    if shrinks.is_empty() {
        return none();
    }
    told.extend(freedom(&models, &gains));
    let mut finding = Finding::new(
        Verdict::decided(
            shrinks.iter().all(|(_, less)| surely(less, 1.0)),
            shrinks.iter().all(|(_, less)| surely(less, -1.0)),
        ),
        format!("{}. A few thousand images are far from unlimited.", told.join(". ")),
    )
    .settled_by(
        "`wd reproduce vision --data PATH --full` with 60,000 images (558 runs): from 15,000 on \
         the best λ was 0 or the smallest tried for most seeds of the CNN",
    );
    for (model, less) in &shrinks {
        finding = finding
            .with(format!("gain on the most less that on the fewest, {model}"), less.interval);
    }
    finding
}

/// The ViT's test loss less the CNN's at either end, each with its best λ.
fn freedom(models: &[&str], gains: &[(&Surface, &Gain)]) -> Option<String> {
    if !(models.contains(&"vit") && models.contains(&"cnn")) {
        return None;
    }
    let best = |model: &str, images: u64| {
        let (surface, gain) =
            gains.iter().find(|(s, _)| s.model() == model && s.images == images)?;
        let curve = surface.curve(gain.learning_rate);
        curve.into_iter().find(|point| point.lambda == gain.lambda)
    };
    let sizes = [gains.first()?.0.images, gains.last()?.0.images];
    let told: Option<Vec<String>> = sizes
        .iter()
        .map(|size| {
            let worse = against(best("vit", *size)?, best("cnn", *size)?);
            Some(format!("{} on {}", change(&worse.interval), number::count(*size)))
        })
        .collect();
    Some(format!("The ViT's test loss less the CNN's, each with its best λ: {}", told?.join(", ")))
}
