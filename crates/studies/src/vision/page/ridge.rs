//! Loss over λ × η: along the ridge ηλ is constant.

use crate::vision::analysis::{Point, Surface, VisionAnalysis};

use wd_page::figure::{Cell, Figure, HeatMap};
use wd_page::{Content, Csv, FigureBlock, Section, Table, number};

pub(super) fn section(analysis: &VisionAnalysis) -> Section {
    let surface = analysis
        .surfaces
        .iter()
        .max_by_key(|surface| surface.learning_rates().len() * 1000 + surface.points.len());
    let contents = match surface {
        Some(surface) if surface.learning_rates().len() > 2 => vec![heat_map(surface)],
        _ => vec![Content::Absent(
            "Left out: no setting of this study was trained at three peak learning rates or more."
                .to_owned(),
        )],
    };
    Section::full("ridge", "The ridge of constant ηλ", contents).named("λ × η")
}

fn heat_map(surface: &Surface) -> Content {
    let rates = surface.learning_rates();
    let mut lambdas: Vec<f64> = surface.points.iter().map(|point| point.lambda).collect();
    lambdas.sort_by(|a, b| b.total_cmp(a));
    lambdas.dedup();
    let at = |rate: f64, lambda: f64| -> Option<&Point> {
        let mut points = surface.points.iter();
        points.find(|point| point.learning_rate == rate && point.lambda == lambda)
    };
    let cells = lambdas
        .iter()
        .map(|lambda| {
            rates
                .iter()
                .map(|rate| {
                    at(*rate, *lambda).map(|point| Cell {
                        value: point.test_loss.mean,
                        label: match point.test_loss.mean.is_finite() {
                            true => number::fixed(point.test_loss.mean, 3),
                            false => "diverged".to_owned(),
                        },
                        detail: match lambda * rate > 0.0 {
                            true => format!("ηλ {}", number::short(number::rounded(lambda * rate))),
                            false => String::new(),
                        },
                    })
                })
                .collect()
        })
        .collect();
    let mut table = Table::new(&["λ", "η", "ηλ", "test loss", "accuracy", "seeds"], 0);
    let mut csv =
        Csv::new(&["lambda", "learning_rate", "test_loss", "low", "high", "accuracy", "n"]);
    for point in &surface.points {
        table.rows.push(vec![
            number::short(point.lambda),
            number::short(point.learning_rate),
            number::short(number::rounded(point.lambda * point.learning_rate)),
            super::with_interval(point.test_loss, 4),
            super::with_interval(point.test_accuracy, 4),
            point.test_loss.n.to_string(),
        ]);
        csv.row(&[
            point.lambda.into(),
            point.learning_rate.into(),
            point.test_loss.mean.into(),
            point.test_loss.low.into(),
            point.test_loss.high.into(),
            point.test_accuracy.mean.into(),
            point.test_loss.n.into(),
        ]);
    }
    let name = format!("Test loss over λ and η, {}.", surface.label());
    let caption = "Cells of one ηλ lie on a diagonal. Look at whether the dots, which mark the \
                   best η of each λ, follow it. Values are means over seeds; darker on a light \
                   page, or brighter on a dark one, is lower."
        .to_owned();
    Content::from(FigureBlock {
        figure: Figure::HeatMap(HeatMap {
            id: "ridge".to_owned(),
            title: name.clone(),
            description: caption.clone(),
            column_label: "peak learning rate η".to_owned(),
            columns: rates.iter().map(|rate| number::short(*rate)).collect(),
            row_label: "λ".to_owned(),
            rows: lambdas.iter().map(|lambda| number::short(*lambda)).collect(),
            cells,
        }),
        name,
        caption,
        table,
        csv,
    })
}
