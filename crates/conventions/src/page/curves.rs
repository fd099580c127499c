//! Learning rate, shrink, what is left of the start, and the predicted norm, over the run.

use crate::Explanation;
use crate::explanation::TrajectoryPoint;

use wd_page::figure::{
    Colour, Figure, Horizontal, Labels, Mark, Panel, PanelFigure, Point, Series, Transform,
};
use wd_page::{Content, Csv, FigureBlock, Section, Table, number};

/// Rows of the table under the figure: as many as are read.
const ROWS: usize = 20;

/// How many times the weights an equilibrium may be and still be drawn whole.
const FARTHEST: f64 = 2.0;

/// The curves of an explanation; absent where it has no trajectory, for want of a learning rate or
/// a number of steps.
fn figure(explanation: &Explanation) -> Option<Figure> {
    let points = &explanation.trajectory.as_ref()?.points;
    let line = |label: &str, mark, of: &dyn Fn(&TrajectoryPoint) -> Option<f64>| {
        let points = points
            .iter()
            .map(|point| Point::at(point.step as f64, of(point).unwrap_or(f64::NAN)))
            .filter(|point| point.y.is_finite());
        Series::new(label, Colour::Sequence(6), mark, points.collect())
    };
    let panel = |title: &str, series: Vec<Series>| {
        let mut panel = Panel::new(title, 130.0);
        panel.series = series.into_iter().filter(|series| !series.points.is_empty()).collect();
        let most = panel
            .series
            .iter()
            .flat_map(|series| &series.points)
            .map(|point| point.y)
            .fold(0.0, f64::max);
        // All of them are shares or sizes: what matters is how far they are from zero.
        panel.domain = (most > 0.0).then_some((0.0, 1.06 * most));
        panel
    };
    let mut norm = panel(
        "RMS of the weights",
        vec![
            line("predicted", Mark::Line, &|point| point.rms),
            line("equilibrium", Mark::Dashes, &|point| point.equilibrium_rms),
        ],
    );
    // An equilibrium far away, which the run never comes near, is no frame for its weights.
    let most = |mark| {
        let drawn = norm.series.iter().filter(|series| series.mark == mark);
        drawn.flat_map(|series| &series.points).map(|point| point.y).fold(0.0, f64::max)
    };
    let frame = f64::max(most(Mark::Line), most(Mark::Dashes).min(FARTHEST * most(Mark::Line)));
    norm.domain = (frame > 0.0).then_some((0.0, 1.06 * frame));
    let panels = vec![
        panel("Learning rate η", vec![line("", Mark::Line, &|point| Some(point.learning_rate))]),
        panel(
            "Shrink s: w ← (1 − s) w in each step",
            vec![line("", Mark::Line, &|point| point.shrink)],
        ),
        panel(
            "Share of the initial weights left",
            vec![line("", Mark::Line, &|point| point.initial_share)],
        ),
        norm,
    ];
    Some(Figure::Panels(PanelFigure {
        id: "trajectory".to_owned(),
        title: format!("{}, step by step", explanation.name),
        description: format!(
            "Learning rate, shrink, share of the initial weights left and predicted root mean \
             square of the weights of {}.",
            explanation.name
        ),
        horizontal: Horizontal::Quantity { label: "step".to_owned(), transform: Transform::Linear },
        panels: panels.into_iter().filter(|panel| !panel.series.is_empty()).collect(),
        columns: 2,
        labels: Labels::None,
        dashes: "the equilibrium of this step's η and s".to_owned(),
    }))
}

/// The figure with its caption and numbers.
pub(super) fn section(explanation: &Explanation) -> Option<Section> {
    let figure = figure(explanation)?;
    let points = &explanation.trajectory.as_ref()?.points;
    let columns = ["step", "η", "s", "share left", "RMS", "equilibrium RMS"];
    let mut csv =
        Csv::new(&["step", "learning_rate", "shrink", "initial_share", "rms", "equilibrium_rms"]);
    let mut table = Table::new(&columns, 0);
    let every = points.len().div_ceil(ROWS).max(1);
    for (index, point) in points.iter().enumerate() {
        let cells = [
            Some(point.step as f64),
            Some(point.learning_rate),
            point.shrink,
            point.initial_share,
            point.rms,
            point.equilibrium_rms,
        ]
        .map(|cell| cell.unwrap_or(f64::NAN));
        csv.row(&cells.map(Into::into));
        if index % every == 0 || index + 1 == points.len() {
            table.rows.push(cells.map(number::measured).to_vec());
        }
    }
    let contents = vec![Content::Figure(Box::new(FigureBlock {
        figure,
        name: "The run that this setting declares.".to_owned(),
        caption: "Nothing was trained: learning rate and shrink are what is declared, the \
                share of the initial weights is \
                      Π(1 − s), and the RMS is the norm recursion ρ ← (1 − s)²ρ + η²D for \
                      gradients of pure noise. Look at whether \
                      the weights follow their equilibrium, the dashed line, or lag behind it."
            .to_owned(),
        table,
        csv,
    }))];
    Some(Section::full("trajectory", "Step by step", contents).named("Curves"))
}

impl Explanation {
    /// Learning rate, shrink, share of the initial weights and predicted norm over the run, as a
    /// figure; absent where it has no trajectory, for want of a learning rate or a number of steps.
    pub fn figure(&self) -> Option<Figure> {
        figure(self)
    }
}
