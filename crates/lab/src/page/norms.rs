//! Point 4, second half: the weight norm that theory predicts, drawn over the measured one, role by
//! role.

use crate::RoleNorm;

use super::arrangement::{Group, Study};
use super::{csv_row, numbered};
use crate::wording::cell as words;
use wd_decay::Role;
use wd_page::figure::{Horizontal, Mark, Panel, PanelFigure, Point, Series, thinned};
use wd_page::{Content, Csv, Field, FigureBlock, Table, number};

/// A ratio of measured to predicted norm further from 1 than this is called a miss.
const TOLERANCE: f64 = 0.1;

/// Points of a prediction that are drawn, of one for every step.
const DRAWN: usize = 60;

/// The figure, the table of ratios, and where the theory misses.
pub(crate) fn contents(study: &Study<'_>, group: &Group, index: usize) -> Vec<Content> {
    // Kinds of matrices only for the first group: the page would grow by megabytes.
    let norms = Norms::new(study, group, index == 0);
    if norms.names.is_empty() {
        return Vec::new();
    }
    let misses = norms.misses();
    let figure = norms.figure(numbered("weight-norms", index), &misses);
    let block = FigureBlock::new(
        figure,
        format!("Weight norms, measured and predicted{}.", group.suffix()),
        norms.caption(),
        norms.ratios(),
        norms.csv(),
    );
    let mut contents = vec![block.into()];
    if !misses.is_empty() {
        contents.push(Content::Paragraph(misses));
    }
    contents
}

/// The weight norms of the arms of a group.
struct Norms<'a> {
    study: &'a Study<'a>,
    group: &'a Group,
    /// Roles, and kinds of their tensors, that were measured, in the order in which they first
    /// appear.
    names: Vec<String>,
}

/// Name of a role or of one kind of its tensors.
fn name(norm: &RoleNorm) -> String {
    match &norm.kind {
        Some(kind) => kind.trim_end_matches(".weight").to_owned(),
        None => match norm.role {
            Role::Matrix => "all matrices".to_owned(),
            Role::Convolution => "all convolutions".to_owned(),
            Role::ClassToken => "class token".to_owned(),
            Role::Norm => "norm gains".to_owned(),
            Role::Bias => "biases".to_owned(),
            role => role.to_string(),
        },
    }
}

impl<'a> Norms<'a> {
    fn new(study: &'a Study<'a>, group: &'a Group, with_kinds: bool) -> Self {
        let mut norms = Norms { study, group, names: Vec::new() };
        for norm in norms.all().filter(|norm| with_kinds || norm.kind.is_none()) {
            let name = name(norm);
            let is_measured = norm.measured.iter().any(|band| band.mean.is_finite());
            if is_measured && !norms.names.contains(&name) {
                norms.names.push(name);
            }
        }
        norms
    }

    /// The norms of every arm.
    fn all(&self) -> impl Iterator<Item = &'a RoleNorm> + use<'a> {
        let study = self.study;
        self.group.arms.iter().flat_map(move |arm| &study.analysis.arms[*arm].weight_rms_by_role)
    }

