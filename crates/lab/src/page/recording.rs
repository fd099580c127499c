//! What the names of another program were taken for, and how its runs are paired.

use wd_page::{Content, Section, number};

use crate::wording::sentence::short;
use crate::{Analysis, Pairing};

/// The section of a study of another program's runs.
pub(crate) fn section(analysis: &Analysis) -> Section {
    let contents = paragraphs(analysis).into_iter().map(Content::Paragraph).collect();
    Section::full("recording", "What was read", contents)
}

/// The same as paragraphs; none for runs of this program.
pub(crate) fn paragraphs(analysis: &Analysis) -> Vec<String> {
    let Some(recording) = &analysis.recording else { return Vec::new() };
    let named = |what: &str, name: &Option<String>| match name {
        Some(name) => format!("{what} is `{name}`"),
        None => format!("{what} is not recorded"),
    };
    let mut roles = vec![
        format!("λ is `{}`", recording.lambda),
        named("the peak learning rate", &recording.learning_rate),
        named("the seed", &recording.seed),
        named("the validation loss", &recording.validation),
        named("the training loss", &recording.training),
    ];
    if recording.training.is_some() {
        roles.push(format!("that loss is {}", recording.training_is.words()));
    }
    let mut paragraphs = vec![format!("Of {}: {}.", recording.program, roles.join("; "))];
    paragraphs.extend(pairing(analysis));
    paragraphs.extend(recording.notes.iter().cloned());
    paragraphs
}

/// How the comparisons are paired.
fn pairing(analysis: &Analysis) -> Option<String> {
    let mut verified: Option<(&str, f64, f64)> = None;
    let mut unpaired: Vec<String> = Vec::new();
    for comparison in &analysis.comparisons {
        match &comparison.pairing {
            Pairing::Seed => {}
            Pairing::FirstLoss { curve, tolerance, largest } => {
                let most = verified.map_or(*largest, |(_, _, known)| known.max(*largest));
                verified = Some((curve, *tolerance, most));
            }
            Pairing::Unpaired { reason } => {
                let label = analysis.arms.get(comparison.arm).map_or("", |arm| &arm.label);
                let told = format!("{label} ({reason})");
                if !unpaired.contains(&told) {
                    unpaired.push(told);
                }
            }
        }
    }
    let mut sentences = Vec::new();
    if let Some((curve, tolerance, largest)) = verified {
        let seen = match largest {
            0.0 => "they are equal".to_owned(),
            _ => format!("they differ by at most {}", short(largest)),
        };
        sentences.push(format!(
            "Runs are paired by their seed, and that is verified: the first logged numbers of \
             `{curve}` of the runs of a seed agree within {} ({seen}).",
            number::short(tolerance)
        ));
    }
    if !unpaired.is_empty() {
        let told = unpaired.join("; ");
        sentences.push(format!("Not paired, and compared by Welch's test: {told}."));
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}
