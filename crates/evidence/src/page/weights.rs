//! Coefficients: along the path, against their prior, and one by one.

use wd_page::figure::{
    Colour, Horizontal, Mark, Moment, Panel, PanelFigure, Point, Reference, Series,
};
use wd_page::number::{self, measured, rounded, short};
use wd_page::{Content, FigureBlock, Section, Table};

use super::curve::over_lambda;
use crate::fit::Analysis;

/// Rows of the table that are shown without being asked for.
const SHOWN: usize = 40;

pub(super) fn section(analysis: &Analysis) -> Section {
    let mut contents = Vec::new();
    contents.push(paths(analysis));
    contents.push(prior(analysis));
    contents.extend(table(analysis));
    Section::full("coefficients", "Coefficients and their prior", contents).named("Coefficients")
}

fn paths(analysis: &Analysis) -> Content {
    if analysis.coefficient_paths.is_empty() {
        return Content::Absent("Left out: no path of coefficients was computed.".to_owned());
    }
    let mut panel = Panel::new("Coefficient of the standardised column", 280.0);
    let colours = Colour::sequence(analysis.coefficient_paths.len());
    for (path, colour) in analysis.coefficient_paths.iter().zip(colours) {
        let points = path.points.iter().map(|(x, y)| Point::at(*x, *y)).collect();
        panel.series.push(Series::new(&path.name, colour, Mark::Line, points));
    }
    panel.domain = bounded(analysis);
    panel.references.push(Reference { y: 0.0, label: String::new(), dotted: false });
    if analysis.lambda.is_finite() && analysis.lambda > 0.0 {
        panel.moments.push(Moment {
            x: analysis.lambda,
            y: f64::NAN,
            label: format!("λ = {}", short(rounded(analysis.lambda))),
            colour: Colour::Ink,
        });
    }
    let all: usize = analysis.outputs.iter().map(|output| output.standardized.len()).sum();
    let of = match all.saturating_sub(analysis.coefficient_paths.len()) {
        0 => String::new(),
        more => format!(" The {more} smaller ones are not drawn."),
    };
    FigureBlock::of_panels(
        over_lambda("coefficient-paths", vec![panel]),
        "Coefficients along the path.",
        &format!(
            "Look at how the prior draws correlated columns together before it draws all of them \
             to 0. Colours go from the largest coefficient at the chosen λ to the smallest.{of}"
        ),
        measured,
    )
    .into()
}

/// A frame that holds what is drawn down to a hundredth of the chosen λ: below that, weights of
/// separable classes grow without bound and would flatten the rest.
fn bounded(analysis: &Analysis) -> Option<(f64, f64)> {
    let from = if analysis.lambda.is_finite() { 0.01 * analysis.lambda } else { 0.0 };
    let (low, high) = analysis
        .coefficient_paths
        .iter()
        .flat_map(|path| &path.points)
        .filter(|(lambda, value)| *lambda >= from && value.is_finite())
        .fold((0.0f64, 0.0f64), |(low, high), (_, value)| (low.min(*value), high.max(*value)));
    let margin = 0.08 * (high - low);
    (high > low).then_some((low - margin, high + margin))
}

/// The prior N(0, σ²) over a histogram of the fitted weights.
fn prior(analysis: &Analysis) -> Content {
    let outputs = analysis.outputs.iter().flat_map(|output| &output.standardized);
    let weights: Vec<f64> = outputs.copied().filter(|weight| weight.is_finite()).collect();
    let priors = analysis.prior_deviations();
    let widest = priors
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
    let mut panel = Panel::new("Density", 200.0);
    let steps = histogram(&weights, reach);
    panel.series.push(Series::new("fitted weights", Colour::Sequence(7), Mark::Line, steps));
    panel.series.extend(densities(&priors, reach));
    let points = panel.series.iter().flat_map(|series| &series.points);
    let highest = points.map(|point| point.y).fold(0.0, f64::max);
    panel.domain = Some((0.0, 1.06 * highest));
    let dashes = match priors.len() {
        1 => format!("prior N(0, σ²), σ = 1/√α = {}", short(rounded(widest))),
        _ => "prior N(0, σ²) of each group".to_owned(),
    };
    let horizontal = Horizontal::linear("standardised weight");
    let figure = PanelFigure { dashes, ..PanelFigure::along("prior", horizontal, vec![panel]) };
    FigureBlock::of_panels(
        figure,
        "The prior over the fitted weights.",
        "Look at whether the weights look like draws from the prior. Fitted weights are posterior \
         modes: they are narrower than the prior by what the data did not decide. A few weights \
         far out say that one σ does not fit all: try groups.",
        measured,
    )
    .into()
}

/// The outline of a histogram over ±reach, of area 1.
fn histogram(weights: &[f64], reach: f64) -> Vec<Point> {
    let bins = ((weights.len() as f64).sqrt().ceil() as usize * 2).clamp(12, 60);
    let width = 2.0 * reach / bins as f64;
    let mut counts = vec![0usize; bins];
    for weight in weights {
        let bin = (((weight + reach) / width) as usize).min(bins - 1);
        counts[bin] += 1;
    }
    let steps = counts.iter().enumerate().flat_map(|(bin, count)| {
        let density = *count as f64 / (weights.len() as f64 * width);
        let left = -reach + bin as f64 * width;
        [Point::at(left, density), Point::at(left + width, density)]
    });
    steps.collect()
}

/// The density of each prior; none where there are too many to be told apart.
fn densities(priors: &[(String, f64)], reach: f64) -> Vec<Series> {
    const MOST: usize = 8;
    let finite = priors.iter().filter(|(_, deviation)| deviation.is_finite() && *deviation > 0.0);
    let drawn = finite.filter(|_| priors.len() <= MOST).map(|(name, deviation)| {
        let density = |x: f64| {
            (-0.5 * (x / deviation).powi(2)).exp()
                / (deviation * (2.0 * std::f64::consts::PI).sqrt())
        };
        let label = match priors.len() {
            1 => "prior".to_owned(),
            _ => format!("prior of {name}, σ = {}", short(rounded(*deviation))),
        };
        let along = (0..=200).map(|i| -reach + 2.0 * reach * f64::from(i) / 200.0);
        let points = along.map(|x| Point::at(x, density(x))).collect();
        Series::new(&label, Colour::Ink, Mark::Dashes, points)
    });
    drawn.collect()
}

fn table(analysis: &Analysis) -> Vec<Content> {
    let has_deviations = analysis.outputs.iter().any(|output| !output.deviations.is_empty());
    let columns: &[&str] = match has_deviations {
        true => &["column", "coefficient", "± posterior sd", "standardised"],
        false => &["column", "coefficient", "standardised"],
    };
    let mut table = Table::new(columns, 1);
    let outputs = analysis.outputs.iter();
    let mut order: Vec<_> = outputs
        .flat_map(|output| (0..output.standardized.len()).map(move |column| (output, column)))
        .collect();
    order.sort_by(|(a, i), (b, j)| b.standardized[*j].abs().total_cmp(&a.standardized[*i].abs()));
    for (output, column) in order {
        let mut row =
            vec![analysis.coefficient_name(output, column), measured(output.coefficients[column])];
        if has_deviations {
            let deviation = output.deviations.get(column).copied().unwrap_or(f64::NAN);
            row.push(short(rounded(deviation)));
        }
        row.push(measured(output.standardized[column]));
        table.rows.push(row);
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
