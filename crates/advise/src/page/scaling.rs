//! λ at other batches, budgets, models and widths, as tables for a terminal.

use wd_conventions::Quantity;
use wd_page::number::short;
use wd_page::{Content, Section, Shown, Table};

use crate::words::lambda;
use crate::{Advice, Axis, ScalingTable};

/// A table an axis, with a row a law; absent where no law gives a number.
pub(super) fn section(advice: &Advice) -> Option<Section> {
    if advice.scaling.is_empty() {
        return None;
    }
    let unit = advice.run.unit.words();
    let mut contents: Vec<Content> =
        advice.scaling.iter().map(|axis| Content::Table(table(axis, unit))).collect();
    let mut lambdas = advice.scaling.iter().flat_map(|axis| &axis.rows).flat_map(|(_, of)| of);
    if lambdas.any(|scaled| !scaled.applies) {
        contents.push(Content::Paragraph("(in brackets: outside the law's range)".to_owned()));
    }
    let section = Section::new("scaling", "λ at other scales", contents);
    Some(Section { shown: Shown::Terminal, ..section })
}

fn table(axis: &ScalingTable, unit: &str) -> Table {
    let first = match axis.axis {
        Axis::Batch => format!("batch ({unit})"),
        Axis::Budget => format!("budget ({unit})"),
        other => other.title().to_owned(),
    };
    let values = axis.rows.iter().map(|(factor, _)| match axis.planned {
        Some(planned) => Quantity::new((planned * factor).round(), None).to_string(),
        None => format!("×{}", short(*factor)),
    });
    let laws = axis.rows.first().map_or(0, |(_, lambdas)| lambdas.len());
    let rows = (0..laws).map(|law| {
        let name = axis.rows[0].1[law].name.to_owned();
        let lambdas = axis.rows.iter().map(|(_, lambdas)| &lambdas[law]);
        let cells = lambdas.map(|scaled| match (scaled.lambda, scaled.applies) {
            (Some(value), true) => lambda(value),
            (Some(value), false) => format!("({})", lambda(value)),
            (None, _) => "–".to_owned(),
        });
        std::iter::once(name).chain(cells).collect()
    });
    Table {
        columns: std::iter::once(first).chain(values).collect(),
        rows: rows.collect(),
        words: 1,
    }
}
