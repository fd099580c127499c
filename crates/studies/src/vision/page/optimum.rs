//! Where the best ηλ lies, how it moves, and what it gains.

use crate::vision::analysis::{Scaling, Surface, VisionAnalysis};
use wd_lab::page::mean_point;

use super::{exponential, with_interval};
use wd_page::figure::{Colour, Mark, Panel, PanelFigure, Reference, Series, Transform};
use wd_page::{Content, FigureBlock, Section, Table, number};

pub(super) fn section(analysis: &VisionAnalysis) -> Section {
    let mut contents = Vec::new();
    let panels = panels(analysis);
    if panels.iter().all(|panel| panel.series.is_empty()) {
        contents.push(Content::Absent(
            "Left out: no model of this study was trained on two amounts of data under several λ."
                .to_owned(),
        ));
    } else {
        contents.push(FigureBlock::of_panels(
            PanelFigure::over("optimum", "training images, n", panels, 2),
            "The best ηλ, and what it gains, as the data grow.",
            "The best ηλ is that of lowest test loss, found for each seed by a parabola through \
             the best λ and its neighbours, at the best η of those that every amount of data was \
             trained at; where it lies at an end of the grid it is a bound, and the table says so. \
             Gains are paired with λ = 0 seed by seed; below 0 is better.",
            number::measured,
        ).into());
    }
    contents.push(Content::Table(optima(analysis)));
    if !analysis.scalings.is_empty() {
        contents.push(Content::Heading("How the best ηλ scales".to_owned()));
        contents.push(Content::Table(slopes(analysis)));
    }
    Section::full("optimum", "Where the best λ lies, and how it moves", contents)
        .named("The best λ")
}

/// One line for each model and optimizer over surfaces that differ in the number of images.
fn panels(analysis: &VisionAnalysis) -> Vec<Panel> {
    let lines: Vec<&Scaling> =
        analysis.scalings.iter().filter(|scaling| scaling.key == "data.size").collect();
    let mut place = Panel::new("Best ηλ", 220.0);
    place.transform = Transform::Log;
    let mut gain = Panel::new("Change of test loss, best λ − λ = 0", 220.0);
    gain.references.push(Reference { y: 0.0, label: String::new(), dotted: false });
    for (scaling, colour) in lines.iter().zip(Colour::sequence(lines.len())) {
        let members = &scaling.surfaces;
        let first = &analysis.surfaces[members[0]];
        let label = format!("{}, {}, {}", first.model(), first.optimizer, scaling.held);
        let images = |index: &usize| analysis.surfaces[*index].images as f64;
        let places = members
            .iter()
            .zip(&scaling.optima)
            .map(|(index, optimum)| mean_point(images(index), exponential(optimum.log_product)))
            .collect();
        place.series.push(Series::new(&label, colour, Mark::Line, places));
        let gains = members
            .iter()
            .filter_map(|index| {
                let gain = analysis.gains[*index].as_ref()?;
                Some(mean_point(images(index), gain.test_loss.interval))
            })
            .collect();
        gain.series.push(Series::new(&label, colour, Mark::Line, gains));
    }
    vec![place, gain]
}

fn optima(analysis: &VisionAnalysis) -> Table {
    let mut table = Table::new(
        &[
            "setting",
            "parameters",
            "best η",
            "best ηλ",
            "seeds at an end of the grid",
            "gain in loss",
            "gain in accuracy",
        ],
        1,
    );
    for (index, surface) in analysis.surfaces.iter().enumerate() {
        let Some(optimum) = &analysis.optima[index] else {
            continue;
        };
        let product = exponential(optimum.log_product);
        let gain = |of: fn(&crate::vision::analysis::Gain) -> wd_statistics::Interval| {
            analysis.gains[index]
                .as_ref()
                .map_or_else(|| number::MISSING.to_owned(), |gain| with_interval(of(gain), 4))
        };
        table.rows.push(vec![
            surface.label(),
            number::count(surface.parameters),
            number::short(optimum.learning_rate),
            shown(product),
            format!("{} of {}", optimum.censored.len(), optimum.per_seed.len()),
            gain(|gain| gain.test_loss.interval),
            gain(|gain| gain.test_accuracy.interval),
        ]);
    }
    table
}

fn slopes(analysis: &VisionAnalysis) -> Table {
    let mut table = Table::new(
        &[
            "model",
            "along",
            "with",
            "values",
            "slope of ln ηλ",
            "bound?",
            "what would give which slope",
        ],
        1,
    );
    for scaling in &analysis.scalings {
        let surface: &Surface = &analysis.surfaces[scaling.surfaces[0]];
        let values: Vec<String> =
            scaling.values.iter().map(|value| number::short(*value)).collect();
        table.rows.push(vec![
            format!("{}, {}", surface.model(), surface.optimizer),
            scaling.counts.clone(),
            scaling.held.clone(),
            values.join(", "),
            with_interval(scaling.slope, 2),
            if scaling.is_bound { "yes" } else { "no" }.to_owned(),
            scaling.law.clone(),
        ]);
    }
    table
}

fn shown(interval: wd_statistics::Interval) -> String {
    let digits = |value: f64| number::short(number::rounded(value));
    match interval.n {
        1 => digits(interval.mean),
        _ => format!(
            "{} ({} to {})",
            digits(interval.mean),
            digits(interval.low),
            digits(interval.high)
        ),
    }
}
