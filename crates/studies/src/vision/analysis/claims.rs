//! What follows from a study of models under λ: each claim of the literature, and what these runs
//! say to it.

use super::scaling::RATE;
use super::{Censored, Gain, ONE_PASS, Optimum, Ratio, Regime, Scaling, Surface};
use wd_lab::setting::spell;
use wd_lab::verdict::ActsAs;
use wd_lab::wording::Ends;
use wd_lab::wording::sentence::{change, difference, short};
use wd_page::{Claim, Supported};
use wd_statistics::{Interval, PairedDifference};

pub(super) fn draw(
    surfaces: &[Surface],
    gains: &[Option<Gain>],
    ratios: &[Ratio],
    scalings: &[Scaling],
    regimes: &[Regime],
) -> Vec<Claim> {
    let mut lines = Vec::new();
    for (surface, gain) in surfaces.iter().zip(gains) {
        lines.extend(gain.as_ref().map(|gain| two_sides(surface, gain)));
    }
    for ratio in ratios {
        lines.push(more_decay(surfaces, ratio));
        lines.push(more_gain(surfaces, ratio));
    }
    lines.extend(scalings.iter().map(|scaling| moves(surfaces, scaling)));
    lines.extend(regime_switch(regimes));
    for (surface, gain) in surfaces.iter().zip(gains) {
        lines.extend(gain.as_ref().and_then(|gain| shift(surface, gain)));
    }
    lines
}

/// Is a difference shown to be negative, or positive?
fn sign(difference: &PairedDifference) -> Option<f64> {
    let shown = match difference.adjusted_p {
        Some(_) => difference.holds_after_correction(),
        None => difference.significant,
    };
    shown.then(|| difference.interval.mean.signum())
}

/// Is a loss shown to fall, or not to?
fn falls(difference: &PairedDifference) -> Supported {
    let sign = sign(difference);
    Supported::decided(sign.is_some_and(|sign| sign < 0.0), sign.is_some())
}

fn two_sides(surface: &Surface, gain: &Gain) -> Claim {
    let over = sign(&gain.test_loss);
    let under = sign(&gain.too_large_test);
    let is_largest = gain.lambda == gain.largest;
    let supported = match (over, under) {
        (Some(over), _) if over > 0.0 => Supported::Contradicted,
        (Some(_), Some(under)) if under > 0.0 => Supported::Supported,
        _ => Supported::Undecided,
    };
    let mut finding = format!(
        "At η = {}: the best λ above 0 is {} (ηλ = {}). Against λ = 0: test loss {}, training loss \
         {}, accuracy {}.",
        spell(gain.learning_rate),
        spell(gain.lambda),
        short(gain.learning_rate * gain.lambda),
        difference(&gain.test_loss),
        change(&gain.train_loss.interval),
        change(&gain.test_accuracy.interval),
    );
    if gain.test_loss.interval.mean >= 0.0 {
        finding.push_str(" No λ tried has a lower mean than 0.");
    }
    match is_largest {
        true => finding.push_str(" It is the largest λ tried: the under-fit side was not reached."),
        false => finding.push_str(&format!(
            " λ = {} against it: test loss {}, training loss {}.",
            spell(gain.largest),
            difference(&gain.too_large_test),
            change(&gain.too_large_train.interval)
        )),
    }
    Claim {
        claim: format!("{}: without λ it over-fits, with too much it under-fits", surface.label()),
        finding,
        supported,
    }
}

/// A factor with its interval, from a difference of logarithms.
fn factor(log: &Interval) -> String {
    let written = Ends::Brackets.write(log, |log| short(log.exp()));
    match log.n {
        0 => "not measured".to_owned(),
        1 => format!("{written} (one seed, no interval)"),
        _ => written,
    }
}

fn place(optimum: &Optimum) -> String {
    let mut text = format!("ηλ = {}", factor(&optimum.log_product));
    let count = |which| {
        let matching = optimum.censored.values().filter(|end| **end == which);
        matching.count()
    };
    for (which, words) in
        [(Censored::Below, "at the smallest λ or at 0"), (Censored::Above, "at the largest λ")]
    {
        if count(which) > 0 {
            text.push_str(&format!(
                " ({} of {} seeds {words}: a bound)",
                count(which),
                optimum.per_seed.len()
            ));
        }
    }
    text
}

fn more_decay(surfaces: &[Surface], ratio: &Ratio) -> Claim {
    let (one, other) = (&surfaces[ratio.one], &surfaces[ratio.other]);
    let log = &ratio.log_optimum;
    let shown = log.significant && !ratio.is_bound;
    let rises = log.interval.mean > 0.0;
    let supported = Supported::decided(shown && rises, shown && !rises);
    let places: Vec<String> = [one, other]
        .iter()
        .zip(&ratio.optima)
        .map(|(surface, optimum)| {
            let rate = spell(optimum.learning_rate);
            format!("{} at η = {rate}: {}", surface.model(), place(optimum))
        })
        .collect();
    let more = match log.more_seeds {
        Some(more) if !ratio.is_bound => format!("; about {more} more seeds would decide"),
        _ => String::new(),
    };
    Claim {
        claim: format!(
            "{}: {} needs more decay a step than {}",
            ratio.setting(surfaces),
            one.model(),
            other.model()
        ),
        finding: format!(
            "Best {}. Ratio {}, n = {}{more}.",
            places.join("; "),
            factor(&log.interval),
            log.interval.n
        ),
        supported,
    }
}

