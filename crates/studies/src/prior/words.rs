//! The findings in words, for a terminal and for the report.

use super::findings::{AgainstCrossValidation, PriorFindings, RuleErrors, SampleSize};
use super::simulation::Rule;
use wd_lab::wording::Ends;
use wd_statistics::Interval;

use wd_page::number::significant;

/// What was found, a sentence or two each; the first is the headline.
pub(super) fn verdict(findings: &PriorFindings) -> Vec<String> {
    let mut lines = Vec::new();
    if let (Some(first), Some(last)) = (findings.sizes.first(), findings.sizes.last()) {
        let told = |size: &SampleSize| {
            let (likelihood, map) = (errors(size, 0), errors(size, 1));
            format!(
                "from {} rows, {:.3} and {:.3}, a difference of {}: {}",
                size.rows,
                likelihood.fresh.mean,
                map.fresh.mean,
                signed(map.fresh_difference),
                decision(map.fresh_difference)
            )
        };
        lines.push(format!(
            "Error on fresh rows of maximum likelihood and of MAP with λ by evidence: {}; {}.",
            told(first),
            told(last)
        ));
        lines.push(by_size(findings, "fresh", |found| found.fresh_difference));
        lines.push(by_size(findings, "shifted", |found| found.shifted_difference));
    }
    lines.extend(along_lambda(findings));
    lines.push(four_ways(findings));
    lines.extend(recovered(findings));
    lines.push(against_cross_validation(findings));
    lines
}

pub(super) fn errors(size: &SampleSize, rule: usize) -> &RuleErrors {
    &size.rules[rule]
}

fn decision(difference: Interval) -> &'static str {
    if difference.high < 0.0 {
        "the prior helps"
    } else if difference.low > 0.0 {
        "the prior harms"
    } else {
        "undecided"
    }
}

pub(super) fn signed(interval: Interval) -> String {
    Ends::Range.write(&interval, |value| format!("{value:+.3}"))
}

/// At which sizes the prior helps, harms, or neither can be told, with the mean difference at each.
fn by_size(findings: &PriorFindings, rows: &str, of: fn(&RuleErrors) -> Interval) -> String {
    let by_rule = [1, 2].map(|rule| {
        let parts: Vec<String> = ["the prior helps", "undecided", "the prior harms"]
            .iter()
            .filter_map(|judgement| {
                let sizes: Vec<String> = findings
                    .sizes
                    .iter()
                    .filter(|size| decision(of(errors(size, rule))) == *judgement)
                    .map(|size| format!("{} ({:+.3})", size.rows, of(errors(size, rule)).mean))
                    .collect();
                (!sizes.is_empty()).then(|| format!("{judgement} at n = {}", sizes.join(", ")))
            })
            .collect();
        format!("with λ by {}, {}", name(Rule::ALL[rule]), parts.join("; "))
    });
    format!("On {rows} rows, {}.", by_rule.join(". There, "))
}

fn along_lambda(findings: &PriorFindings) -> Option<String> {
    let curve = &findings.curve;
    let (weak, strong) = (curve.points.first()?, curve.points.last()?);
    let best = curve.points.iter().find(|point| point.lambda == curve.best_lambda)?;
    let chosen: Vec<String> = curve
        .chosen
        .iter()
        .map(|choice| {
            format!(
                "{} {} (error {:.3})",
                name(choice.rule),
                short(choice.quartiles[1]),
                choice.fresh.mean
            )
        })
        .collect();
    Some(format!(
        "From {} rows the error on fresh rows is {:.3} at λ = {}, least, {:.3}, at λ = {} (σ = {} \
         of the noise), and {:.3} at λ = {}. Medians of the λ chosen: {}.",
        curve.rows,
        weak.fresh.mean,
        short(weak.lambda),
        best.fresh.mean,
        short(best.lambda),
        short(best.sigma),
        strong.fresh.mean,
        short(strong.lambda),
        chosen.join(", ")
    ))
}

