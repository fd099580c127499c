//! The figures of the page, each after the claim that it is about.

use wd_decay::ScheduleKind;
use wd_lab::Analysis;
use wd_lab::setting::spell;
use wd_lab::wording::cell::intervals;
use wd_page::FigureBlock;
use wd_page::figure::{
    Colour, Horizontal, Labels, Mark, Panel, PanelFigure, Point, Reference, Series, Transform,
    thinned,
};
use wd_page::number;
use wd_statistics::Interval;

use super::averaging::Harm;
use super::labels::Labels as NoisyLabels;
use super::repeated::Repeated;
use super::runs::{Arm, Family, Run};
use super::storage::Storages;
use super::weights::FinalWeights;
use crate::prior::ErrorCurve;

/// A figure, and the claim that it is about.
pub(super) type Placed = (u32, FigureBlock);

/// Points of a curve over a run that are drawn.
const DRAWN: usize = 120;

fn point(x: f64, interval: &Interval) -> Point {
    Point::with_interval(x, interval.mean, interval.low, interval.high)
}

/// A dotted line at 0.
fn zero() -> Reference {
    Reference { y: 0.0, label: String::new(), dotted: false }
}

/// Claims 21 and 23: learning rate and gradient norm over the run.
pub(super) fn gradients(analysis: &Analysis, cosine: &Family<'_>) -> Option<Placed> {
    let arms: Vec<_> = analysis
        .arms
        .iter()
        .filter(|arm| arm.schedule == Some(ScheduleKind::Cosine) && arm.settings.is_empty())
        .filter(|arm| cosine.arm(arm.lambda).is_some_and(|own| own.runs.len() == arm.seeds.len()))
        .collect();
    let plan = &cosine.baseline()?.runs.values().next()?.plan;
    let rates = (0..plan.steps).map(|step| Point::at(step as f64 + 1.0, plan.learning_rate(step)));
    let mut rate = Panel::new("Learning rate", 90.0);
    rate.series.push(Series::new("", Colour::Ink, Mark::Line, thinned(rates.collect(), DRAWN)));
    let mut norm = Panel::new("Norm of the gradient before clipping", 200.0);
    let lambdas: Vec<f64> = arms.iter().map(|arm| arm.lambda).collect();
    let colours = Colour::by_lambda(&lambdas);
    for (arm, colour) in arms.iter().zip(colours) {
        let bands = arm.late.gradient_norm.iter();
        let points =
            bands.map(|band| Point::with_interval(band.step, band.mean, band.low, band.high));
        let label = format!("λ = {}", spell(arm.lambda));
        norm.series.push(Series::new(&label, colour, Mark::Line, points.collect()));
    }
    let name = "The gradient late in training.";
    let caption = format!(
        "Look at the last fifth of the run: the rate goes to 0; does the gradient? {}",
        intervals("Bands", arms.iter().map(|arm| arm.seeds.len()), "seed")
    );
    let figure = PanelFigure {
        labels: Labels::Key,
        ..PanelFigure::along("gradient", Horizontal::linear("step"), vec![rate, norm])
    };
    Some((21, FigureBlock::of_panels(figure, name, &caption, |step| number::short(step.floor()))))
}

/// Claim 26: the harm of λ at a constant rate, raw and averaged.
pub(super) fn harms(harms: &[Harm]) -> Option<Placed> {
    let names = harms.iter().map(|harm| format!("λ = {}", spell(harm.lambda)));
    let horizontal = Horizontal::categories("", names.collect::<Vec<_>>());
    let mut panel = Panel::new("Validation loss less that of λ = 0, at a constant rate", 190.0);
    panel.references.push(zero());
    let series = |of: fn(&Harm) -> &Interval| -> Vec<Point> {
        harms.iter().enumerate().map(|(place, harm)| point(place as f64, of(harm))).collect()
    };
    panel.series = vec![
        Series::new("raw weights", Colour::Ink, Mark::Dots, series(|harm| &harm.raw.interval)),
        Series::new(
            "moving average of the weights",
            Colour::Sequence(6),
            Mark::Rings,
            series(|harm| &harm.averaged.interval),
        ),
    ];
    let caption = format!(
        "What the average takes away of the harm is noise of a larger effective learning rate; \
         what it leaves is not. {}",
        intervals("Bars", harms.iter().map(|harm| harm.raw.interval.n), "seed")
    );
    let figure = PanelFigure::along("average", horizontal, vec![panel]);
    let name = "The harm of λ at a constant rate, and what averaging leaves of it.";
    (!harms.is_empty()).then(|| (26, FigureBlock::of_panels(figure, name, &caption, number::short)))
}

