//! Claims 19, 22, 24, 25 and 28: language models that see each token at most once, by the analysis
//! of their study.

use wd_decay::ScheduleKind;
use wd_lab::verdict::ActsAs;
use wd_lab::wording::sentence::{change, difference, lambda, percent, tested};
use wd_lab::{Analysis, Arm, Comparison, ComparisonKind};
use wd_page::number;
use wd_statistics::{PairedDifference, equivalence};

use super::row::{Finding, Verdict, more_seeds};
use crate::vision::VisionAnalysis;

const COMMAND: &str = "wd reproduce";

/// The comparisons with λ = 0 under one schedule, at the learning rate that most seeds were trained
/// at, ascending in λ.
fn compared(analysis: &Analysis, schedule: ScheduleKind) -> Vec<(&Arm, &Comparison)> {
    let of_schedule = || {
        analysis.comparisons.iter().filter_map(|comparison| {
            let arm = analysis.arms.get(comparison.arm)?;
            let is_plain = comparison.kind == ComparisonKind::SameSettings
                && arm.schedule == Some(schedule)
                && arm.settings.is_empty();
            is_plain.then_some((arm, comparison))
        })
    };
    let usual = of_schedule().max_by_key(|(arm, _)| arm.seeds.len());
    let Some(rate) = usual.map(|(arm, _)| arm.peak_learning_rate) else {
        return Vec::new();
    };
    let mut found: Vec<_> =
        of_schedule().filter(|(arm, _)| arm.peak_learning_rate == rate).collect();
    found.sort_by(|a, b| a.0.lambda.total_cmp(&b.0.lambda));
    found
}

/// Does a difference hold after correction, on this side of zero?
fn sure(difference: &PairedDifference, sign: f64) -> bool {
    difference.surely_has_sign(sign)
}

/// Claim 19: they see their data once.
pub(super) fn sees_data_once(analysis: &Analysis) -> Finding {
    let Some(setup) = analysis.arms.first().and_then(|arm| arm.setup.as_ref()) else {
        return Finding::missing("no run of a language model has finished", COMMAND);
    };
    Finding::definition(format!(
        "That is a setting, not a finding; these runs are in it: they see {}, {} tokens a \
         parameter. Claim 27 has the same model with few tokens seen many times.",
        match setup.epochs <= 1.001 {
            true => format!("{} of the training tokens once", number::percent(setup.epochs)),
            false => format!("the training tokens {} times", number::short(setup.epochs)),
        },
        number::per_parameter(setup.samples_per_parameter)
    ))
}

/// Claim 22: worse early, lower at the end.
pub(super) fn crosses(analysis: &Analysis) -> Finding {
    let compared = compared(analysis, ScheduleKind::Cosine);
    let Some((_, first)) = compared.first() else {
        return Finding::missing("no pair of runs under a cosine has finished", COMMAND);
    };
    let shows = |comparison: &Comparison| {
        sure(&comparison.early_train, 1.0)
            && comparison.crossing.is_some()
            && sure(&comparison.final_train, -1.0)
    };
    let refutes = |comparison: &Comparison| {
        sure(&comparison.final_train, 1.0) || sure(&comparison.early_train, -1.0)
    };
    let told: Vec<String> = compared
        .iter()
        .map(|(arm, comparison)| {
            let crossing = match &comparison.crossing {
                Some(crossing) => format!("crosses at {} of the run", percent(crossing.fraction)),
                None => "is not seen to cross".to_owned(),
            };
            format!(
                "{}: {} between 10 and 50 % of the run; {crossing}; at the end {}",
                lambda(arm),
                tested(&comparison.early_train),
                difference(&comparison.final_train)
            )
        })
        .collect();
    let verdict = Verdict::decided(
        compared.iter().any(|(_, comparison)| shows(comparison)),
        compared.iter().all(|(_, comparison)| refutes(comparison)),
    );
    let best = compared.iter().find(|(_, comparison)| shows(comparison)).map(|(_, best)| *best);
    let open = best.unwrap_or(*first);
    let mut finding =
        Finding::new(verdict, format!("Training loss, λ against 0. {}.", told.join(". ")))
            .settled_by(more_seeds(&open.final_train, COMMAND));
    for (arm, comparison) in compared {
        let name = |when: &str| format!("{when} training loss, {}", lambda(arm));
        finding = finding
            .with(name("early"), comparison.early_train.interval)
            .with(name("final"), comparison.final_train.interval);
    }
    finding
}

