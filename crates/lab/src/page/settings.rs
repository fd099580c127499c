//! Studies of more than two settings: every arm as a line through what it was trained with, to its
//! loss.

use wd_page::figure::{Along, Figure, ParallelAxis, ParallelCoordinates, ParallelLine, Transform};
use wd_page::{Content, Csv, Field, FigureBlock, Section, Table, number};
use wd_statistics::Interval;

use super::arrangement::Study;
use crate::Arm;
use crate::wording::cell as words;

/// As many settings have room side by side.
const MOST_AXES: usize = 10;
/// Up to this many values of a setting stand as far apart as each other, 0 among them.
const MOST_PLACES: usize = 12;
/// From this ratio on numbers are spread by their logarithm.
const WIDE: f64 = 20.0;

/// A setting in which arms differ, as written; empty where an arm does not have it.
struct Varied {
    name: String,
    values: Vec<String>,
}

/// The section; none where at most two settings differ, which other figures show better.
pub(crate) fn section(study: &Study<'_>) -> Option<Section> {
    let arms = &study.analysis.arms;
    let mut varied = varied(arms);
    if varied.len() < 3 {
        return None;
    }
    let left_out = varied.len().saturating_sub(MOST_AXES);
    varied.truncate(MOST_AXES);
    let outcome = Outcome::of(arms);
    let mut axes: Vec<ParallelAxis> = Vec::new();
    let mut lines: Vec<ParallelLine> = arms
        .iter()
        .map(|arm| ParallelLine { label: arm.label.clone(), values: Vec::new() })
        .collect();
    for setting in &varied {
        let (along, values) = placed(&setting.values);
        axes.push(ParallelAxis { name: setting.name.clone(), along });
        for (line, value) in lines.iter_mut().zip(values) {
            line.values.push(value);
        }
    }
    axes.push(ParallelAxis {
        name: outcome.name.to_owned(),
        along: Along::Quantity(Transform::Linear),
    });
    for (line, arm) in lines.iter_mut().zip(arms) {
        line.values.push((outcome.of)(arm).mean);
    }
    let (table, csv) = numbers(arms, &varied, &outcome);
    let more = match left_out {
        0 => String::new(),
        count => format!(
            " {} more that differ are not drawn: {MOST_AXES} have room.",
            wd_page::counted(count, "setting")
        ),
    };
    let name = "Every arm through its settings.".to_owned();
    let caption = format!(
        "A line is an arm, the mean of its seeds, from green, the highest {}, to violet, the \
         lowest; the widest is the lowest of all, and at each value the lower ones lie lower. Look \
         at where violet lines run together: that setting decides; where they spread over a whole \
         axis it hardly matters. \
         The figure has no intervals: the differences that are significant stand under the \
         verdict.{more}",
        outcome.name
    );
    let figure = ParallelCoordinates {
        id: "settings-figure".to_owned(),
        title: name.clone(),
        description: caption.clone(),
        axes,
        lines,
    };
    let block = FigureBlock { figure: Figure::Parallel(figure), name, caption, table, csv };
    let section =
        Section::full("all-settings", "Which settings decide?", vec![Content::from(block)]);
    Some(section.named("All settings"))
}

/// What the lines end in.
struct Outcome {
    name: &'static str,
    of: fn(&Arm) -> &Interval,
}

impl Outcome {
    fn of(arms: &[Arm]) -> Self {
        match arms.iter().any(|arm| arm.final_validation.mean.is_finite()) {
            true => Outcome { name: "validation loss", of: |arm| &arm.final_validation },
            false => Outcome { name: "training loss", of: |arm| &arm.final_train },
        }
    }
}

/// The settings in which arms differ: λ, the rate and its schedule first.
fn varied(arms: &[Arm]) -> Vec<Varied> {
    let mut all: Vec<Varied> = Vec::new();
    let mut add = |name: &str, of: &dyn Fn(&Arm) -> Option<String>| {
        let values: Vec<String> = arms.iter().map(|arm| of(arm).unwrap_or_default()).collect();
        if values.iter().any(|value| *value != values[0]) {
            all.push(Varied { name: name.to_owned(), values });
        }
    };
    add("λ", &|arm| Some(number::short(arm.lambda)));
    add("peak LR", &|arm| arm.peak_learning_rate.map(number::short));
    add("schedule", &|arm| arm.schedule.map(|kind| kind.to_string()));
    let mut keys: Vec<&str> = Vec::new();
    for (key, _) in arms.iter().flat_map(|arm| &arm.settings) {
        if !keys.contains(&key.as_str()) {
            keys.push(key);
        }
    }
    for key in keys {
        let value = |arm: &Arm| {
            let mut settings = arm.settings.iter();
            settings.find(|(name, _)| name == key).map(|(_, value)| value.clone())
        };
        add(key, &value);
    }
    all
}

/// The axis of a setting, and where each value stands on it.
fn placed(values: &[String]) -> (Along, Vec<f64>) {
    let numbers: Vec<f64> = values.iter().map(|value| value.parse().unwrap_or(f64::NAN)).collect();
    let mut distinct: Vec<(f64, &String)> = Vec::new();
    for (number, value) in numbers.iter().zip(values) {
        if !value.is_empty() && !distinct.iter().any(|(_, known)| *known == value) {
            distinct.push((*number, value));
        }
    }
    let is_numeric = distinct.iter().all(|(number, _)| number.is_finite());
    if is_numeric && distinct.len() > MOST_PLACES {
        let least = distinct.iter().map(|(number, _)| *number).fold(f64::INFINITY, f64::min);
        let most = distinct.iter().map(|(number, _)| *number).fold(0.0, f64::max);
        let transform = match least > 0.0 && most / least > WIDE {
            true => Transform::Log,
            false => Transform::Linear,
        };
        return (Along::Quantity(transform), numbers);
    }
    distinct.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(b.1)));
    let places = values.iter().map(|value| {
        let place = distinct.iter().position(|(_, known)| *known == value);
        place.map_or(f64::NAN, |place| place as f64)
    });
    let places = places.collect();
    (Along::Places(distinct.into_iter().map(|(_, value)| value.clone()).collect()), places)
}

fn numbers(arms: &[Arm], varied: &[Varied], outcome: &Outcome) -> (Table, Csv) {
    let names = || varied.iter().map(|setting| setting.name.as_str());
    let columns: Vec<&str> = names().chain([outcome.name, "seeds"]).collect();
    let mut table = Table::new(&columns, varied.len());
    let columns: Vec<&str> = names().chain(["mean", "low", "high", "n"]).collect();
    let mut csv = Csv::new(&columns);
    for (index, arm) in arms.iter().enumerate() {
        let settings: Vec<&str> =
            varied.iter().map(|setting| setting.values[index].as_str()).collect();
        let interval = (outcome.of)(arm);
        let cells = settings.iter().map(|&value| value.to_owned());
        table.rows.push(
            cells.chain([words::mean_interval(interval, 4), interval.n.to_string()]).collect(),
        );
        let about: Vec<Field> = settings.into_iter().map(Field::from).collect();
        super::csv_row(&mut csv, &about, interval);
    }
    (table, csv)
}
