//! Many passes over few images against one pass over as many samples.

use crate::vision::analysis::{Regime, VisionAnalysis};
use wd_lab::page::mean_point;

use wd_page::figure::{Colour, Mark, Panel, PanelFigure, Reference, Series};
use wd_page::{Content, FigureBlock, Section, number};

pub(super) fn section(analysis: &VisionAnalysis) -> Section {
    let contents = if analysis.regimes.is_empty() {
        vec![Content::Absent(
            "Left out: this study has no runs of one pass beside runs of many.".to_owned(),
        )]
    } else {
        let mut contents = vec![figures(analysis)];
        for regime in &analysis.regimes {
            let verdict = &regime.analysis.verdict;
            contents.push(Content::Heading(label(regime)));
            contents.push(Content::Paragraph(verdict.headline.clone()));
            contents
                .extend(verdict.lines.first().map(|line| Content::Paragraph(line.finding.clone())));
        }
        contents
    };
    Section::full("regimes", "Prior or force: many passes against one", contents)
        .named("Prior or force")
}

fn figures(analysis: &VisionAnalysis) -> Content {
    let mut gap = Panel::new("Change of test − training loss against λ = 0", 220.0);
    let mut training = Panel::new("Change of the final training loss against λ = 0", 220.0);
    let colours = Colour::sequence(analysis.regimes.len());
    for (regime, colour) in analysis.regimes.iter().zip(colours) {
        let label = label(regime);
        let arms = &regime.analysis.arms;
        let along = |of: fn(&wd_lab::Comparison) -> wd_statistics::Interval| {
            let mut points: Vec<_> = regime
                .analysis
                .comparisons
                .iter()
                .filter(|comparison| comparison.kind == wd_lab::ComparisonKind::SameSettings)
                .map(|comparison| mean_point(arms[comparison.arm].lambda, of(comparison)))
                .collect();
            points.sort_by(|a, b| a.x.total_cmp(&b.x));
            points
        };
        gap.series.push(Series::new(
            &label,
            colour,
            Mark::Line,
            along(|comparison| comparison.gap.interval),
        ));
        training.series.push(Series::new(
            &label,
            colour,
            Mark::Line,
            along(|comparison| comparison.final_train.interval),
        ));
    }
    for panel in [&mut gap, &mut training] {
        panel.references.push(Reference { y: 0.0, label: String::new(), dotted: false });
    }
    FigureBlock::of_panels(
        PanelFigure::over("regimes", "λ", vec![gap, training], 2),
        "The generalisation gap and the training loss over λ, many passes against one.",
        "As a prior λ narrows the gap; as a force it leaves the gap and moves the training loss. \
         Both are changes against λ = 0 on the same seeds, with 95 % intervals; every run saw the \
         same number of samples.",
        number::measured,
    )
    .into()
}

fn label(regime: &Regime) -> String {
    let passes = number::short(number::rounded(regime.epochs));
    format!(
        "{}, {}, {passes} × {} images",
        regime.model,
        regime.optimizer,
        number::count(regime.images)
    )
}