    /// What an arm has under a name.
    fn of_arm(&self, arm: usize, wanted: &str) -> Option<&'a RoleNorm> {
        let norms = &self.study.analysis.arms[arm].weight_rms_by_role;
        norms.iter().find(|norm| name(norm) == wanted)
    }

    /// Each arm that has something under a name.
    fn arms(&self, wanted: &str) -> Vec<(usize, &'a RoleNorm)> {
        let arms = self.group.arms.iter();
        arms.filter_map(|arm| Some((*arm, self.of_arm(*arm, wanted)?))).collect()
    }

    fn figure(&self, id: String, misses: &str) -> PanelFigure {
        let names = self.names.join(", ");
        PanelFigure {
            description: format!("Small multiples, one for each of: {names}. {misses}"),
            columns: 3,
            dashes: "predicted by the norm recursion".to_owned(),
            ..PanelFigure::along(
                id,
                Horizontal::linear("step"),
                self.names.iter().map(|name| self.panel(name)).collect(),
            )
        }
    }

    /// What was measured as lines, and over them the predictions as dashes.
    fn panel(&self, wanted: &str) -> Panel {
        let mut panel = Panel::new(wanted, 130.0);
        let arms = self.arms(wanted);
        for (arm, norm) in &arms {
            let points = norm.measured.iter().map(|band| band.point()).collect();
            let (label, colour) = (self.study.label(*arm), self.study.colour(*arm));
            panel.series.push(Series::new(label, colour, Mark::Line, points));
        }
        for (arm, norm) in arms.iter().filter(|(_, norm)| !norm.predicted.is_empty()) {
            let label = format!("{}, predicted", self.study.label(*arm));
            let colour = self.study.colour(*arm);
            panel.series.push(Series::new(&label, colour, Mark::Dashes, predicted(norm)));
        }
        panel
    }

    fn caption(&self) -> String {
        let seeds = self.all().flat_map(|norm| norm.measured.first()).map(|band| band.n);
        format!(
            "Root mean square of the weights over the run. Look at whether each dashed line lies \
             on the solid line of its colour: dashes are the norm recursion \
             ρ\u{a0}←\u{a0}(1\u{a0}−\u{a0}s)²ρ\u{a0}+\u{a0}η²D (D = 1 for Adam) with nothing \
             fitted, which assumes gradients that are mostly noise and coordinates that are all \
             updated at every step. {}",
            words::intervals("Bands", seeds, "seed"),
        )
    }

    fn csv(&self) -> Csv {
        let mut csv = Csv::new(&["tensors", "arm", "quantity", "step", "mean", "low", "high", "n"]);
        for wanted in &self.names {
            let arms = self.arms(wanted);
            let about = |arm: usize, quantity: &str, step: f64| -> [Field; 4] {
                [wanted.as_str().into(), self.study.label(arm).into(), quantity.into(), step.into()]
            };
            for (arm, norm) in &arms {
                for band in &norm.measured {
                    csv_row(&mut csv, &about(*arm, "measured", band.step), &band.interval());
                }
            }
            for (arm, norm) in &arms {
                for point in predicted(norm) {
                    let numbers = [point.y, f64::NAN, f64::NAN, f64::NAN].map(Into::into);
                    csv.row(&[about(*arm, "predicted", point.x), numbers].concat());
                }
            }
        }
        csv
    }

    fn ratios(&self) -> Table {
        let mut table = Table::new(&["measured / predicted at the end"], 1);
        let arms = &self.group.arms;
        table.columns.extend(arms.iter().map(|arm| self.study.label(*arm).to_owned()));
        for wanted in &self.names {
            let mut row = vec![wanted.clone()];
            row.extend(arms.iter().map(|arm| {
                let norm = self.of_arm(*arm, wanted);
                norm.map_or(String::new(), |norm| words::mean_interval(&norm.ratio, 3))
            }));
            table.rows.push(row);
        }
        table
    }

    /// The least and the largest ratio of the arms under a name; absent where none has one.
    fn range(&self, wanted: &str) -> Option<(f64, f64)> {
        let ratios = self.arms(wanted).into_iter().map(|(_, norm)| norm.ratio.mean);
        ratios.filter(|ratio| ratio.is_finite()).fold(None, |range, ratio| {
            let (low, high) = range.unwrap_or((ratio, ratio));
            Some((low.min(ratio), high.max(ratio)))
        })
    }

    /// Where the recursion holds and where it does not, in a sentence or two.
    fn misses(&self) -> String {
        let (mut held, mut missed) = (Vec::new(), Vec::new());
        for wanted in &self.names {
            let Some((low, high)) = self.range(wanted) else { continue };
            let holds = low >= 1.0 - TOLERANCE && high <= 1.0 + TOLERANCE;
            let (low, high) = (number::fixed(low, 2), number::fixed(high, 2));
            let range = if low == high { low } else { format!("{low} to {high}") };
            let told = format!("{wanted} ({range})");
            if holds { held.push(told) } else { missed.push(told) }
        }
        let (held_any, missed_any) = (!held.is_empty(), !missed.is_empty());
        let (held, missed) = (held.join(", "), missed.join(", "));
        match (held_any, missed_any) {
            (false, false) => String::new(),
            (true, false) => format!(
                "At the end of the run, measured over predicted norm is within 10 % of 1 for \
                 {held}."
            ),
            (false, true) => format!(
                "The recursion misses by more than 10 % everywhere: measured over predicted norm \
                 at the end is {missed}."
            ),
            (true, true) => format!(
                "Measured over predicted norm at the end is within 10 % of 1 for {held}. The \
                 theory misses for {missed}: it is expected to where gradients keep a direction, \
                 or where many coordinates are rarely updated."
            ),
        }
    }
}

/// The points of a prediction that are drawn.
fn predicted(norm: &RoleNorm) -> Vec<Point> {
    thinned(norm.predicted.iter().map(|(step, rms)| Point::at(*step, *rms)).collect(), DRAWN)
}
