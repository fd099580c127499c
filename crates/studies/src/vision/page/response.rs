//! Test loss and accuracy over ηλ at the best η, and over σ where coupled L2 makes λ a prior.

use crate::vision::analysis::{Point as Trials, Surface, VisionAnalysis};
use wd_decay::{DecayRule, OptimizerKind};
use wd_lab::page::mean_point;
use wd_statistics::Interval;

use wd_page::figure::{Colour, Mark, Moment, Panel, PanelFigure, Point, Reference, Series};
use wd_page::{Content, FigureBlock, Section, number};

/// λ values above 0 without which there is no curve.
const LEAST: usize = 3;

pub(super) fn section(analysis: &VisionAnalysis) -> Section {
    let curves: Vec<(usize, Vec<&Trials>)> = analysis
        .surfaces
        .iter()
        .enumerate()
        .filter_map(|(index, surface)| {
            let curve = surface.curve(surface.best_learning_rate()?);
            let decayed = curve.iter().filter(|point| point.lambda > 0.0).count();
            (decayed >= LEAST).then_some((index, curve))
        })
        .collect();
    let mut contents = Vec::new();
    if curves.is_empty() {
        contents.push(Content::Absent(
            "Left out: no setting of this study was trained at three λ above 0.".to_owned(),
        ));
    } else {
        contents.push(losses(analysis, &curves));
        contents.push(accuracies(analysis, &curves));
        contents.extend(deviations(analysis, &curves));
    }
    Section::full("response", "Too little λ over-fits, too much under-fits", contents)
        .named("Loss over ηλ")
}

fn losses(analysis: &VisionAnalysis, curves: &[(usize, Vec<&Trials>)]) -> Content {
    let panels = curves
        .iter()
        .map(|(index, curve)| {
            let surface = &analysis.surfaces[*index];
            let mut panel = Panel::new(title(surface, curve), 200.0);
            let decayed = curve.iter().filter(|point| point.lambda > 0.0);
            let along = |of: fn(&Trials) -> Interval| -> Vec<Point> {
                decayed
                    .clone()
                    .map(|point| mean_point(point.learning_rate * point.lambda, of(point)))
                    .collect()
            };
            panel.series.push(Series::new(
                "training loss",
                Colour::Baseline,
                Mark::Line,
                along(|point| point.train_loss),
            ));
            panel.series.push(Series::new(
                "test loss",
                Colour::Sequence(9),
                Mark::Line,
                along(|point| point.test_loss),
            ));
            if let Some(none) = curve.iter().find(|point| point.lambda == 0.0) {
                panel.references.push(Reference {
                    y: none.test_loss.mean,
                    label: "test loss at λ = 0".to_owned(),
                    dotted: true,
                });
            }
            // A mean over bounds is no place to point at.
            let optimum = analysis.optima[*index].as_ref();
            if let Some(optimum) = optimum.filter(|optimum| optimum.is_inside()) {
                panel.moments.push(Moment {
                    x: optimum.log_product.mean.exp(),
                    y: f64::NAN,
                    label: "best".to_owned(),
                    colour: Colour::Sequence(9),
                });
            }
            panel
        })
        .collect();
    FigureBlock::of_panels(
        PanelFigure::over("loss-over-decay", "ηλ, at the best η", panels, 2),
        "Loss over ηλ.",
        "Left of the best the test loss rises while the training loss falls: too weak a λ \
         over-fits. Right of it both rise: too strong a λ under-fits. Bands are 95 % intervals \
         over seeds; losses are those of the final weights: nats an image for cross-entropy, the \
         mean squared error where that is minimised.",
        number::measured,
    )
    .into()
}

fn accuracies(analysis: &VisionAnalysis, curves: &[(usize, Vec<&Trials>)]) -> Content {
    let mut models: Vec<String> = Vec::new();
    for (index, _) in curves {
        let name = group(&analysis.surfaces[*index]);
        if !models.contains(&name) {
            models.push(name);
        }
    }
    let panels = models
        .iter()
        .map(|model| {
            let mut panel = Panel::new(format!("Accuracy on the test images, {model}"), 200.0);
            let members: Vec<&(usize, Vec<&Trials>)> = curves
                .iter()
                .filter(|(index, _)| group(&analysis.surfaces[*index]) == *model)
                .collect();
            for ((index, curve), colour) in members.iter().zip(Colour::sequence(members.len())) {
                let points = curve
                    .iter()
                    .filter(|point| point.lambda > 0.0)
                    .map(|point| {
                        mean_point(point.learning_rate * point.lambda, point.test_accuracy)
                    })
                    .collect();
                let label = analysis.surfaces[*index].label();
                panel.series.push(Series::new(&label, colour, Mark::Line, points));
            }
            panel
        })
        .collect();
    FigureBlock::of_panels(
        PanelFigure::over("accuracy-over-decay", "ηλ, at the best η", panels, 2),
        "Accuracy over ηλ.",
        "Bands are 95 % intervals over seeds.",
        number::measured,
    )
    .into()
}

/// For coupled L2 on a mean loss over n images, λ is the prior N(0, σ²) of σ = 1/√(λn).
fn deviations(analysis: &VisionAnalysis, curves: &[(usize, Vec<&Trials>)]) -> Option<Content> {
    let panels: Vec<Panel> = curves
        .iter()
        .filter(|(index, _)| {
            let surface = &analysis.surfaces[*index];
            surface.rule == DecayRule::CoupledL2 && surface.optimizer == OptimizerKind::Sgd
        })
        .map(|(index, curve)| {
            let surface = &analysis.surfaces[*index];
            let mut panel = Panel::new(format!("Test loss, {}", surface.label()), 200.0);
            let mut points: Vec<Point> = curve
                .iter()
                .filter(|point| point.lambda > 0.0)
                .map(|point| {
                    let sigma = 1.0 / (point.lambda * surface.images as f64).sqrt();
                    mean_point(sigma, point.test_loss)
                })
                .collect();
            points.reverse();
            panel.series.push(Series::new("test loss", Colour::Sequence(9), Mark::Line, points));
            panel
        })
        .collect();
    if panels.is_empty() {
        return None;
    }
    Some(FigureBlock::of_panels(
        PanelFigure::over("loss-over-sigma", "σ of the prior, 1/√(λn)", panels, 2),
        "The same as a prior: test loss over σ, SGD with coupled L2.",
        "With SGD, coupled L2 and a loss that is a mean over n images, the minimum is the maximum \
         a posteriori under the prior N(0, σ²), σ = 1/√(λn). Of weights before a batch norm the \
         loss does not depend on the scale: for them λ sets the effective learning rate, and σ is \
         only its name. AdamW's λ is no Gaussian prior and is not shown here.",
        number::measured,
    ).into())
}

/// The model and the optimizer.
fn group(surface: &Surface) -> String {
    format!("{}, {}", surface.model(), surface.optimizer)
}

fn title(surface: &Surface, curve: &[&Trials]) -> String {
    let rate = curve.first().map_or(f64::NAN, |point| point.learning_rate);
    format!("{} (η = {})", surface.label(), number::short(rate))
}
