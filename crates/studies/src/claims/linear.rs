//! Claims 6, 8, 10 and 14, and a part of 2 and 18: λ as a prior in linear models.

use wd_evidence::gaussian::Evidence;
use wd_lab::wording::Ends;
use wd_page::number::{self, short};
use wd_statistics::Interval;

use super::row::{Finding, Verdict};
use crate::prior::{ErrorCurve, PriorFindings, RuleErrors, SampleSize};

/// Of `rules` of a size: maximum likelihood comes first, λ by evidence second.
const BY_EVIDENCE: usize = 1;

/// An error, or a change of one, with its interval.
fn written(interval: &Interval) -> String {
    Ends::Brackets.write(interval, |value| number::signed(value, 3))
}

fn by_evidence(size: &SampleSize) -> Option<&RuleErrors> {
    size.rules.get(BY_EVIDENCE)
}

/// Claim 6: maximum likelihood fails on shifted data, and a prior helps.
pub(super) fn shifted(findings: &PriorFindings) -> Finding {
    let sizes: Vec<(usize, Interval)> = findings
        .sizes
        .iter()
        .filter_map(|size| Some((size.rows, by_evidence(size)?.shifted_difference)))
        .collect();
    let (Some((least, first)), Some((most, last))) = (sizes.first(), sizes.last()) else {
        return Finding::missing("no sample was drawn", "wd reproduce prior");
    };
    let harmed: Vec<String> = sizes
        .iter()
        .filter(|(_, change)| change.low > 0.0)
        .map(|(rows, _)| rows.to_string())
        .collect();
    let levels = findings.sizes.first().and_then(|size| size.rules.first()).map_or_else(
        String::new,
        |likelihood| {
            format!(
                "From {least} rows maximum likelihood errs by {} on fresh rows and by {} on \
                 shifted ones. ",
                number::fixed(likelihood.fresh.mean, 2),
                number::fixed(likelihood.shifted.mean, 2)
            )
        },
    );
    let reverse = match harmed.is_empty() {
        true => String::new(),
        false => format!(
            " It reverses: with {} rows and more the same prior harms on shifted rows ({} at \
             {most}).",
            harmed.first().map_or("", String::as_str),
            written(last)
        ),
    };
    Finding::new(
        Verdict::decided(first.high < 0.0, sizes.iter().all(|(_, change)| change.low > 0.0)),
        format!(
            "{levels}The prior changes the error on shifted rows by {} there (in units of the \
             target's variance): where rows are few it helps.{reverse}",
            written(first)
        ),
    )
    .settled_by("`wd reproduce prior --draws 2000`: more draws")
    .with(format!("change on shifted rows, n = {least}"), *first)
    .with(format!("change on shifted rows, n = {most}"), *last)
}

/// Claim 8: p(D) is a constant to be ignored.
pub(super) fn normaliser(evidence: &Evidence) -> Finding {
    let best = evidence.maximum().point;
    let (small, large) = (evidence.at(best.lambda / 100.0), evidence.at(best.lambda * 100.0));
    let cost = |other: f64| number::fixed(best.log_evidence - other, 1);
    Finding::new(
        Verdict::Contradicted,
        format!(
            "For the weights at a given λ it is a constant; for λ it is the whole answer. On the \
             shipped table ln p(D | λ) is {} nats at λ = {}, {} nats less at a hundredth of it and \
             {} less at a hundred times as much: the term that the post drops is what chooses λ \
             (PRML 3.4).",
            number::fixed(best.log_evidence, 1),
            short(number::rounded(best.lambda)),
            cost(small.log_evidence),
            cost(large.log_evidence)
        ),
    )
}

/// Claim 10: λ = 1/σ².
pub(super) fn equivalence(findings: &PriorFindings) -> Finding {
    let ways = &findings.ways;
    let worst = ways.ways.iter().map(|way| way.difference).fold(0.0, f64::max);
    Finding::new(
        Verdict::decided(worst < 1e-6, worst > 1e-3),
        format!(
            "For a loss that is a sum, in units of the noise: λ = {} = ({}/{})², and four ways \
             lead to one minimum, within {worst:.0e} of each other. For the mean over n that the \
             post writes, λ is 1/(nσ²): here {}, which is {} times smaller.",
            short(number::rounded(ways.lambda)),
            short(number::rounded(ways.noise_deviation)),
            short(number::rounded(ways.prior_deviation)),
            short(number::rounded(ways.mean_loss_lambda)),
            number::count(ways.rows as u64)
        ),
    )
    .settled_by("`wd reproduce prior`: read which of the four ways is off")
}

/// Claim 14: a valley over λ, and the same over σ.
pub(super) fn valley(curve: &ErrorCurve) -> Finding {
    let best = curve.points.iter().find(|point| point.lambda == curve.best_lambda);
    let (Some(weak), Some(best), Some(strong)) = (curve.points.first(), best, curve.points.last())
    else {
        return Finding::missing("no curve over λ was drawn", "wd reproduce prior");
    };
    let told = |point: &crate::prior::CurvePoint| {
        let error = Ends::Brackets.write(&point.fresh, |value| number::fixed(value, 3));
        format!(
            "{error} at λ = {} (σ = {})",
            short(number::rounded(point.lambda)),
            short(number::rounded(point.sigma))
        )
    };
    let is_valley = best.fresh.high < weak.fresh.low && best.fresh.high < strong.fresh.low;
    let is_at_an_end = [weak.lambda, strong.lambda].contains(&best.lambda);
    Finding::new(
        Verdict::decided(is_valley, is_at_an_end),
        format!(
            "From {} rows the error on fresh rows is {}, least, {}, and {}. σ is in units of the \
             noise, and 1/√λ.",
            curve.rows,
            told(weak),
            told(best),
            told(strong)
        ),
    )
    .settled_by("`wd reproduce prior --draws 2000`: more draws")
    .with("error at the smallest λ", weak.fresh)
    .with("error at the best λ", best.fresh)
    .with("error at the largest λ", strong.fresh)
}

/// γ along λ, in a sentence: a part of claims 2 and 18.
pub(super) fn effective_parameters(evidence: &Evidence) -> String {
    let best = evidence.maximum().point;
    let at = |lambda: f64| number::fixed(evidence.at(lambda).effective_parameters, 2);
    format!(
        "In the linear model of the shipped table {} of {} parameters are effective at the best λ \
         = {}, {} at ten times and {} at a hundred times as much.",
        number::fixed(best.effective_parameters, 2),
        evidence.rank(),
        short(number::rounded(best.lambda)),
        at(10.0 * best.lambda),
        at(100.0 * best.lambda)
    )
}