fn more_gain(surfaces: &[Surface], ratio: &Ratio) -> Claim {
    let (one, other) = (&surfaces[ratio.one], &surfaces[ratio.other]);
    let supported = falls(&ratio.gain);
    let of = |gain: &Option<Gain>| {
        gain.as_ref().map_or_else(
            || "not measured".to_owned(),
            |gain| {
                format!(
                    "{} in loss, {} in accuracy",
                    change(&gain.test_loss.interval),
                    change(&gain.test_accuracy.interval)
                )
            },
        )
    };
    Claim {
        claim: format!(
            "{}: {} gains more from λ than {}",
            ratio.setting(surfaces),
            one.model(),
            other.model()
        ),
        finding: format!(
            "By its best λ {} gains {}; {} {}. Difference of the gains in loss: {}.",
            one.model(),
            of(&ratio.gains[0]),
            other.model(),
            of(&ratio.gains[1]),
            difference(&ratio.gain)
        ),
        supported,
    }
}

fn moves(surfaces: &[Surface], scaling: &Scaling) -> Claim {
    let surface = &surfaces[scaling.surfaces[0]];
    let slope = &scaling.slope;
    let shown = slope.n > 1 && (slope.low > 0.0 || slope.high < 0.0) && !scaling.is_bound;
    let (claim, expected) = match scaling.key.as_str() {
        "data.size" => ("the more images, the less λ a step", -1.0),
        "data.batch" => ("the larger the batch, the more λ a step", 1.0),
        RATE => ("the best ηλ is the same at every η", 0.0),
        _ => ("the more passes, the less λ a step", -1.0),
    };
    let supported = if expected == 0.0 {
        // An interval that holds the slope of λ alone, 1, as well says nothing.
        let is_narrow = slope.n > 1 && slope.low > -1.0 && slope.high < 1.0;
        Supported::decided(!shown && is_narrow, shown)
    } else {
        let is_expected = slope.mean * expected > 0.0;
        Supported::decided(shown && is_expected, shown && !is_expected)
    };
    let bound = match scaling.is_bound {
        true => " An optimum lies at an end of its grid: the slope is a bound.",
        false => "",
    };
    let values: Vec<String> = scaling.values.iter().map(|value| spell(*value)).collect();
    Claim {
        claim: format!("{}, {}, {}: {claim}", surface.model(), surface.optimizer, scaling.held),
        finding: format!(
            "d ln(best ηλ)/d ln({}) = {}, n = {}, over {} {}.{bound} It would be {}.",
            scaling.counts,
            change(slope),
            slope.n,
            values.join(", "),
            scaling.counts,
            scaling.law
        ),
        supported,
    }
}

/// The same number of samples, seen once or many times.
fn regime_switch(regimes: &[Regime]) -> Vec<Claim> {
    let mut lines = Vec::new();
    for many in regimes.iter().filter(|regime| regime.epochs > ONE_PASS) {
        let is_same = |once: &&Regime| {
            once.epochs <= ONE_PASS && once.model == many.model && once.optimizer == many.optimizer
        };
        let Some(once) = regimes.iter().find(is_same) else {
            continue;
        };
        let acts = |regime: &Regime| regime.analysis.verdict.acts_as;
        let supported = match (acts(many), acts(once)) {
            (ActsAs::Undecided, _) | (_, ActsAs::Undecided) => Supported::Undecided,
            (ActsAs::Prior | ActsAs::Both, ActsAs::Force) => Supported::Supported,
            _ => Supported::Contradicted,
        };
        lines.push(Claim {
            claim: format!(
                "{}, {}: over many passes λ acts as a prior, in one pass over as many samples as a \
                 force",
                many.model, many.optimizer
            ),
            finding: format!(
                "{} passes over {} images: {} One pass over {}: {}",
                spell(many.epochs.round()),
                many.images,
                many.analysis.verdict.headline,
                once.images,
                once.analysis.verdict.headline
            ),
            supported,
        });
    }
    lines
}

fn shift(surface: &Surface, gain: &Gain) -> Option<Claim> {
    // Where λ = 0 is best there is no best λ to judge.
    if gain.shifted_loss.interval.n == 0 || gain.test_loss.interval.mean >= 0.0 {
        return None;
    }
    let supported = falls(&gain.shifted_loss);
    Some(Claim {
        claim: format!(
            "{}: the λ that is best on the test images helps on shifted ones too",
            surface.label()
        ),
        finding: format!(
            "λ = {} against 0 on the shifted images: loss {}, accuracy {}; on the test images {}.",
            spell(gain.lambda),
            difference(&gain.shifted_loss),
            change(&gain.shifted_accuracy.interval),
            change(&gain.test_loss.interval)
        ),
        supported,
    })
}
