//! λ over batch, budget, parameters and width, a line a law.

use crate::{Advice, Axis, ScalingTable};

use wd_page::figure::{
    Colour, Figure, Horizontal, Labels, Mark, Panel, PanelFigure, Point, Series, Transform,
};
use wd_page::{Content, Csv, FigureBlock, Section, Table, number};

/// λ of every law at other batches, budgets, models and widths; absent where no law gives a number.
pub(super) fn figure(advice: &Advice) -> Option<Figure> {
    if advice.scaling.is_empty() {
        return None;
    }
    // A law has one colour in every panel.
    let mut laws: Vec<&str> = Vec::new();
    let first_rows = advice.scaling.iter().filter_map(|table| table.rows.first());
    for scaled in first_rows.flat_map(|(_, lambdas)| lambdas) {
        if !laws.contains(&scaled.law) {
            laws.push(scaled.law);
        }
    }
    let colours = Colour::sequence(laws.len());
    let colour = |law: &str| {
        let rank = laws.iter().position(|known| *known == law);
        rank.map_or(Colour::Ink, |rank| colours[rank])
    };
    Some(Figure::Panels(PanelFigure {
        id: "other-runs".to_owned(),
        title: "λ at other batches, budgets, models and widths".to_owned(),
        description: "λ of each law against multiples of the planned value of one quantity, all \
            others as planned."
            .to_owned(),
        horizontal: Horizontal::Quantity {
            label: "times the planned value".to_owned(),
            transform: Transform::Log,
        },
        panels: advice.scaling.iter().map(|table| panel(table, &colour)).collect(),
        columns: 2,
        labels: Labels::Key,
        dashes: "outside the law's range".to_owned(),
    }))
}

fn title(axis: Axis) -> &'static str {
    match axis {
        Axis::Batch => "λ by batch, same data",
        Axis::Budget => "λ by budget, same batch",
        Axis::Parameters => "λ by parameters, same data",
        Axis::Width => "λ by width, η ∝ 1/width",
    }
}

fn panel(table: &ScalingTable, colour: &dyn Fn(&str) -> Colour) -> Panel {
    let mut panel = Panel::new(title(table.axis), 170.0);
    panel.transform = Transform::Log;
    let laws = table.rows.first().map_or(0, |(_, lambdas)| lambdas.len());
    for law in 0..laws {
        let applies: Vec<bool> =
            table.rows.iter().map(|(_, lambdas)| lambdas[law].applies).collect();
        let series = |mark: Mark, kept: &dyn Fn(usize) -> bool| {
            let rows = table.rows.iter().enumerate();
            let points = rows.map(|(index, (factor, lambdas))| {
                let lambda = lambdas[law].lambda.filter(|_| kept(index));
                Point::at(*factor, lambda.unwrap_or(f64::NAN))
            });
            let first = &table.rows[0].1[law];
            Series::new(first.name, colour(first.law), mark, points.collect())
        };
        panel.series.push(series(Mark::Line, &|index| applies[index]));
        if applies.contains(&false) {
            // A dashed part begins at the last point within the range.
            let is_outside =
                |index: Option<usize>| index.and_then(|index| applies.get(index)) == Some(&false);
            panel.series.push(series(Mark::Dashes, &|index| {
                is_outside(Some(index))
                    || is_outside(index.checked_sub(1))
                    || is_outside(Some(index + 1))
            }));
        }
    }
    panel
}

/// The figure with its caption and numbers.
pub(super) fn section(advice: &Advice) -> Option<Section> {
    let figure = figure(advice)?;
    let mut rows = Table::new(&["what differs", "law", "in its range", "times", "λ"], 3);
    let mut csv = Csv::new(&["axis", "law", "applies", "factor", "lambda"]);
    for axis in &advice.scaling {
        for (factor, lambdas) in &axis.rows {
            for scaled in lambdas {
                let lambda = scaled.lambda.unwrap_or(f64::NAN);
                let applies = if scaled.applies { "yes" } else { "no" };
                rows.rows.push(vec![
                    axis.axis.title().to_owned(),
                    scaled.name.to_owned(),
                    applies.to_owned(),
                    number::short(*factor),
                    number::measured(number::rounded(lambda)),
                ]);
                csv.row(&[
                    axis.axis.title().into(),
                    scaled.law.into(),
                    applies.into(),
                    (*factor).into(),
                    lambda.into(),
                ]);
            }
        }
    }
    Some(
        Section::full(
            "other-runs",
            "λ for other runs",
            vec![Content::Figure(Box::new(FigureBlock {
                figure,
                name: "λ at other batches, budgets, models and widths.".to_owned(),
                caption:
                    "Each panel changes one quantity and keeps all others as planned. Dashed: \
                outside the range in which the law was established. The panel of widths \
                starts from the recommended λ and shows the published rules of transfer: two, which \
                disagree, for as many tokens, and one for as many tokens a parameter."
                        .to_owned(),
                table: rows,
                csv,
            }))],
        )
        .named("Other runs"),
    )
}

impl Advice {
    /// λ of every law at other batches, budgets, models and widths, as a figure; absent where no
    /// law gives a number.
    pub fn figure(&self) -> Option<Figure> {
        figure(self)
    }
}