/// Claim 27: one pass and many.
pub(super) fn repeated(repeated: &Repeated<'_>) -> Option<Placed> {
    let ways = [
        ("one pass", Colour::Baseline, &repeated.once),
        ("many passes", Colour::Ink, &repeated.many),
    ];
    let panel = |title: &str, value: fn(&Run) -> f64| {
        let mut panel = Panel::new(title, 170.0);
        panel.references.push(zero());
        for (label, colour, family) in &ways {
            let changes = family.changes(value);
            let points = changes.iter().map(|(lambda, change)| point(*lambda, &change.interval));
            panel.series.push(Series::new(label, *colour, Mark::Line, points.collect()));
        }
        panel
    };
    let panels = vec![
        panel("Validation loss less that of λ = 0", Run::validation),
        panel("Gap between validation and training loss, less that of λ = 0", Run::gap),
    ];
    let is_empty = panels.iter().all(|panel| panel.series[1].points.is_empty());
    let seeds = || repeated.many.0.iter().map(|arm| arm.runs.len());
    let caption = format!(
        "The same model and the same number of tokens: each seen once, and few seen many times. A \
         prior narrows the gap and lowers the loss where data are seen often. {}",
        intervals("Bands", seeds(), "seed")
    );
    let figure = PanelFigure::over("repeated", "λ", panels, 1);
    let name = "The same λ in one pass over many tokens and in many passes over few.";
    (!is_empty).then(|| (27, FigureBlock::of_panels(figure, name, &caption, number::short)))
}

