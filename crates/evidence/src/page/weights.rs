//! Coefficients: along the path, against their prior, and one by one.

use super::{EvidenceAnalysis, over_lambda, point};
use wd_page::figure::{
    Colour, Horizontal, Labels, Mark, Moment, Panel, PanelFigure, Point, Series, Transform,
};
use wd_page::number;
use wd_page::{Content, FigureBlock, Section, Table};

/// Rows of the table that are shown without being asked for.
const SHOWN: usize = 40;

pub(super) fn section(analysis: &EvidenceAnalysis) -> Section {
    let mut contents = Vec::new();
    contents.push(paths(analysis));
    contents.push(prior(analysis));
    contents.extend(table(analysis));
    Section::full("coefficients", "Coefficients and their prior", contents).named("Coefficients")
}

fn paths(analysis: &EvidenceAnalysis) -> Content {
    if analysis.paths.is_empty() {
        return Content::Absent("Left out: no path of coefficients was computed.".to_owned());
    }
    let mut panel = Panel::new("Coefficient of the standardised column", 280.0);
    let colours = Colour::sequence(analysis.paths.len());
    for (path, colour) in analysis.paths.iter().zip(colours) {
        panel.series.push(Series {
            label: path.name.clone(),
            colour,
            mark: Mark::Line,
            points: path.points.iter().map(|(x, y)| point(*x, *y)).collect(),
            annotations: Vec::new(),
        });
    }
    panel.domain = settled(analysis);
    panel.references.push(wd_page::figure::Reference {
        y: 0.0,
        label: String::new(),
        dotted: false,
    });
    if analysis.lambda.is_finite() && analysis.lambda > 0.0 {
        panel.moments.push(Moment {
            x: analysis.lambda,
            y: f64::NAN,
            label: format!("λ = {}", number::short(number::rounded(analysis.lambda))),
            colour: Colour::Ink,
        });
    }
    let of =
        match analysis.coefficients.len() - analysis.paths.len().min(analysis.coefficients.len()) {
            0 => String::new(),
            more => format!(" The {more} smaller ones are not drawn."),
        };
    Content::Figure(Box::new(FigureBlock::of_panels(
        over_lambda("coefficient-paths", vec![panel], Labels::Key),
        "Coefficients along the path.",
        &format!(
            "Look at how the prior draws correlated columns together before it draws all of them to 0. Colours go from the largest \
             coefficient at the chosen λ to the smallest.{of}"
        ),
        number::measured,
    )))
}

/// A frame that holds what is drawn down to a hundredth of the chosen λ: below that, weights of separable classes grow without
/// bound and would flatten the rest.
fn settled(analysis: &EvidenceAnalysis) -> Option<(f64, f64)> {
    let from = if analysis.lambda.is_finite() { 0.01 * analysis.lambda } else { 0.0 };
    let (low, high) = analysis
        .paths
        .iter()
        .flat_map(|path| &path.points)
        .filter(|(lambda, value)| *lambda >= from && value.is_finite())
        .fold((0.0f64, 0.0f64), |(low, high), (_, value)| (low.min(*value), high.max(*value)));
    let margin = 0.08 * (high - low);
    (high > low).then_some((low - margin, high + margin))
}

