//! Which λ are as good as the best, which are not, and what would settle the rest.

use wd_page::{Content, Section, Table, number};
use wd_statistics::{MOST_SEEDS, Standing};

use super::arrangement::Study;
use crate::analysis::NearBest;
use crate::wording::cell as words;
use crate::{Analysis, Arm};

/// The section.
pub(crate) fn section(study: &Study<'_>) -> Section {
    let analysis = study.analysis;
    let mut contents = Vec::new();
    for near in &analysis.near_best {
        contents.push(Content::Paragraph(sentence(analysis, near)));
        contents.push(Content::Table(table(&analysis.arms, near)));
    }
    if contents.is_empty() {
        contents.push(Content::Absent(
            "Left out: no two λ have finished with at least two seeds each.".to_owned(),
        ));
    } else {
        contents.push(Content::Paragraph(
            "Each arm is compared with every other, and the intervals hold together in 95 of a \
             hundred studies (Bonferroni); the spread of a pair grows with the distance of its λ, \
             as the arms show it. An arm is within ε when no other can be better by more than ε."
                .to_owned(),
        ));
    }
    contents.extend(targets(analysis));
    Section::full("near", "Which λ are as good as the best?", contents).named("The best λ")
}

/// For a terminal: a paragraph for each setting, and one for each target.
pub(crate) fn paragraphs(analysis: &Analysis) -> Vec<String> {
    let near = analysis.near_best.iter().map(|near| sentence(analysis, near));
    near.chain(target_sentences(analysis)).collect()
}

/// The arms of one standing, by their λ.
fn lambdas(analysis: &Analysis, near: &NearBest, standing: Standing) -> Vec<String> {
    let arms = near.arms.iter().zip(&near.nearest.arms);
    let of = arms.filter(|(_, found)| found.standing == standing);
    of.filter_map(|(arm, _)| Some(number::short(analysis.arms.get(*arm)?.lambda))).collect()
}

/// `Within 0.0005 of the lowest validation loss with 95 % confidence: λ = 0.3; open: …`.
fn sentence(analysis: &Analysis, near: &NearBest) -> String {
    let listed = |standing| lambdas(analysis, near, standing).join(", ");
    let lowest = near.arms.get(near.nearest.lowest).and_then(|arm| analysis.arms.get(*arm));
    let lambda = lowest.map_or_else(String::new, |arm| number::short(arm.lambda));
    let loss = if near.is_validation { "validation loss" } else { "final training loss" };
    let seeds =
        near.arms.iter().filter_map(|arm| analysis.arms.get(*arm)).map(|arm| arm.seeds.len());
    let noun = if near.is_paired { "paired seed" } else { "unpaired run" };
    let mut parts = vec![format!(
        "Best guess by mean {loss}{}: λ={lambda}, {}",
        setting(analysis, lowest),
        words::over_seeds(seeds, noun)
    )];
    let within = listed(Standing::Within);
    let epsilon = number::short(number::rounded(near.nearest.epsilon));
    parts.push(match within.as_str() {
        "" => format!("no λ is shown to be within {epsilon} of the best with 95 % confidence"),
        _ => format!("λ ∈ {{{within}}} is within {epsilon} of the best with 95 % confidence"),
    });
    let worse = listed(Standing::Worse);
    if !worse.is_empty() {
        parts.push(format!("λ ∈ {{{worse}}} is worse than that"));
    }
    let open = near.arms.iter().zip(&near.nearest.arms).filter_map(|(arm, found)| {
        let lambda = number::short(analysis.arms.get(*arm)?.lambda);
        Some(match found.more_seeds? {
            seeds if seeds >= MOST_SEEDS => format!("λ={lambda} (no practical number of seeds)"),
            1 => format!("λ={lambda} (about 1 more seed)"),
            seeds => format!("λ={lambda} (about {} more seeds)", number::count(seeds)),
        })
    });
    let open: Vec<String> = open.collect();
    if !open.is_empty() {
        parts.push(format!("undecided, and what would settle it: {}", open.join(", ")));
    }
    format!("{}.", parts.join("; "))
}

/// What sets these arms apart, where the study has several settings.
fn setting(analysis: &Analysis, arm: Option<&Arm>) -> String {
    let several = analysis.near_best.len() > 1;
    let parts =
        arm.filter(|_| several).map(|arm| arm.label.split(", ").skip(1).collect::<Vec<_>>());
    match parts {
        Some(parts) if !parts.is_empty() => format!(" ({})", parts.join(", ")),
        _ => String::new(),
    }
}

fn table(arms: &[Arm], near: &NearBest) -> Table {
    let columns = ["λ", "behind the lowest", "from", "to", "standing", "more seeds"];
    let mut table = Table::new(&columns, 1);
    for (place, (arm, found)) in near.arms.iter().zip(&near.nearest.arms).enumerate() {
        let Some(arm) = arms.get(*arm) else { continue };
        let is_lowest = place == near.nearest.lowest;
        let signed = |value: f64| match value.is_finite() {
            true => number::signed(value, 4),
            false => String::new(),
        };
        table.rows.push(vec![
            number::short(arm.lambda),
            if is_lowest { "lowest".to_owned() } else { signed(found.behind) },
            signed(found.low),
            signed(found.high),
            match found.standing {
                Standing::Within => "within ε",
                Standing::Worse => "worse",
                Standing::Open => "open",
            }
            .to_owned(),
            match found.more_seeds {
                Some(seeds) if seeds >= MOST_SEEDS => "no practical number".to_owned(),
                Some(seeds) => number::count(seeds),
                None => String::new(),
            },
        ]);
    }
    table
}

/// Each arm against the target.
fn targets(analysis: &Analysis) -> Vec<Content> {
    target_sentences(analysis).map(Content::Paragraph).collect()
}

fn target_sentences(analysis: &Analysis) -> impl Iterator<Item = String> + '_ {
    analysis.arms.iter().zip(&analysis.targets).map(|(arm, test)| {
        let known = match test.sigma {
            Some(sigma) => format!("z with σ = {}", number::short(sigma)),
            None => "t".to_owned(),
        };
        format!(
            "Is the mean of {} below {}? It is {} over {}, {known} = {}: were the true mean at the \
             target, one so low would have probability p = {}.",
            arm.label,
            number::short(test.target),
            number::fixed(test.mean, 5),
            wd_page::counted(test.n, "run"),
            number::fixed(test.statistic, 2),
            if test.p_value.is_nan() {
                number::MISSING.to_owned()
            } else {
                number::short(test.p_value)
            }
        )
    })
}
