//! How well a run on images classifies: accuracy, calibration, and other images.

use wd_decay::Unit;
use wd_page::figure::{Colour, Labels, Mark, Panel, Series};
use wd_page::{Content, Section, Table, number};
use wd_store::Evaluation;

use super::figures::over_steps;
use super::run::Run;

/// The section; none for a run that is not one on images, and before its first evaluation.
pub(crate) fn section(run: &Run<'_>, evaluations: &[Evaluation]) -> Option<Section> {
    if run.plan.unit != Unit::Image {
        return None;
    }
    let column = |name: &str| run.points(&run.series.column(name));
    let tested = column("test_accuracy");
    if tested.is_empty() {
        return None;
    }
    let mut accuracy = Panel::new("Accuracy", 200.0);
    let named = [
        ("test images", Mark::Rings, tested),
        ("training images, same weights", Mark::Dots, column("train_accuracy")),
        ("shifted test images", Mark::Line, column("shifted_accuracy")),
    ];
    accuracy.series = named
        .into_iter()
        .filter(|(_, _, points)| !points.is_empty())
        .map(|(name, mark, points)| Series::new(name, Colour::Ink, mark, points))
        .collect();
    let mut calibration = Panel::new("Calibration error of the test images", 150.0);
    let (rings, points) = (Mark::Rings, column("calibration_error"));
    calibration.series = vec![Series::new("test images", Colour::Ink, rings, points)];
    let mut contents = vec![over_steps(
        "classification",
        "Accuracy and calibration over the run.",
        "Look at whether rings and dots part, and at whether the calibration error rises while the \
         accuracy does not: then the network grows surer than it is right. The calibration error \
         is the mean distance of confidence and accuracy over 15 bins of confidence. One run: \
         there is no interval over seeds.",
        vec![accuracy, calibration],
        1,
        Labels::Key,
    )];
    if !evaluations.is_empty() {
        contents.push(Content::Heading("Other evaluations".to_owned()));
        contents.push(Content::Table(table(evaluations)));
    }
    Some(Section::full("classification", "How well does it classify?", contents).named("Accuracy"))
}

/// What `evaluations.jsonl` holds, a line each.
fn table(evaluations: &[Evaluation]) -> Table {
    let mut table =
        Table::new(&["images", "weights", "step", "accuracy", "calibration error", "loss"], 2);
    for evaluation in evaluations {
        let images = match (&evaluation.data, &evaluation.corruption) {
            (Some(path), _) => path.display().to_string(),
            (None, Some(kind)) => format!("test images, {kind} {}", evaluation.severity),
            (None, None) => "test images".to_owned(),
        };
        table.rows.push(vec![
            images,
            if evaluation.average { "moving average" } else { "as they are" }.to_owned(),
            number::count(evaluation.step),
            per_cent(evaluation.accuracy),
            number::fixed(evaluation.calibration_error, 4),
            number::fixed(evaluation.loss, 4),
        ]);
    }
    table
}

/// An accuracy as people say it: `82.70 %`.
pub(crate) fn per_cent(share: f64) -> String {
    format!("{} %", number::fixed(100.0 * share, 2))
}
