//! Point 6, behind the first figure: the verdict in words and numbers, and what is not significant.

use crate::{ActsAs, Comparison, ComparisonKind};
use wd_statistics::{PairedDifference, bootstrap_check};

use super::arrangement::Study;
use crate::wording::cell as words;
use wd_page::{Content, Context, Section, Table, number};

/// The section.
pub(crate) fn section(study: &Study<'_>, context: &Context) -> Section {
    let verdict = &study.analysis.verdict;
    let (before, answer) = match verdict.acts_as {
        ActsAs::Force => ("In this setting λ acts as ", "a force"),
        ActsAs::Prior => ("In this setting λ acts as ", "a prior"),
        ActsAs::Both => ("In this setting λ acts as ", "both a prior and a force"),
        ActsAs::Neither => ("In this setting λ acts as ", "neither prior nor force"),
        ActsAs::Undecided => ("How λ acts in this setting is ", "not yet decided"),
    };
    let mut contents = vec![
        Content::Answer(before.to_owned(), answer.to_owned()),
        Content::Paragraph(
            "As a prior, λ would shrink the gap between validation and training loss; as a force, \
             it leaves the gap and moves the training loss itself, through the effective learning \
             rate."
                .to_owned(),
        ),
    ];
    contents.extend(context.undecided("What would decide it"));
    if !verdict.lines.is_empty() {
        contents.push(Content::Claims(verdict.lines.clone()));
    }
    contents.extend(context.notes.iter().cloned().map(Content::Paragraph));
    contents.extend(significance(study));
    Section::full("verdict", "Verdict", contents)
}

/// The measures by which a comparison decides.
fn measures(comparison: &Comparison) -> [(&'static str, &PairedDifference); 3] {
    [
        ("final training loss", &comparison.final_train),
        ("validation loss", &comparison.final_validation),
        ("generalisation gap", &comparison.gap),
    ]
}

/// Names of the two sides of a comparison.
pub(crate) fn sides(study: &Study<'_>, comparison: &Comparison) -> String {
    let (arm, baseline) =
        (&study.analysis.arms[comparison.arm], &study.analysis.arms[comparison.baseline]);
    match comparison.kind {
        ComparisonKind::SameSettings => arm.label.clone(),
        ComparisonKind::BestLearningRate => format!(
            "{}, each at its best LR ({} against {})",
            study.label(comparison.arm),
            rate(arm),
            rate(baseline)
        ),
    }
}

/// The peak learning rate of an arm, as far as it is known.
fn rate(arm: &crate::Arm) -> String {
    arm.peak_learning_rate.map_or_else(|| "unknown".to_owned(), number::short)
}

fn significance(study: &Study<'_>) -> Vec<Content> {
    let comparisons = &study.analysis.comparisons;
    if comparisons.is_empty() {
        return vec![Content::Absent(
            "No arm can be paired with one at λ = 0, otherwise equal settings and equal seeds, so \
             there is no difference to test."
                .to_owned(),
        )];
    }
    let columns =
        ["comparison with λ = 0", "of", "difference", "n", "p", "p (Holm)", "more seeds needed"];
    let (mut open, mut all) = (Table::new(&columns, 2), Table::new(&columns, 2));
    for comparison in comparisons {
        for (measure, difference) in measures(comparison) {
            if difference.interval.n == 0 {
                continue;
            }
            let row = vec![
                sides(study, comparison),
                measure.to_owned(),
                words::difference_interval(&difference.interval),
                difference.interval.n.to_string(),
                words::p_value(difference.p_value),
                words::p_value(difference.adjusted_p),
                if difference.significant {
                    "significant".to_owned()
                } else {
                    words::more_seeds(difference)
                },
            ];
            if !difference.significant {
                open.rows.push(row.clone());
            }
            all.rows.push(row);
        }
    }
    let mut contents = vec![Content::Heading("What is not significant".to_owned())];
    let what = match comparisons.iter().all(|comparison| comparison.pairing.is_paired()) {
        true => {
            "Differences are means over pairs of equal seed with 95 % t-intervals; significant \
             means a two-sided paired t-test below 5 %"
        }
        false => {
            "Differences have 95 % t-intervals: of pairs of equal seed where the runs are paired, \
             else of two means by Welch's test; significant means a two-sided t-test below 5 %"
        }
    };
    let explanation = format!(
        "{what}, before Holm's correction over the arms compared with the same baseline. More \
         seeds: an estimate of how many further ones would make a difference of this size and \
         spread significant with 80 % power."
    );
    let (not, of) = (open.rows.len(), all.rows.len());
    if open.rows.is_empty() {
        contents.push(Content::Paragraph(format!(
            "All {of} comparisons are significant at 5 %. {explanation}"
        )));
    } else {
        contents.push(Content::Paragraph(format!(
            "{not} of {of} comparisons {} not significant at 5 %. {explanation}",
            if not == 1 { "is" } else { "are" }
        )));
        // A long list would push the figures out of sight.
        if open.rows.len() <= 8 {
            contents.push(Content::Table(open));
        } else {
            contents.push(Content::More(
                format!("The {not} comparisons that are not significant"),
                vec![Content::Table(open)],
            ));
        }
    }
    contents.extend(bootstrap(comparisons).map(Content::Paragraph));
    if not < of {
        contents.push(Content::More(format!("All {of} comparisons"), vec![Content::Table(all)]));
    }
    contents
}

/// Whether a bootstrap over seeds agrees with Student's intervals, and whether there are enough
/// seeds for it to mean anything; none where nothing is paired.
fn bootstrap(comparisons: &[Comparison]) -> Option<String> {
    let losses: Vec<&PairedDifference> = comparisons
        .iter()
        .map(Comparison::final_loss)
        .filter(|loss| loss.per_seed.len() > 1 && loss.p_value.is_some())
        .collect();
    let fewest = losses.iter().map(|loss| loss.per_seed.len()).min()?;
    let checks = losses.iter().map(|loss| (loss.significant, bootstrap_check(&loss.values())));
    let agree = checks.filter(|(significant, check)| *significant == check.excludes_zero()).count();
    let least = bootstrap_check(&vec![0.0; fewest]);
    Some(match least.is_enough {
        true => format!(
            "A bootstrap over seeds agrees with the t-test on the final loss in {agree} of {}.",
            wd_page::counted(losses.len(), "comparison")
        ),
        false => format!(
            "With {} no test by sign flips can reach 5 % (its smallest p is {}), and a bootstrap \
             covers too seldom: the t-intervals rest on differences that are nearly normal. Six \
             seeds would let a second way of reasoning confirm them.",
            wd_page::counted(fewest, "paired seed"),
            number::short(least.least_sign_flip_p)
        ),
    })
}
