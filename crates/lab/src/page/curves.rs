//! Curves over steps, from the analysis to points, tables and CSV.

use crate::Band;
use wd_statistics::Interval;

use super::arrangement::Study;
use super::{csv_row, mean_point};
use crate::wording::cell::{difference_interval, mean_interval};
use wd_page::figure::{Colour, Mark, Panel, Series};
use wd_page::{Csv, Table, number};

/// The first part of a run, whose loss and gradients would flatten everything after it, lies above
/// the frame.
pub(crate) const TRANSIENT: f64 = 0.05;

/// A curve over steps, with its mark on the page.
#[derive(Debug, Clone)]
pub(crate) struct Curve<'a> {
    pub(crate) label: &'a str,
    pub(crate) colour: Colour,
    pub(crate) bands: &'a [Band],
}

/// A quantity drawn over steps for several arms.
#[derive(Debug)]
pub(crate) struct Quantity<'a> {
    /// Name and unit, above the panel.
    pub(crate) title: String,
    /// Name in the CSV file.
    pub(crate) key: &'static str,
    pub(crate) curves: Vec<Curve<'a>>,
}

impl Quantity<'_> {
    /// Is there any value to draw?
    pub(crate) fn is_empty(&self) -> bool {
        self.curves.iter().flat_map(|curve| curve.bands).all(|band| !band.mean.is_finite())
    }

    /// Number of seeds of every point.
    pub(crate) fn seeds(&self) -> impl Iterator<Item = usize> {
        // The most seeds that any window of a curve has: a window may lack the seeds that diverged
        // before it.
        self.curves.iter().filter_map(|curve| curve.bands.iter().map(|band| band.n).max())
    }

    /// A panel with a line and a band for each curve, framed to show the run after its transient.
    pub(crate) fn panel(&self, height: f64, include: &[f64]) -> Panel {
        let mut panel = Panel::new(self.title.clone(), height);
        panel.domain = domain_after_transient(self.curves.iter().map(|curve| curve.bands), include);
        panel.series = self.curves.iter().map(series).collect();
        panel
    }
}

/// A line with its band.
fn series(curve: &Curve<'_>) -> Series {
    let points = curve.bands.iter().map(Band::point).collect();
    Series::new(curve.label, curve.colour, Mark::Line, points)
}

/// A dot for each arm at its place among the categories, in its colour and with its value written
/// beside it.
pub(crate) fn arm_dots(
    study: &Study<'_>,
    values: impl Iterator<Item = (usize, Option<Interval>)>,
) -> Vec<Series> {
    values
        .enumerate()
        .filter_map(|(place, (arm, interval))| {
            let interval = interval?;
            Some(Series {
                label: String::new(),
                colour: study.colour(arm),
                mark: Mark::Dots,
                points: vec![mean_point(place as f64, interval)],
                annotations: vec![difference_interval(&interval)],
            })
        })
        .collect()
}

/// The vertical domain that holds the means after the transient, their bands as far as those
/// are not much wider than what the means span, and the values that must be seen.
pub(crate) fn domain_after_transient<'a>(
    curves: impl Iterator<Item = &'a [Band]>,
    include: &[f64],
) -> Option<(f64, f64)> {
    let shown: Vec<&Band> = curves
        .flat_map(|bands| {
            let last = bands.last().map_or(0.0, |band| band.step);
            bands.iter().filter(move |band| band.step >= TRANSIENT * last && band.mean.is_finite())
        })
        .collect();
    let mut means: Vec<f64> =
        shown.iter().map(|band| band.mean).chain(include.iter().copied()).collect();
    means.sort_by(f64::total_cmp);
    let (low, high) = (*means.first()?, *means.last()?);
    let span = (high - low).max(1e-9 * high.abs()).max(1e-12);
    let bounds =
        shown.iter().flat_map(|band| [band.low, band.high]).filter(|bound| bound.is_finite());
    let (low, high) = bounds
        .filter(|bound| (low - 0.35 * span..=high + 0.35 * span).contains(bound))
        .fold((low, high), |(low, high), bound| (low.min(bound), high.max(bound)));
    let margin = 0.05 * (high - low).max(span);
    Some((low - margin, high + margin))
}

/// A table of curves: one row a step, one column a quantity and arm.
pub(crate) fn table(quantities: &[Quantity<'_>]) -> Table {
    let columns: Vec<(String, &[Band])> = quantities
        .iter()
        .flat_map(|quantity| {
            let several = quantities.len() > 1;
            quantity.curves.iter().filter(|curve| !curve.bands.is_empty()).map(move |curve| {
                let name = if several {
                    format!("{}, {}", short_title(&quantity.title), curve.label)
                } else {
                    curve.label.to_owned()
                };
                (name, curve.bands)
            })
        })
        .collect();
    let mut steps: Vec<f64> = columns
        .iter()
        .flat_map(|(_, bands)| bands.iter().map(|band| band.step))
        .filter(|step| step.is_finite())
        .collect();
    steps.sort_by(f64::total_cmp);
    steps.dedup();
    let mut table = Table::new(&["step"], 0);
    table.columns.extend(columns.iter().map(|(name, _)| name.clone()));
    table.rows = steps
        .iter()
        .map(|step| {
            let cells = columns.iter().map(|(_, bands)| {
                let band = bands.iter().find(|band| band.step == *step);
                band.map_or(String::new(), |band| {
                    let decimals = if band.mean.abs() < 0.01 { 6 } else { 4 };
                    mean_interval(&band.interval(), decimals)
                })
            });
            std::iter::once(number::measured(*step)).chain(cells).collect()
        })
        .collect();
    table
}

fn short_title(title: &str) -> &str {
    title.split([',', '(']).next().unwrap_or(title).trim()
}

/// The same numbers in long form.
pub(crate) fn csv(quantities: &[Quantity<'_>]) -> Csv {
    let mut csv = Csv::new(&["quantity", "arm", "step", "mean", "low", "high", "n"]);
    for quantity in quantities {
        for curve in &quantity.curves {
            for band in curve.bands {
                let about = [quantity.key.into(), curve.label.into(), band.step.into()];
                csv_row(&mut csv, &about, &band.interval());
            }
        }
    }
    csv
}