fn four_ways(findings: &PriorFindings) -> String {
    let ways = &findings.ways;
    let worst = |arithmetic: &str| {
        ways.ways
            .iter()
            .filter(|way| way.arithmetic == arithmetic)
            .map(|way| way.difference)
            .fold(0.0, f64::max)
    };
    let met = |difference: f64| {
        if difference < 1e-6 { "within 1e-6" } else { "not within 1e-6" }
    };
    let (double, single) = (worst("f64"), worst("f32"));
    format!(
        "λ = {} is noise²/σ² = ({}/{})², and four ways lead to one minimum: in f64 they differ by \
         {double:.1e} at most ({}); optim's SGD, at λ/N = {}, by {single:.1e} ({}), where f32 \
         rounds each weight by up to {:.1e}. These are norms; of a single coefficient, f32 is off \
         by up to {:.1e}.",
        short(ways.lambda),
        short(ways.noise_deviation),
        short(ways.prior_deviation),
        met(double),
        short(ways.mean_loss_lambda),
        met(single),
        f32::EPSILON / 2.0,
        ways.ways.iter().map(|way| way.largest_difference).fold(0.0, f64::max)
    )
}

fn recovered(findings: &PriorFindings) -> Vec<String> {
    let mut widths: Vec<usize> = findings.recovery.iter().map(|group| group.columns).collect();
    widths.dedup();
    widths
        .into_iter()
        .filter_map(|columns| {
            let groups: Vec<_> =
                findings.recovery.iter().filter(|group| group.columns == columns).collect();
            let (first, last) = (groups.first()?, groups.last()?);
            let low: Vec<String> = groups
                .iter()
                .filter(|group| group.coverage_interval.1 < 0.95)
                .map(|group| group.rows.to_string())
                .collect();
            let short_of = if low.is_empty() {
                "at no n is that clearly below 95 %".to_owned()
            } else {
                format!("clearly below 95 % at n = {}", low.join(", "))
            };
            Some(format!(
                "Of {columns} weights drawn with σ = {}, the evidence finds {} from {} rows \
                 (median; quartiles {} to {}) and {} from {} ({} to {}). Its 95 % interval holds σ \
                 in {:.1} % and {:.1} % of draws; {short_of}. Without an inner maximum there is no \
                 interval: in {} and {} draws.",
                first.sigma,
                short(first.quartiles[1]),
                first.rows,
                short(first.quartiles[0]),
                short(first.quartiles[2]),
                short(last.quartiles[1]),
                last.rows,
                short(last.quartiles[0]),
                short(last.quartiles[2]),
                100.0 * first.coverage,
                100.0 * last.coverage,
                first.without_interval,
                last.without_interval,
            ))
        })
        .collect()
}

fn against_cross_validation(findings: &PriorFindings) -> String {
    let told = |is_of: fn(Interval) -> bool| {
        let named: Vec<String> = findings
            .against_cross_validation
            .iter()
            .flat_map(|found| {
                [("leave-one-out", found.over_leave_one_out), ("10 folds", found.over_ten_folds)]
                    .into_iter()
                    .filter(move |(_, difference)| is_of(*difference))
                    .map(move |(against, difference)| {
                        format!(
                            "{:+.1} % against {against} ({})",
                            100.0 * difference.mean,
                            brief(found)
                        )
                    })
            })
            .collect();
        (named.len(), named.join("; "))
    };
    let (losses, lost) = told(|difference| difference.low > 0.0);
    let (wins, _) = told(|difference| difference.high < 0.0);
    let all = 2 * findings.against_cross_validation.len();
    let lost = if losses == 0 {
        "It loses in none.".to_owned()
    } else {
        format!("It loses in {losses}: {lost}.")
    };
    format!(
        "In {all} comparisons with cross-validation, λ by evidence errs less in {wins}, and in {} \
         the interval holds 0. {lost} At this level one in forty of either kind would be chance.",
        all - wins - losses
    )
}

fn brief(found: &AgainstCrossValidation) -> String {
    format!("{}, n = {}", found.name, found.rows)
}

pub(super) fn name(rule: Rule) -> &'static str {
    match rule {
        Rule::MaximumLikelihood => "maximum likelihood",
        Rule::Evidence => "evidence",
        Rule::LeaveOneOut => "leave-one-out",
        Rule::TenFolds => "10 folds",
    }
}

/// Three digits.
pub(super) fn short(value: f64) -> String {
    significant(value, 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prior_helps_or_harms_only_where_the_interval_says_so() {
        let around = |low, high| Interval {
            mean: 0.5 * (low + high),
            low,
            high,
            standard_error: 0.1,
            n: 10,
        };
        assert_eq!(decision(around(-2.0, -1.0)), "the prior helps");
        assert_eq!(decision(around(1.0, 2.0)), "the prior harms");
        assert_eq!(decision(around(-1.0, 2.0)), "undecided");
        assert_eq!(decision(around(f64::NAN, f64::NAN)), "undecided");
        assert_eq!(short(f64::INFINITY), "∞");
        assert_eq!(short(12.3456), "12.3");
    }
}
