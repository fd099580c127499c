//! The λ that is best on the test images, on shifted ones.

use crate::vision::analysis::VisionAnalysis;
use wd_lab::page::mean_point;

use super::with_interval;
use wd_page::figure::{Colour, Horizontal, Mark, Panel, PanelFigure, Reference, Series};
use wd_page::{Content, FigureBlock, Section, Table, number};

pub(super) fn section(analysis: &VisionAnalysis) -> Section {
    let contents = match analysis.shifts.is_empty() {
        true => vec![Content::Absent(
            "Left out: it takes λ = 0 and three λ above it, so that a best one can be told, and \
             runs that were evaluated on corrupted images (run.evaluate = [\"noise\"], or `wd \
             evaluate RUN --corruption noise --severity 1` to 5)."
                .to_owned(),
        )],
        false => contents(analysis),
    };
    Section::full("shift", "Does the best λ help on shifted images?", contents).named("Shift")
}

fn contents(analysis: &VisionAnalysis) -> Vec<Content> {
    let mut accuracy = Panel::new("Accuracy: dots without λ, rings with the best", 230.0);
    let mut difference = Panel::new("Change of accuracy, best λ − λ = 0", 230.0);
    difference.references.push(Reference { y: 0.0, label: String::new(), dotted: false });
    let mut table =
        Table::new(&["setting", "λ", "corruption", "severity", "λ = 0", "best λ", "difference"], 1);
    for (shift, colour) in analysis.shifts.iter().zip(Colour::sequence(analysis.shifts.len())) {
        let label = analysis.surfaces[shift.surface].label();
        let along = |of: fn(&crate::vision::analysis::Severity) -> wd_statistics::Interval| {
            let points = shift.severities.iter();
            points.map(|severity| mean_point(f64::from(severity.severity), of(severity))).collect()
        };
        for (name, mark, points) in [
            (label.clone(), Mark::Dots, along(|at| at.without)),
            (String::new(), Mark::Rings, along(|at| at.with)),
        ] {
            accuracy.series.push(Series::new(&name, colour, mark, points));
        }
        difference.series.push(Series::new(
            &label,
            colour,
            Mark::Line,
            along(|at| at.difference.interval),
        ));
        for at in &shift.severities {
            table.rows.push(vec![
                label.clone(),
                number::short(shift.lambda),
                shift.corruption.clone(),
                at.severity.to_string(),
                with_interval(at.without, 3),
                with_interval(at.with, 3),
                with_interval(at.difference.interval, 3),
            ]);
        }
    }
    let horizontal = Horizontal::linear("severity of the corruption (0: the test images)");
    let drawn = PanelFigure {
        columns: 2,
        ..PanelFigure::along("shift", horizontal, vec![accuracy, difference])
    };
    vec![
        FigureBlock::of_panels(
            drawn,
            "Accuracy on corrupted test images.",
            "Models trained on the clean images and tested on corrupted ones, for λ = 0 and the λ \
             that is best on the clean test images. Bars and bands are 95 % intervals over seeds; \
             differences are paired.",
            number::measured,
        )
        .into(),
        Content::More("Accuracy at every severity".to_owned(), vec![Content::Table(table)]),
    ]
}
