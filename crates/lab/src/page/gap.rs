//! Point 2: validation against training loss at the end, and the generalisation gap.

use crate::Arm;

use super::arrangement::{Group, Study};
use super::curves::arm_dots;
use super::{csv_row, mean_point, numbered, other_settings};
use crate::wording::cell as words;
use wd_page::figure::{Colour, Horizontal, Mark, Panel, PanelFigure, Point, Reference, Series};
use wd_page::{Content, Csv, FigureBlock, Section, Table, number};

/// The section.
pub(crate) fn section(study: &Study<'_>) -> Section {
    let measured =
        |group: &&Group| study.arms(group).iter().any(|(_, arm)| arm.gap.mean.is_finite());
    let groups: Vec<&Group> = study.groups.iter().filter(measured).collect();
    let mut contents = Vec::new();
    match groups.split_first() {
        None if study.analysis.recording.is_some() => contents.push(Content::Absent(
            "Left out: no finished run has both a training and a validation loss.".to_owned(),
        )),
        None => contents.push(Content::Absent(
            "Left out: no finished run has a validation loss. Set data.validation_fraction above 0 \
             to hold documents out."
                .to_owned(),
        )),
        Some((first, others)) => {
            contents.push(Content::Paragraph(introduction(study, first)));
            contents.push(figure(study, first, 0));
            let shown = |group: &Group, index| vec![figure(study, group, index)];
            contents.extend(other_settings("The gap", others, shown));
        }
    }
    Section::full("gap", "Does λ move the generalisation gap?", contents)
        .named("Generalisation gap")
}

fn introduction(study: &Study<'_>, group: &Group) -> String {
    let arms = study.arms(group);
    let unit = study.unit();
    if let Some(recording) = &study.analysis.recording {
        return format!(
            "If λ acted as a prior, more of it would shrink the gap between validation and \
             training loss. Both are the last that the program logged; its training loss is {}.",
            recording.training_is.words()
        );
    }
    let setups = arms.iter().filter_map(|(_, arm)| arm.setup.as_ref());
    let epochs = setups.map(|setup| setup.epochs).fold(0.0, f64::max);
    let passes = if epochs <= 1.0 {
        format!("Every {} was trained on at most once, so there is little to over-fit", unit.noun())
    } else {
        format!("The training {} were seen {} times", unit.words(), number::short(epochs))
    };
    format!(
        "If λ acted as a prior, more of it would shrink the gap between validation and training \
         loss. {passes}. Both losses are those of the final weights without dropout, the training \
         side on a fixed sample of what was trained on."
    )
}

fn figure(study: &Study<'_>, group: &Group, index: usize) -> Content {
    let arms = study.arms(group);
    let places = |of: &dyn Fn(&Arm) -> wd_statistics::Interval| -> Vec<Point> {
        arms.iter().enumerate().map(|(place, (_, arm))| mean_point(place as f64, of(arm))).collect()
    };

    let mut losses =
        Panel::new(format!("Loss of the final weights ({})", study.loss_unit()), 170.0);
    let (training, validation) =
        (places(&|arm| arm.final_train_evaluation), places(&|arm| arm.final_validation));
    losses.series = vec![
        Series::new("training", Colour::Ink, Mark::Dots, training),
        Series::new("validation", Colour::Ink, Mark::Rings, validation),
    ];
    let mut gap = Panel::new("Gap: validation − training", 150.0);
    gap.series = arm_dots(study, arms.iter().map(|(arm, data)| (*arm, Some(data.gap))));
    gap.references.push(Reference { y: 0.0, label: String::new(), dotted: false });
    let mut panels = vec![losses, gap];

    let changes = || {
        arms.iter().map(|(arm, _)| {
            (*arm, study.comparison(*arm).map(|comparison| comparison.gap.interval))
        })
    };
    if changes().any(|(_, change)| change.is_some_and(|change| change.mean.is_finite())) {
        let margin = study.analysis.verdict.gap_margin;
        let mut panel = Panel::new("Change of the gap against λ = 0, paired by seed", 150.0);
        panel.series = arm_dots(study, changes());
        panel.references.push(Reference { y: 0.0, label: String::new(), dotted: false });
        if margin.is_finite() && margin > 0.0 {
            let label = format!("margin: ±{} counts as no change", number::short(margin));
            panel.references.push(Reference { y: margin, label, dotted: true });
            panel.references.push(Reference { y: -margin, label: String::new(), dotted: true });
        }
        panels.push(panel);
    }

    let setting = group.suffix();
    let name = format!("Validation and training loss at the end{setting}.");
    let seeds = || arms.iter().map(|(_, arm)| arm.gap.n);
    let caption = format!(
        "Look at whether the gap moves with λ, not at whether both losses do: they move together \
         when λ acts as a force. The lowest panel is over pairs of equal seed, where what both \
         runs share cancels, so it is the sharper test. {}",
        words::intervals("Bars", seeds(), "seed"),
    );
    let description = arms
        .iter()
        .map(|(arm, data)| {
            format!("{}: gap {}.", study.label(*arm), words::difference_interval(&data.gap))
        })
        .collect::<Vec<_>>()
        .join(" ");
    let (table, csv) = numbers(study, &arms);
    let names = arms.iter().map(|(arm, _)| study.label(*arm).to_owned());
    let horizontal = Horizontal::categories("", names);
    let figure = PanelFigure {
        description,
        ..PanelFigure::along(numbered("gap-figure", index), horizontal, panels)
    };
    FigureBlock::new(figure, name, caption, table, csv).into()
}

fn numbers(study: &Study<'_>, arms: &[(usize, &Arm)]) -> (Table, Csv) {
    let mut table =
        Table::new(&["arm", "training", "validation", "gap", "change of the gap", "seeds"], 1);
    let mut csv = Csv::new(&["arm", "quantity", "mean", "low", "high", "n"]);
    for (arm, data) in arms {
        let change = study.comparison(*arm).map(|comparison| comparison.gap.interval);
        table.rows.push(vec![
            study.label(*arm).to_owned(),
            words::mean_interval(&data.final_train_evaluation, 4),
            words::mean_interval(&data.final_validation, 4),
            words::difference_interval(&data.gap),
            change.map_or(String::new(), |change| words::difference_interval(&change)),
            data.gap.n.to_string(),
        ]);
        let quantities = [
            ("training_loss", Some(data.final_train_evaluation)),
            ("validation_loss", Some(data.final_validation)),
            ("gap", Some(data.gap)),
            ("paired_change_of_gap", change),
        ];
        for (name, interval) in quantities {
            let Some(interval) = interval else { continue };
            csv_row(&mut csv, &[study.label(*arm).into(), name.into()], &interval);
        }
    }
    (table, csv)
}
