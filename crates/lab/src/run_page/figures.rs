//! Losses, schedules, gradients and updates of one run.

use super::run::Run;
use wd_page::figure::{
    Colour, Horizontal, Labels, Mark, Panel, PanelFigure, Point, Series, Transform, thinned,
};
use wd_page::{Content, FigureBlock, Section, number};

/// The frame after the first 5 % of the steps, which would flatten the rest.
fn domain_after_transient(series: &[Series]) -> Option<(f64, f64)> {
    let points =
        || series.iter().flat_map(|series| &series.points).filter(|point| point.y.is_finite());
    let last = points().map(|point| point.x).fold(0.0, f64::max);
    let (low, high) = points()
        .filter(|point| point.x >= 0.05 * last)
        .flat_map(|point| [point.y, point.low, point.high])
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
    let margin = 0.05 * (high - low);
    (low <= high).then_some((low - margin, high + margin))
}

/// A figure over steps, with its numbers.
pub(crate) fn over_steps(
    id: &str,
    name: &str,
    caption: &str,
    panels: Vec<Panel>,
    columns: usize,
    labels: Labels,
) -> Content {
    let figure = PanelFigure {
        columns,
        labels,
        dashes: "predicted by the norm recursion".to_owned(),
        ..PanelFigure::along(id, Horizontal::linear("step"), panels)
    };
    let step = |step: f64| number::measured(step.round());
    FigureBlock::of_panels(figure, name, caption, step).into()
}

/// Training, validation and train-evaluation loss.
pub(crate) fn losses(run: &Run<'_>) -> Section {
    let training = run.windowed(&run.series.column("train_loss"));
    let mut contents = Vec::new();
    if training.is_empty() {
        contents.push(Content::Absent("Left out: no step has been recorded yet.".to_owned()));
    } else {
        let mut panel = Panel::new(format!("Loss ({})", run.plan.loss_unit()), 300.0);
        panel.series = vec![
            Series::new("training batches", Colour::Sequence(6), Mark::Line, training),
            Series::new(
                run.plan.held_out(),
                Colour::Ink,
                Mark::Rings,
                run.points(&run.series.column("validation_loss")),
            ),
            Series::new(
                "training data, same weights",
                Colour::Ink,
                Mark::Dots,
                run.points(&run.series.column("train_eval_loss")),
            ),
        ];
        panel.domain = domain_after_transient(&panel.series);
        contents.push(over_steps(
            "losses",
            "Loss over the run.",
            "Look at whether rings and dots, which are losses of the same weights on held-out and \
             on training data, part: that is the generalisation gap. The line is the mean over \
             windows of steps, its band the 10th to 90th percentile of the batches in the window; \
             one run has no interval over seeds. The first 5 % of the run may lie above the frame.",
            vec![panel],
            1,
            Labels::Key,
        ));
    }
    Section::full("losses", "Losses", contents)
}

/// η_t and s_t as planned.
pub(crate) fn schedules(run: &Run<'_>) -> Section {
    let plan = run.plan;
    if plan.steps == 0 {
        let absent = Content::Absent("Left out: this plan has no steps.".to_owned());
        return Section::full("schedules", "Schedules", vec![absent]);
    }
    let planned = |title: &str, value: &dyn Fn(u64) -> f64| -> Panel {
        let points: Vec<Point> =
            (0..plan.steps).map(|step| Point::at((step + 1) as f64, value(step))).collect();
        let most = points.iter().map(|point| point.y).fold(0.0, f64::max);
        let mut panel = Panel::new(title, 130.0);
        panel.domain = (most > 0.0).then_some((0.0, 1.06 * most));
        panel.series = vec![Series::new("", Colour::Sequence(6), Mark::Line, thinned(points, 400))];
        panel
    };
    let mut panels = vec![planned("Learning rate η", &|step| plan.learning_rate(step))];
    if (0..plan.steps).any(|step| plan.shrink(step) != 0.0) {
        panels.push(planned("Shrink s: w ← w − s·w in each step", &|step| plan.shrink(step)));
    }
    let follows = if plan.holds_norms() {
        "Norms are held: nothing shrinks by a schedule.".to_owned()
    } else if plan.hides_shrink() {
        "The penalty is divided with the gradient: how much a step shrinks is not known from the \
         configuration."
            .to_owned()
    } else {
        format!(
            "The area under the shrink is κ = {}: of the initial weights a share exp(−κ) = {} is \
             left at the end.",
            number::short(plan.kappa),
            number::short((-plan.kappa).exp())
        )
    };
    let figure = over_steps(
        "schedules",
        "Schedules, as planned for every step.",
        &format!("{}. {follows}", plan.schedule.describe()),
        panels,
        1,
        Labels::None,
    );
    Section::full("schedules", "Schedules", vec![figure])
}

/// Gradient norm, and relative update by role.
pub(crate) fn dynamics(run: &Run<'_>) -> Section {
    let mut panels = Vec::new();
    let gradient = run.windowed(&run.series.column("gradient_norm"));
    if !gradient.is_empty() {
        let mut panel = Panel::new("Gradient norm before clipping", 170.0);
        panel.series = vec![Series::new("all tensors", Colour::Sequence(6), Mark::Line, gradient)];
        panel.domain = domain_after_transient(&panel.series);
        panels.push(panel);
    }
    let mut updates = Panel::new("Relative update ‖Δw‖ / ‖w‖ (effective learning rate)", 200.0);
    updates.transform = Transform::Log;
    let roles = super::roles::roles(run.plan);
    for ((role, tensors), colour) in roles.iter().zip(Colour::sequence(roles.len())) {
        let mut points = run.windowed(&run.series.combined("relative_update", tensors));
        // Bands of several roles would hide each other.
        points.iter_mut().for_each(|point| (point.low, point.high) = (f64::NAN, f64::NAN));
        if points.iter().any(|point| point.y > 0.0) {
            updates.series.push(Series::new(role.name(), colour, Mark::Line, points));
        }
    }
    if !updates.series.is_empty() {
        panels.push(updates);
    }
    let contents = if panels.is_empty() {
        vec![Content::Absent("Left out: no gradient or update has been recorded yet.".to_owned())]
    } else {
        vec![over_steps(
            "dynamics",
            "Gradients and updates.",
            "Look at how the relative update falls with the learning rate, and at which role turns \
             fastest at the end. Lines are means over windows of steps; the band is the 10th to \
             90th percentile of the steps in the window, not an interval over seeds.",
            panels,
            1,
            Labels::Direct,
        )]
    };
    Section::full("dynamics", "Gradients and updates", contents)
}