/// The prior N(0, σ²) over a histogram of the fitted weights.
fn prior(analysis: &EvidenceAnalysis) -> Content {
    let weights: Vec<f64> = analysis
        .coefficients
        .iter()
        .map(|coefficient| coefficient.standardized)
        .filter(|weight| weight.is_finite())
        .collect();
    let widest = analysis
        .prior_deviations
        .iter()
        .map(|(_, deviation)| *deviation)
        .filter(|deviation| deviation.is_finite() && *deviation > 0.0)
        .fold(0.0, f64::max);
    if weights.len() < 3 || widest == 0.0 {
        return Content::Absent(
            "Left out: a histogram of weights needs at least three, and a prior of finite width."
                .to_owned(),
        );
    }
    let reach = weights.iter().fold(3.2 * widest, |reach, weight| reach.max(1.02 * weight.abs()));
    let bins = ((weights.len() as f64).sqrt().ceil() as usize * 2).clamp(12, 60);
    let width = 2.0 * reach / bins as f64;
    let mut counts = vec![0usize; bins];
    for weight in &weights {
        let bin = (((weight + reach) / width) as usize).min(bins - 1);
        counts[bin] += 1;
    }
    let mut steps: Vec<Point> = Vec::with_capacity(2 * bins);
    for (bin, count) in counts.iter().enumerate() {
        let density = *count as f64 / (weights.len() as f64 * width);
        let left = -reach + bin as f64 * width;
        steps.push(point(left, density));
        steps.push(point(left + width, density));
    }
    let mut panel = Panel::new("Density", 200.0);
    panel.series.push(Series {
        label: "fitted weights".to_owned(),
        colour: Colour::Sequence(7),
        mark: Mark::Line,
        points: steps,
        annotations: Vec::new(),
    });
    let several = analysis.prior_deviations.len() > 1;
    for (name, deviation) in &analysis.prior_deviations {
        if !(deviation.is_finite() && *deviation > 0.0) || analysis.prior_deviations.len() > 8 {
            continue;
        }
        let density = |x: f64| {
            (-0.5 * (x / deviation).powi(2)).exp()
                / (deviation * (2.0 * std::f64::consts::PI).sqrt())
        };
        panel.series.push(Series {
            label: if several {
                format!("prior of {name}, σ = {}", number::short(number::rounded(*deviation)))
            } else {
                "prior".to_owned()
            },
            colour: Colour::Ink,
            mark: Mark::Dashes,
            points: (0..=200)
                .map(|i| -reach + 2.0 * reach * f64::from(i) / 200.0)
                .map(|x| point(x, density(x)))
                .collect(),
            annotations: Vec::new(),
        });
    }
    let highest = panel
        .series
        .iter()
        .flat_map(|series| &series.points)
        .map(|point| point.y)
        .fold(0.0, f64::max);
    panel.domain = Some((0.0, 1.06 * highest));
    let figure = PanelFigure {
        id: "prior".to_owned(),
        title: String::new(),
        description: String::new(),
        horizontal: Horizontal::Quantity {
            label: "standardised weight".to_owned(),
            transform: Transform::Linear,
        },
        panels: vec![panel],
        columns: 1,
        labels: Labels::Key,
        dashes: if several {
            "prior N(0, σ²) of each group".to_owned()
        } else {
            format!("prior N(0, σ²), σ = 1/√α = {}", number::short(number::rounded(widest)))
        },
    };
    Content::Figure(Box::new(FigureBlock::of_panels(
        figure,
        "The prior over the fitted weights.",
        "Look at whether the weights look like draws from the prior. Fitted weights are posterior modes: they are narrower than the prior by \
         what the data did not decide. A few weights far out say that one σ does not fit all: try --groups.",
        number::measured,
    )))
}

fn table(analysis: &EvidenceAnalysis) -> Vec<Content> {
    let mut table = Table::new(&["column", "coefficient", "± posterior sd", "standardised"], 1);
    let mut order: Vec<usize> = (0..analysis.coefficients.len()).collect();
    order.sort_by(|a, b| {
        let size = |index: &usize| analysis.coefficients[*index].standardized.abs();
        size(b).total_cmp(&size(a))
    });
    for index in order {
        let coefficient = &analysis.coefficients[index];
        table.rows.push(vec![
            coefficient.name.clone(),
            number::measured(coefficient.value),
            number::short(number::rounded(coefficient.deviation)),
            number::measured(coefficient.standardized),
        ]);
    }
    let all = table.rows.len();
    let heading = Content::Heading("Every coefficient, in the units of its column".to_owned());
    if all <= SHOWN {
        return vec![heading, Content::Table(table)];
    }
    let mut first = table.clone();
    first.rows.truncate(SHOWN);
    vec![
        heading,
        Content::Table(first),
        Content::More(
            format!("All {} coefficients", number::count(all as u64)),
            vec![Content::Table(table)],
        ),
    ]
}
