//! Point 4, first half: gradient norm, relative update and weight norm over the run.

use crate::Arm;
use wd_statistics::Interval;

use super::arrangement::{Group, Study};
use super::curves::{self, Curve, Quantity};
use super::{norms, numbered, other_settings};
use crate::wording::cell as words;
use crate::wording::cell::Unit;
use wd_page::figure::{Horizontal, Labels, PanelFigure, Transform};
use wd_page::{Content, FigureBlock, Section, Table, number};

/// The section.
pub(crate) fn section(study: &Study<'_>) -> Section {
    let measured =
        |group: &&Group| !study.arms(group).iter().all(|(_, arm)| arm.late.weight_rms.is_empty());
    let mut contents = Vec::new();
    match study.groups.iter().find(measured) {
        None => contents.push(Content::Absent(
            "Left out: no finished run measured its weights. Set run.measure_every so that norms \
             are recorded."
                .to_owned(),
        )),
        Some(first) => {
            contents.push(Content::Paragraph(
                "Decay holds the weights small, and a step of the same size turns small weights \
                 further. The relative update ‖Δw‖/‖w‖ is that effective learning rate; the \
                 gradient of a scale-invariant weight grows as its norm shrinks. The tables give \
                 means between 88 % and 98 % of the run."
                    .to_owned(),
            ));
            let shown = |group: &Group, index: usize| {
                let mut shown = vec![figure(study, group, index)];
                shown.push(Content::Table(late_table(study, group)));
                shown.extend(norms::contents(study, group, index));
                shown
            };
            contents.extend(shown(first, 0));
            let others: Vec<&Group> =
                study.groups.iter().filter(measured).filter(|group| *group != first).collect();
            contents.extend(other_settings("The same", &others, shown));
        }
    }
    Section::full("late", "What decay does to the weights", contents).named("Late training")
}

fn figure(study: &Study<'_>, group: &Group, index: usize) -> Content {
    let arms = study.arms(group);
    let curves = |of: fn(&crate::Late) -> &[crate::Band]| -> Vec<Curve<'_>> {
        arms.iter()
            .map(|(arm, data)| Curve {
                label: study.label(*arm),
                colour: study.colour(*arm),
                bands: of(&data.late),
            })
            .collect()
    };
    let mut quantities = vec![
        Quantity {
            title: "Gradient norm before clipping".to_owned(),
            key: "gradient_norm",
            curves: curves(|late| &late.gradient_norm),
        },
        Quantity {
            title: "Relative update ‖Δw‖ / ‖w‖ (effective learning rate)".to_owned(),
            key: "relative_update",
            curves: curves(|late| &late.relative_update),
        },
        Quantity {
            title: "Root mean square of the weights".to_owned(),
            key: "weight_rms",
            curves: curves(|late| &late.weight_rms),
        },
    ];
    quantities.retain(|quantity| !quantity.is_empty());
    let panels = quantities
        .iter()
        .map(|quantity| {
            let mut panel = quantity.panel(170.0, &[]);
            if quantity.key == "relative_update" {
                panel.transform = Transform::Log;
                panel.domain = panel.domain.map(|(low, high)| (low.max(high * 1e-4), high));
                // A linear margin below the smallest value would take half of a logarithmic panel.
                let smallest = quantity
                    .curves
                    .iter()
                    .flat_map(|curve| curve.bands)
                    .map(|band| band.mean)
                    .filter(|mean| *mean > 0.0)
                    .fold(f64::INFINITY, f64::min);
                panel.domain =
                    panel.domain.map(|(low, high)| (low.max(0.85 * smallest.min(high)), high));
            }
            panel
        })
        .collect();
    let setting = group.suffix();
    let name = format!("Gradients, updates and weights over the run{setting}.");
    let caption = format!(
        "Look at the order of the lines late in the run: where λ keeps the weights smaller, \
         relative updates and gradients are expected to be larger. The weights are those of \
         matrices, embeddings, positions and head together. {}",
        words::intervals("Bands", quantities.iter().flat_map(Quantity::seeds), "seed"),
    );
    let description = arms
        .iter()
        .map(|(arm, data)| {
            format!(
                "{}: late gradient norm {}, relative update {}, weight RMS {}.",
                study.label(*arm),
                number::measured(data.late.late_gradient_norm.mean),
                number::measured(data.late.late_relative_update.mean),
                number::measured(data.late.late_weight_rms.mean)
            )
        })
        .collect::<Vec<_>>()
        .join(" ");
    let figure = PanelFigure {
        description,
        labels: Labels::Direct,
        ..PanelFigure::along(numbered("late-training", index), Horizontal::linear("step"), panels)
    };
    let (table, csv) = (curves::table(&quantities), curves::csv(&quantities));
    FigureBlock::new(figure, name, caption, table, csv).into()
}

fn late_table(study: &Study<'_>, group: &Group) -> Table {
    let arms = study.arms(group);
    let mut table = Table::new(&["late means"], 1);
    table.rows = arms.iter().map(|(arm, _)| vec![study.label(*arm).to_owned()]).collect();
    // A quantity and its change share a unit, so that they can be compared.
    let mut quantity =
        |name: &str, of: &dyn Fn(&Arm) -> Interval, change: &dyn Fn(usize) -> Option<Interval>| {
            let values: Vec<Interval> = arms.iter().map(|(_, arm)| of(arm)).collect();
            let changes: Vec<Option<Interval>> = arms.iter().map(|(arm, _)| change(*arm)).collect();
            let unit = Unit::of(values.iter());
            table.columns.push(unit.heading(name));
            for (row, value) in table.rows.iter_mut().zip(&values) {
                row.push(unit.write(value, false));
            }
            if changes.iter().any(Option::is_some) {
                table.columns.push("paired change".to_owned());
                for (row, change) in table.rows.iter_mut().zip(&changes) {
                    row.push(change.map_or(String::new(), |change| unit.write(&change, true)));
                }
            }
        };
    quantity("gradient norm", &|arm| arm.late.late_gradient_norm, &|arm| {
        Some(study.comparison(arm)?.late_gradient_norm.interval)
    });
    quantity("relative update", &|arm| arm.late.late_relative_update, &|arm| {
        Some(study.comparison(arm)?.late_relative_update.interval)
    });
    quantity("weight RMS", &|arm| arm.late.late_weight_rms, &|_| None);
    table.columns.push("seeds".to_owned());
    for (row, (_, arm)) in table.rows.iter_mut().zip(&arms) {
        row.push(arm.late.late_weight_rms.n.to_string());
    }
    table
}
