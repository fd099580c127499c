//! Evidence against cross-validation.

use crate::prior::findings::AgainstCrossValidation;
use wd_lab::page::mean_point;
use wd_page::figure::{Colour, Horizontal, Mark, Panel, PanelFigure, Reference, Series};
use wd_page::{Content, FigureBlock, Section, Table, number};

pub(super) fn section(compared: &[AgainstCrossValidation]) -> Section {
    let percent = |interval: wd_statistics::Interval| wd_statistics::Interval {
        mean: 100.0 * interval.mean,
        low: 100.0 * interval.low,
        high: 100.0 * interval.high,
        ..interval
    };
    let mut panel =
        Panel::new("Error of evidence less that of cross-validation (% of the latter)", 260.0);
    for (label, colour, of) in [
        (
            "against leave-one-out",
            Colour::Sequence(9),
            (|found| found.over_leave_one_out)
                as fn(&AgainstCrossValidation) -> wd_statistics::Interval,
        ),
        ("against 10 folds", Colour::Sequence(3), |found| found.over_ten_folds),
    ] {
        let points = compared
            .iter()
            .enumerate()
            .map(|(index, found)| mean_point(index as f64, percent(of(found))))
            .collect();
        panel.series.push(Series::new(label, colour, Mark::Dots, points));
    }
    panel.references.push(Reference { y: 0.0, label: String::new(), dotted: false });
    let rows = (1..=compared.len()).map(|number| number.to_string());
    let horizontal = Horizontal::categories("number of the row in the table below", rows);
    let figure = PanelFigure::along("cross-validation-figure", horizontal, vec![panel]);
    let mut table = Table::new(
        &[
            "",
            "data",
            "model",
            "n",
            "error by evidence",
            "less leave-one-out",
            "less 10 folds",
            "median λ: evidence, LOO, folds",
        ],
        3,
    );
    for (index, found) in compared.iter().enumerate() {
        let written = |interval: wd_statistics::Interval| {
            let interval = percent(interval);
            format!(
                "{} % ({} to {})",
                number::signed(interval.mean, 1),
                number::signed(interval.low, 1),
                number::signed(interval.high, 1)
            )
        };
        let lambdas: Vec<String> = found
            .median_lambdas
            .iter()
            .map(|&lambda| {
                if lambda == f64::INFINITY {
                    "∞".to_owned()
                } else {
                    number::short(number::rounded(lambda))
                }
            })
            .collect();
        table.rows.push(vec![
            (index + 1).to_string(),
            found.name.clone(),
            if found.well_specified { "right" } else { "wrong" }.to_owned(),
            found.rows.to_string(),
            number::fixed(found.evidence.mean, 3),
            written(found.over_leave_one_out),
            written(found.over_ten_folds),
            lambdas.join(", "),
        ]);
    }
    Section::full(
        "cross-validation",
        "Where evidence loses to cross-validation",
        vec![
            FigureBlock::of_panels(
                figure,
                "Evidence against cross-validation on the same draws.",
                "Above 0 evidence loses. Errors are on fresh rows; bars are 95 % intervals of the \
                 mean paired difference.",
                |index| number::measured(index + 1.0),
            ).into(),
            Content::Table(table),
            Content::Paragraph(
                "Model “right”: linear, with the prior and the noise that made the data. Errors of \
                 synthetic data are in units of the noise's variance where it is constant, those \
                 of the real table in units of the target's."
                    .to_owned(),
            ),
        ],
    )
    .named("Evidence or validation")
}