/// Claim 31: the norm of the matrices in each storage.
pub(super) fn storages(storages: &Storages<'_>) -> Option<Placed> {
    let lambda = storages.nearest.main()?.lambda;
    let mut panel = Panel::new("‖w‖ of the matrices", 220.0);
    let lines: [(&str, &Family<'_>, f64, Colour, Mark); 4] = [
        ("f32", &storages.exact, lambda, Colour::Sequence(3), Mark::Line),
        ("bf16, stochastic", &storages.stochastic, lambda, Colour::Sequence(7), Mark::Line),
        ("bf16, to nearest", &storages.nearest, lambda, Colour::Sequence(12), Mark::Line),
        ("bf16, to nearest", &storages.nearest, 0.0, Colour::Baseline, Mark::Dashes),
    ];
    for (name, family, lambda, colour, mark) in lines {
        let Some(run) = family.arm(lambda).and_then(|arm| arm.runs.values().next()) else {
            continue;
        };
        let norms = run.series.combined("weight_norm", &run.matrices());
        let points = norms
            .iter()
            .enumerate()
            .filter(|(_, norm)| norm.is_finite())
            .map(|(row, norm)| Point::at(row as f64 + 1.0, *norm));
        let label = format!("{name}, λ = {}", spell(lambda));
        panel.series.push(Series::new(&label, colour, mark, thinned(points.collect(), DRAWN)));
    }
    let figure = PanelFigure {
        dashes: format!("bf16, to nearest, λ = {}", spell(0.0)),
        ..PanelFigure::along("storage", Horizontal::linear("step"), vec![panel])
    };
    let caption = "One seed. Look whether the line of λ rounded to nearest lies on that of λ = 0, \
                   which is dashed: then the decay is lost.";
    let name = "Decay that is rounded away.";
    Some((31, FigureBlock::of_panels(figure, name, caption, number::short)))
}

/// Claim 7: wrong labels that are reproduced, over λ.
pub(super) fn labels(labels: &NoisyLabels<'_>) -> Option<Placed> {
    let (_, most) = labels.0.last()?;
    let lambdas: Vec<f64> = most.0.iter().map(|arm| arm.lambda).collect();
    let names: Vec<String> =
        lambdas.iter().map(|lambda| format!("λ = {}", spell(*lambda))).collect();
    let panel = |title: &str, value: &dyn Fn(&Run) -> f64, noisy_alone: bool| {
        let mut panel = Panel::new(title, 180.0);
        let colours = Colour::sequence(labels.0.len());
        for ((noise, family), colour) in labels.0.iter().zip(colours) {
            if noisy_alone && *noise == 0.0 {
                continue;
            }
            let place = |arm: &Arm<'_>| lambdas.iter().position(|lambda| *lambda == arm.lambda);
            let points = family
                .0
                .iter()
                .filter_map(|arm| Some(point(place(arm)? as f64, &arm.level(value))));
            let label = format!("{} wrong", number::percent(*noise));
            panel.series.push(Series::new(&label, colour, Mark::Dots, points.collect()));
        }
        panel
    };
    let panels = vec![
        panel("Share of the wrong labels that is reproduced", &Run::memorised, true),
        panel(
            "Test loss (nats an image; its labels are right)",
            &|run| run.series.at_end("validation_loss"),
            false,
        ),
    ];
    let seeds = || most.0.iter().map(|arm| arm.runs.len());
    let caption = format!(
        "A CNN on few images. What reproduces wrong labels has learnt them by heart; the test \
         images, whose labels are right, say what that costs. {}",
        intervals("Bars", seeds(), "seed")
    );
    let figure = PanelFigure::along("labels", Horizontal::categories("", names), panels);
    let name = "Wrong labels that are learnt by heart.";
    Some((7, FigureBlock::of_panels(figure, name, &caption, number::short)))
}

/// Claim 14: error over λ.
pub(super) fn valley(curve: &ErrorCurve) -> Placed {
    let mut panel = Panel::new("Mean squared error over the target's variance", 200.0);
    let series = |of: fn(&crate::prior::CurvePoint) -> &Interval| -> Vec<Point> {
        curve.points.iter().map(|at| point(at.lambda, of(at))).collect()
    };
    panel.series = vec![
        Series::new("fresh rows", Colour::Ink, Mark::Line, series(|at| &at.fresh)),
        Series::new("the sample itself", Colour::Baseline, Mark::Line, series(|at| &at.training)),
    ];
    panel.transform = Transform::Log;
    let figure = PanelFigure::over("valley", "λ = 1/σ², in units of the noise", vec![panel], 1);
    let caption = format!(
        "Linear models from {} rows of the shipped table. A larger λ is a smaller σ. Bands: 95 % \
         intervals over draws.",
        curve.rows
    );
    (14, FigureBlock::of_panels(figure, "Under-fit and over-fit over λ.", &caption, number::short))
}

/// Claim 4: kurtosis by kind of matrix.
pub(super) fn kurtosis(weights: &FinalWeights) -> Option<Placed> {
    let mut panel = Panel::new("Excess kurtosis of the final weights", 190.0);
    let gaussian = Reference { y: 0.0, label: "Gaussian".to_owned(), dotted: false };
    panel.references.push(gaussian);
    let points = |with: bool| -> Vec<Point> {
        let kinds = weights.kurtosis.iter().enumerate();
        kinds
            .map(|(place, kind)| point(place as f64, if with { &kind.with } else { &kind.without }))
            .collect()
    };
    let label = format!("λ = {}", spell(weights.lambda));
    panel.series = vec![
        Series::new("λ = 0", Colour::Baseline, Mark::Dots, points(false)),
        Series::new(&label, Colour::Sequence(9), Mark::Dots, points(true)),
    ];
    let names: Vec<String> = weights.kurtosis.iter().map(|kind| kind.kind.clone()).collect();
    let seeds = || weights.kurtosis.iter().map(|kind| kind.with.n);
    let caption = format!(
        "A Gaussian has 0; above it there are more large weights than a Gaussian of the same \
         variance has. {}",
        intervals("Bars", seeds(), "seed")
    );
    let figure = PanelFigure::along("kurtosis", Horizontal::categories("", names), vec![panel]);
    (!weights.kurtosis.is_empty()).then(|| {
        (
            4,
            FigureBlock::of_panels(
                figure,
                "Are trained weights Gaussian?",
                &caption,
                number::short,
            ),
        )
    })
}
