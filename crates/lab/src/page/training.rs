//! Point 1: training loss over the run, and below it the paired difference to λ = 0 with its
//! crossing.

use super::arrangement::{Group, Study};
use super::curves::{self, Curve, Quantity};
use super::{numbered, other_settings};
use crate::wording::cell as words;
use wd_page::figure::{Horizontal, Labels, Moment, PanelFigure, Reference};
use wd_page::{Content, FigureBlock, Section, number};

/// The section.
pub(crate) fn section(study: &Study<'_>) -> Section {
    let mut contents = Vec::new();
    let first = study.group_with(false).or(study.groups.first());
    if let Some(group) = first {
        if study.group_with(false).is_none() {
            contents.push(Content::Absent(
                "No arm trained under a decaying learning rate, so what follows is under a \
                 constant one."
                    .to_owned(),
            ));
        }
        contents.push(Content::Paragraph(introduction(study, group)));
        contents.push(figure(study, group, 0));
    } else {
        contents.push(Content::Absent(
            "Left out: no trial of this study has been trained yet.".to_owned(),
        ));
    }
    let others: Vec<&Group> = study.groups.iter().filter(|group| Some(*group) != first).collect();
    let shown = |group: &Group, index| vec![figure(study, group, index)];
    contents.extend(other_settings("The same curves", &others, shown));
    Section::full("training", "Training loss over the run", contents).named("Training loss")
}

fn introduction(study: &Study<'_>, group: &Group) -> String {
    let compared = group.arms.iter().any(|arm| study.comparison(*arm).is_some());
    let schedule = study.schedule(group);
    if compared {
        format!(
            "Learning rate: {schedule}. Each run with decay is paired with the run without it that \
             had the same seed, hence the same initial weights and the same batches; their \
             difference is far less noisy than either loss."
        )
    } else {
        format!(
            "Learning rate: {schedule}. No arm can be paired with one at λ = 0 and otherwise equal \
             settings."
        )
    }
}

fn figure(study: &Study<'_>, group: &Group, index: usize) -> Content {
    let arms = study.arms(group);
    let each = study.loss_unit();
    let curve =
        |arm: usize, bands| Curve { label: study.label(arm), colour: study.colour(arm), bands };
    let loss = Quantity {
        title: format!("Training loss ({each})"),
        key: "training_loss",
        curves: arms.iter().map(|(arm, data)| curve(*arm, data.train_loss.as_slice())).collect(),
    };
    if loss.is_empty() {
        let lost: Vec<String> = arms
            .iter()
            .map(|(arm, data)| (study.label(*arm), super::arms::lost(data)))
            .filter(|(_, lost)| !lost.is_empty())
            .map(|(label, lost)| format!("{label}: {lost}"))
            .collect();
        let reasons =
            if lost.is_empty() { "nothing was recorded".to_owned() } else { lost.join("; ") };
        return Content::Absent(format!(
            "Left out: no run of this setting has a training loss to the end. {reasons}."
        ));
    }
    let difference = Quantity {
        title: format!("Difference to λ = 0, paired by seed ({each})"),
        key: "paired_difference",
        curves: arms
            .iter()
            .filter_map(|(arm, _)| Some(curve(*arm, study.comparison(*arm)?.difference.as_slice())))
            .collect(),
    };
    let paired = !difference.is_empty();
    let mut panels = vec![loss.panel(if paired { 250.0 } else { 300.0 }, &[])];
    for (arm, data) in &arms {
        for diverged in &data.diverged {
            panels[0].moments.push(Moment {
                x: diverged.step as f64,
                y: f64::NAN,
                label: format!("{}, seed {}: diverged", study.label(*arm), diverged.seed),
                colour: study.colour(*arm),
            });
        }
    }
    if paired {
        let mut panel = difference.panel(230.0, &[0.0]);
        panel.references.push(Reference { y: 0.0, label: String::new(), dotted: false });
        for (arm, _) in &arms {
            let Some(crossing) = study.comparison(*arm).and_then(|comparison| comparison.crossing)
            else {
                continue;
            };
            let step = number::count(crossing.step.max(0.0).round() as u64);
            panel.moments.push(Moment {
                x: crossing.step,
                y: 0.0,
                label: format!(
                    "{} crosses at step {step} ({})",
                    study.label(*arm),
                    number::percent(crossing.fraction)
                ),
                colour: study.colour(*arm),
            });
        }
        panels.push(panel);
    }
    let (name, caption) = caption(study, group, &loss, paired.then_some(&difference));
    let quantities = if paired { vec![loss, difference] } else { vec![loss] };
    let figure = PanelFigure {
        description: description(study, group),
        labels: Labels::Direct,
        ..PanelFigure::along(numbered("training-loss", index), Horizontal::linear("step"), panels)
    };
    let (table, csv) = (curves::table(&quantities), curves::csv(&quantities));
    FigureBlock::new(figure, name, caption, table, csv).into()
}

