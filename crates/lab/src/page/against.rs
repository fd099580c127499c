//! Every arm against one that somebody chose, whatever its λ.

use wd_page::figure::{Colour, Horizontal, Labels, Moment, PanelFigure, Reference};
use wd_page::{Content, FigureBlock, Section, Table, counted, number};

use super::curves::{self, Curve, Quantity};
use crate::analysis::arms::gather;
use crate::analysis::pairs;
use crate::wording::cell as words;
use crate::{Comparison, LabError, Record};

/// Lines that can be told apart.
const DRAWN: usize = 12;

/// How every other arm differs from the one of this label; absent where no arm has it.
///
/// # Errors
/// [`LabError::Store`] when the metrics of a finished run are damaged.
pub fn against(records: &[&Record], label: &str) -> Result<Option<Section>, LabError> {
    let members = gather(records)?;
    let Some(baseline) = members.iter().position(|one| one.arm.label == label) else {
        return Ok(None);
    };
    let comparisons = pairs::against(&members, baseline);
    let label_of = |comparison: &Comparison| members[comparison.arm].arm.label.as_str();
    if comparisons.is_empty() {
        let absent = format!(
            "No other arm of as many steps has finished a run that can be compared with {label}."
        );
        let contents = vec![Content::Absent(absent)];
        return Ok(Some(section(contents)));
    }
    let columns = ["arm", "validation loss", "training loss", "gap", "n", "p", "p (Holm)"];
    let mut table = Table::new(&columns, 1);
    for comparison in &comparisons {
        let decides = comparison.final_loss();
        table.rows.push(vec![
            label_of(comparison).to_owned(),
            words::difference_interval(&comparison.final_validation.interval),
            words::difference_interval(&comparison.final_train.interval),
            words::difference_interval(&comparison.gap.interval),
            decides.interval.n.to_string(),
            words::p_value(decides.p_value),
            words::p_value(decides.adjusted_p),
        ]);
    }
    let lower = comparisons.iter().filter(|comparison| {
        let loss = comparison.final_loss();
        loss.holds_after_correction() && loss.interval.mean < 0.0
    });
    let lower: Vec<&str> = lower.map(label_of).collect();
    let found = match lower.as_slice() {
        [] => format!("No arm ends significantly lower than {label}."),
        [one] => format!("{one} ends significantly lower than {label}."),
        several => format!(
            "{} end significantly lower than {label}: {}.",
            counted(several.len(), "arm"),
            several.join("; ")
        ),
    };
    let is_paired = comparisons.iter().all(|comparison| comparison.pairing.is_paired());
    let how = if is_paired { ", of runs of equal seed" } else { "" };
    let told = format!(
        "{found} Differences are to {label}{how}, with 95 % t-intervals; below zero the arm is \
         better. Holm's correction is over the arms in this table."
    );
    let mut contents = vec![Content::Paragraph(told)];
    contents.extend(figure(&comparisons, label, &label_of, &members[baseline].arm.loss_unit));
    contents.push(Content::Table(table));
    Ok(Some(section(contents)))
}

fn section(contents: Vec<Content>) -> Section {
    Section::full("against", "Against the chosen baseline", contents).named("Baseline")
}

/// The difference of the training loss over the run.
fn figure<'a>(
    comparisons: &'a [Comparison],
    label: &str,
    label_of: &dyn Fn(&Comparison) -> &'a str,
    unit: &str,
) -> Option<Content> {
    let drawn = &comparisons[..comparisons.len().min(DRAWN)];
    let colours = Colour::sequence(drawn.len());
    let curves = drawn.iter().zip(&colours).map(|(comparison, colour)| Curve {
        label: label_of(comparison),
        colour: *colour,
        bands: &comparison.difference,
    });
    let difference = Quantity {
        title: format!("Difference of the training loss to {label} ({unit})"),
        key: "difference",
        curves: curves.collect(),
    };
    if difference.is_empty() {
        return None;
    }
    let mut panel = difference.panel(260.0, &[0.0]);
    panel.references.push(Reference { y: 0.0, label: String::new(), dotted: false });
    for (comparison, colour) in drawn.iter().zip(&colours) {
        panel.moments.extend(comparison.crossing.map(|crossing| Moment {
            x: crossing.step,
            y: 0.0,
            label: format!(
                "{} crosses at step {}",
                label_of(comparison),
                number::count(crossing.step.max(0.0).round() as u64)
            ),
            colour: *colour,
        }));
    }
    let more = match comparisons.len() - drawn.len() {
        0 => String::new(),
        more => format!(" {} more are in the table alone.", counted(more, "arm")),
    };
    let caption = format!(
        "Look for the sign: below zero the arm has the lower training loss. {}{more}",
        words::intervals("Bands", difference.seeds(), "seed")
    );
    let figure = PanelFigure {
        description: format!("Difference of the training loss of each arm to {label}."),
        labels: Labels::Direct,
        ..PanelFigure::along("against-loss", Horizontal::linear("step"), vec![panel])
    };
    let quantities = [difference];
    let (table, csv) = (curves::table(&quantities), curves::csv(&quantities));
    let name = format!("What differs from {label}.");
    Some(FigureBlock::new(figure, name, caption, table, csv).into())
}
