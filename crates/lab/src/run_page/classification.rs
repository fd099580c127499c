//! How well a run on images classifies: accuracy, calibration, confusions, and other images.

use wd_decay::Unit;
use wd_page::figure::{Colour, Labels, Mark, Panel, Series};
use wd_page::{Content, Section, Table, number};
use wd_store::{Confusion, Evaluation};

use super::figures::over_steps;
use super::run::Run;

/// The section; none for a run that is not one on images, and before its first evaluation.
pub(crate) fn section(
    run: &Run<'_>,
    evaluations: &[Evaluation],
    confusion: Option<&Confusion>,
) -> Option<Section> {
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
    if let Some(confusion) = confusion {
        contents.extend(confused(run, confusion));
    }
    if !evaluations.is_empty() {
        contents.push(Content::Heading("Other evaluations".to_owned()));
        contents.push(Content::Table(table(evaluations)));
    }
    Some(Section::full("classification", "How well does it classify?", contents).named("Accuracy"))
}

/// Classes up to which the whole matrix is shown.
const MOST_SHOWN: usize = 12;
/// Pairs of classes that are listed.
const PAIRS: usize = 12;

/// Images of one class that are taken for another.
struct Pair<'a> {
    class: &'a str,
    taken_for: &'a str,
    images: u64,
    of: u64,
}

/// Which classes are taken for which; nothing where the counts are of other classes.
fn confused(run: &Run<'_>, confusion: &Confusion) -> Vec<Content> {
    let classes = run.plan.images.as_ref().map_or(&[][..], |images| &images.classes);
    if classes.is_empty() || !confusion.is_of(classes.len()) {
        return Vec::new();
    }
    let steps = wd_page::counted(number::count(confusion.step), "step");
    let heading = format!("What the test images are taken for, after {steps}");
    let pairs = pairs(classes, &confusion.counts);
    let said = match pairs.first() {
        None => "Every test image is taken for what it is.".to_owned(),
        Some(Pair { class, taken_for, images, of }) => format!(
            "The commonest confusion: of {} of the class {class}, {} taken for {taken_for}.",
            wd_page::counted(number::count(*of), "image"),
            if *images == 1 {
                "1 is".to_owned()
            } else {
                format!("{} are", number::count(*images))
            },
        ),
    };
    let mut contents = vec![Content::Heading(heading), Content::Paragraph(said)];
    match classes.len() <= MOST_SHOWN {
        true => contents.push(Content::Table(matrix(classes, &confusion.counts))),
        false if pairs.is_empty() => {}
        false => contents.push(Content::Table(list(&pairs))),
    }
    contents
}

/// A row for each class that images have, a column for each that they are taken for.
fn matrix(classes: &[String], counts: &[Vec<u64>]) -> Table {
    let mut columns = vec!["class \\ taken for"];
    columns.extend(classes.iter().map(String::as_str));
    columns.push("right");
    let mut table = Table::new(&columns, 1);
    for (class, (name, row)) in classes.iter().zip(counts).enumerate() {
        let images: u64 = row.iter().sum();
        let right = match images {
            0 => "no images".to_owned(),
            _ => per_cent(row[class] as f64 / images as f64),
        };
        let cells = row.iter().map(|images| number::count(*images));
        table.rows.push([name.clone()].into_iter().chain(cells).chain([right]).collect());
    }
    table
}

/// The commonest confusions of many classes.
fn list(pairs: &[Pair<'_>]) -> Table {
    let mut table = Table::new(&["class", "taken for", "images", "of"], 2);
    for pair in &pairs[..pairs.len().min(PAIRS)] {
        let (images, of) = (number::count(pair.images), number::count(pair.of));
        table.rows.push(vec![pair.class.to_owned(), pair.taken_for.to_owned(), images, of]);
    }
    table
}

/// Every pair of classes of which images are confused, the commonest first.
fn pairs<'a>(classes: &'a [String], counts: &[Vec<u64>]) -> Vec<Pair<'a>> {
    let mut pairs = Vec::new();
    for (class, row) in counts.iter().enumerate() {
        let of = row.iter().sum();
        let others =
            row.iter().enumerate().filter(|(other, images)| *other != class && **images > 0);
        pairs.extend(others.map(|(other, images)| Pair {
            class: &classes[class],
            taken_for: &classes[other],
            images: *images,
            of,
        }));
    }
    pairs.sort_by_key(|pair| std::cmp::Reverse(pair.images));
    pairs
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