/// Claim 24: the gap is about 0 whatever λ is.
pub(super) fn gap_stays(analysis: &Analysis) -> Finding {
    let margin = analysis.verdict.gap_margin;
    let compared = compared(analysis, ScheduleKind::Cosine);
    let Some((_, first)) = compared.first() else {
        return Finding::missing("no pair of runs under a cosine has finished", COMMAND);
    };
    let baseline = &analysis.arms[first.baseline];
    let told: Vec<String> = compared
        .iter()
        .map(|(arm, comparison)| format!("{} {}", lambda(arm), tested(&comparison.gap)))
        .collect();
    let is_zero = baseline.gap.low > -margin && baseline.gap.high < margin;
    let is_not = baseline.gap.low > margin || baseline.gap.high < -margin;
    let tested_well: Vec<&Comparison> =
        compared.iter().map(|(_, c)| *c).filter(|c| c.gap.interval.n >= 3).collect();
    let stays = !tested_well.is_empty()
        && tested_well.iter().all(|c| equivalence(&c.gap.values(), margin).holds);
    let moves = match stays {
        true => format!("λ is shown to change it by less than {margin}"),
        false => "whether λ changes it is told with too few seeds to be sure".to_owned(),
    };
    let mut finding = Finding::new(
        Verdict::decided(is_zero && stays, is_not),
        format!(
            "On documents that were not trained on, the gap is {} nats at λ = 0, which is {}0; \
             {moves}: {}. A gap of 0 is what held-out windows of the same documents would have.",
            change(&baseline.gap),
            if is_not { "not " } else { "" },
            told.join("; ")
        ),
    )
    .settled_by(more_seeds(&first.gap, COMMAND))
    .with("gap at λ=0", baseline.gap);
    for (arm, comparison) in compared {
        finding =
            finding.with(format!("change of the gap, {}", lambda(arm)), comparison.gap.interval);
    }
    finding
}

/// Claim 25: at a constant rate λ only hurts.
pub(super) fn only_hurts_at_a_constant_rate(analysis: &Analysis) -> Finding {
    let compared = compared(analysis, ScheduleKind::Constant);
    let Some((_, first)) = compared.first() else {
        return Finding::missing("no pair of runs at a constant rate has finished", COMMAND);
    };
    let told: Vec<String> = compared
        .iter()
        .map(|(arm, comparison)| format!("{} {}", lambda(arm), difference(&comparison.final_train)))
        .collect();
    let mut finding = Finding::new(
        Verdict::decided(
            compared.iter().all(|(_, c)| sure(&c.final_train, 1.0)),
            compared.iter().any(|(_, c)| sure(&c.final_train, -1.0)),
        ),
        format!(
            "Final training loss of the raw weights, λ against 0: {}. Of raw weights only: see the \
             next claim.",
            told.join("; ")
        ),
    )
    .settled_by(more_seeds(&first.final_train, COMMAND));
    for (arm, comparison) in compared {
        finding = finding
            .with(format!("final training loss, {}", lambda(arm)), comparison.final_train.interval);
    }
    finding
}

/// Claim 28: the setting decides which view holds.
pub(super) fn two_views(
    analysis: &Analysis,
    images: &VisionAnalysis,
    repeated: &Finding,
) -> Finding {
    // With λ a force in one pass, and its best on few images a narrower gap.
    let once = analysis.verdict.acts_as;
    let narrows = images.gains.iter().flatten().find(|gain| super::row::surely(&gain.gap, -1.0));
    let is_force = once == ActsAs::Force;
    let is_prior = narrows.is_some();
    let mut found = analysis.verdict.headline.clone();
    found.push_str(&match narrows {
        Some(gain) => format!(
            " On few images seen many times, λ = {} narrows the gap between test and training \
             loss: {}.",
            number::short(gain.lambda),
            tested(&gain.gap)
        ),
        None => " On few images no λ is shown to narrow the gap.".to_owned(),
    });
    found.push_str(&match repeated.verdict {
        Verdict::Contradicted => {
            " One more setting joins them: a language model that sees few tokens many times is \
             helped as images are (claim 27). What decides is how often the data are seen, not \
             which data they are."
                .to_owned()
        }
        _ => String::new(),
    });
    let contradicted = matches!(once, ActsAs::Prior | ActsAs::Both);
    Finding::new(Verdict::decided(is_force && is_prior, contradicted), found)
        .settled_by("`wd reproduce --seeds 5`: the gap in one pass needs five paired seeds")
}