fn caption(
    study: &Study<'_>,
    group: &Group,
    loss: &Quantity<'_>,
    difference: Option<&Quantity<'_>>,
) -> (String, String) {
    let setting = group.suffix();
    let Some(difference) = difference else {
        return (
            format!("Training loss{setting}."),
            format!(
                "Lines are means, each point over one window of the run. {} The first {} of the \
                 run may lie above the frame.",
                words::intervals("Bands", loss.seeds(), "seed"),
                number::percent(curves::TRANSIENT)
            ),
        );
    };
    let crossings: Vec<String> = group
        .arms
        .iter()
        .filter_map(|arm| Some((*arm, study.comparison(*arm)?.crossing?)))
        .filter_map(|(arm, crossing)| {
            let step = |step: f64| number::count(step.max(0.0).round() as u64);
            let end = crossing.high.map_or("beyond the end".to_owned(), step);
            Some(format!("{} to {end} for {}", step(crossing.low?), study.label(arm)))
        })
        .collect();
    let crossed = group
        .arms
        .iter()
        .any(|arm| study.comparison(*arm).is_some_and(|comparison| comparison.crossing.is_some()));
    let marked = if crossed {
        let intervals = if crossings.is_empty() {
            String::new()
        } else {
            format!(" (95 % bootstrap interval: steps {})", crossings.join(", "))
        };
        format!(
            " Circles mark the step at which the mean difference turns from above to below zero \
             for good{intervals}."
        )
    } else {
        " No mean difference turns from significantly above to below zero and stays there."
            .to_owned()
    };
    (
        format!("Training loss{setting}, and what λ changes in it."),
        format!(
            "Look for the sign of the difference between runs of equal seed, below: above zero the \
             decay costs, under zero it gains.{marked} Lines are means, each point over one window \
             of the run. {} The first {} of the run may lie outside the frame.",
            words::intervals("Bands", difference.seeds(), "paired seed"),
            number::percent(curves::TRANSIENT)
        ),
    )
}

/// The figure in words, for those who do not see it.
fn description(study: &Study<'_>, group: &Group) -> String {
    let mut sentences = vec![
        "Training loss against step for each arm, with the paired difference to λ = 0 below."
            .to_owned(),
    ];
    for (arm, data) in study.arms(group) {
        let mut sentence = format!(
            "{}: final loss {}",
            study.label(arm),
            words::mean_interval(&data.final_train, 4)
        );
        if let Some(comparison) = study.comparison(arm) {
            sentence += &format!(
                ", difference {}",
                words::difference_interval(&comparison.final_train.interval)
            );
            if let Some(crossing) = comparison.crossing {
                sentence +=
                    &format!(", crossing at {} of the run", number::percent(crossing.fraction));
            }
        }
        sentences.push(sentence + ".");
    }
    sentences.join(" ")
}
