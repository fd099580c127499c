//! What the files prove: the estimates with their intervals, or why there are none.

use wd_page::number::{count, short};
use wd_page::{Content, Section, Table};

use super::figures;
use super::lead::range;
use crate::Audit;
use crate::estimate::{Proof, TensorEstimate};

/// Rows of the table that is seen at once.
const FEW: usize = 12;

pub(super) fn sections(audit: &Audit) -> Vec<Section> {
    let proof = &audit.proof;
    let mut contents: Vec<Content> =
        proof.reasons.iter().cloned().map(Content::Paragraph).collect();
    if let Some(sum) = proof.rate_sum {
        let name = match proof.files.len() {
            0..=2 => "Σ η between the two",
            _ => "Σ η from first to last",
        };
        contents.push(Content::fact(name, short(sum)));
    }
    let mut sections = Vec::new();
    if !proof.estimates.is_empty() || !contents.is_empty() || !proof.drifts.is_empty() {
        contents.extend(figures::estimates(proof));
        if !proof.estimates.is_empty() {
            contents.extend(estimates(&proof.estimates));
        }
        contents.extend(figures::rows(proof));
        contents.extend(rules(proof));
        contents.extend(drifts(proof));
        sections.push(Section::new("proof", "What the files prove", contents));
    }
    sections.extend(balances(proof));
    sections
}

/// The estimates, those that differ from what is declared first. Where they are many the first few
/// stand there, and all of them behind a heading.
fn estimates(estimates: &[TensorEstimate]) -> Vec<Content> {
    let differs = |one: &&TensorEstimate| {
        let nearest = one.nearest_declared();
        one.lambda.zip(nearest).is_some_and(|(lambda, declared)| lambda.excludes(declared))
    };
    let (mut sorted, same): (Vec<&TensorEstimate>, Vec<_>) = estimates.iter().partition(differs);
    sorted.extend(same);
    // κ says nothing more where λ is known.
    let with_shrink = sorted.iter().any(|one| one.lambda.is_none());
    if sorted.len() <= FEW {
        return vec![table(&sorted, with_shrink)];
    }
    let order = match sorted.first().is_some_and(differs) {
        true => ", those that differ from what is declared first",
        false => "",
    };
    let shown = format!("The table has {FEW} of {} estimates{order}.", count(sorted.len() as u64));
    vec![
        table(&sorted[..FEW], with_shrink),
        Content::Paragraph(shown),
        Content::More("Every tensor".to_owned(), vec![table(&sorted, true)]),
    ]
}

fn table(estimates: &[&TensorEstimate], with_shrink: bool) -> Content {
    let mut columns = vec!["tensor", "seen by", "λ, 95 % interval"];
    columns.extend(with_shrink.then_some("κ, 95 % interval"));
    columns.extend(["η", "declared", "rows"]);
    let mut table = Table::new(&columns, 2);
    for one in estimates {
        let or_dash = |words: Option<String>| words.unwrap_or_else(|| "–".to_owned());
        let mut row = vec![
            one.tensor.clone(),
            one.method.to_string(),
            or_dash(one.lambda.as_ref().map(range)),
        ];
        row.extend(with_shrink.then(|| or_dash(one.shrink.as_ref().map(range))));
        row.extend([
            or_dash(one.rate.map(|rate| short(rate.value))),
            or_dash(one.declared.map(short)),
            count(one.rows as u64),
        ]);
        table.rows.push(row);
    }
    Content::Table(table)
}

/// Which rule the shrinks of several windows follow.
fn rules(proof: &Proof) -> Option<Content> {
    if proof.rules.is_empty() {
        return None;
    }
    let mut table = Table::new(&["the shrink follows", "largest relative residual"], 1);
    for fit in &proof.rules {
        table.rows.push(vec![fit.rule.to_owned(), short(fit.residual)]);
    }
    Some(Content::Table(table))
}

fn drifts(proof: &Proof) -> Option<Content> {
    if proof.drifts.is_empty() {
        return None;
    }
    let columns = ["tensor", "left along itself", "norm, second to first", "bits"];
    let mut table = Table::new(&columns, 1);
    for drift in &proof.drifts {
        table.rows.push(vec![
            drift.tensor.clone(),
            short(drift.along),
            short(drift.norm_ratio),
            match (drift.is_equal, drift.is_pure_factor) {
                (true, _) => "equal".to_owned(),
                (_, true) => "one factor everywhere".to_owned(),
                _ => "changed".to_owned(),
            },
        ]);
    }
    let why = "This is drift, and not λ: between distant checkpoints the gradient moves a tensor \
               along itself too.";
    let contents = vec![Content::Paragraph(why.to_owned()), Content::Table(table)];
    Some(Content::More("How far the tensors moved".to_owned(), contents))
}

/// Growth of the norms in the last step, beside what decay alone makes.
fn balances(proof: &Proof) -> Option<Section> {
    if proof.balances.is_empty() {
        return None;
    }
    let columns =
        ["tensor", "growth of ‖w‖² a step, 95 % interval", "decay's part", "RMS", "RMS in balance"];
    let mut table = Table::new(&columns, 1);
    for one in &proof.balances {
        table.rows.push(vec![
            one.tensor.clone(),
            range(&one.growth),
            short(one.decay_part),
            short(one.rms),
            one.equilibrium_rms.map_or_else(|| "–".to_owned(), short),
        ]);
    }
    let mut contents = vec![Content::Paragraph(
        "A tensor whose growth is about 0 is in balance: decay takes what the updates add."
            .to_owned(),
    )];
    contents.extend(figures::norms(proof));
    contents.push(Content::Table(table));
    Some(Section::full("norms", "Norms, measured and predicted", contents))
}
