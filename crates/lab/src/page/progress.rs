//! How far the runs are, and the training loss of those that still run.

use wd_page::figure::{Colour, Horizontal, Labels, PanelFigure, Reference};
use wd_page::{Content, FigureBlock, Section, Table, counted, number};

use super::curves::{self, Curve, Quantity};
use crate::progress::{ArmProgress, Progress, RunProgress, State};
use crate::wording::cell as words;

/// Lines that can be told apart.
const DRAWN: usize = 12;
/// Runs in the table.
const LISTED: usize = 30;

impl Progress {
    /// In one sentence.
    pub fn sentence(&self) -> String {
        let total = counted(number::count(self.runs.len() as u64), "run");
        let done = self.count(State::Finished) + self.count(State::Diverged);
        if self.left() == 0 {
            return match self.count(State::Diverged) {
                0 => format!("All {total} have finished."),
                diverged => format!("All {total} have ended, {diverged} of them by diverging."),
            };
        }
        let mut parts = vec![format!("{done} of {total} have ended")];
        let states = [State::Running, State::Interrupted, State::Waiting];
        parts.extend(states.into_iter().filter(|state| self.count(*state) > 0).map(|state| {
            let verb = match (state, self.count(state)) {
                (State::Waiting, 1) => "waits",
                (State::Waiting, _) => "wait",
                (_, 1) => "is",
                _ => "are",
            };
            match state {
                State::Waiting => format!("{} {verb}", self.count(state)),
                _ => format!("{} {verb} {}", self.count(state), state.word()),
            }
        }));
        let left = self.seconds_left.map_or_else(String::new, |seconds| {
            format!("; about {} left at this speed", number::duration(seconds.max(1.0).round()))
        });
        format!("{}{left}.", parts.join(", "))
    }

    /// The section; none where every run has its result.
    pub fn section(&self) -> Option<Section> {
        if self.left() == 0 {
            return None;
        }
        let mut contents = vec![Content::Paragraph(self.sentence())];
        contents.extend(figure(&self.arms));
        let mut open: Vec<&RunProgress> =
            self.runs.iter().filter(|run| run.state != State::Finished).collect();
        open.sort_by_key(|run| run.state);
        let (first, rest) = open.split_at(open.len().min(LISTED));
        contents.push(Content::Table(table(first)));
        if !rest.is_empty() {
            let summary = format!("{} more", counted(number::count(rest.len() as u64), "run"));
            contents.push(Content::More(summary, vec![Content::Table(table(rest))]));
        }
        Some(Section::new("progress", "How far the runs are", contents).named("Progress"))
    }
}

fn table(runs: &[&RunProgress]) -> Table {
    let mut table =
        Table::new(&["run", "state", "why", "step", "of", "training loss", "time left"], 3);
    for run in runs {
        let missing = || number::MISSING.to_owned();
        table.rows.push(vec![
            run.name.clone(),
            run.state.word().to_owned(),
            run.reason.lines().next().unwrap_or_default().to_owned(),
            number::count(run.step),
            run.steps.map_or_else(missing, number::count),
            run.loss.map_or_else(missing, |loss| number::fixed(loss, 4)),
            run.seconds_left
                .map_or_else(missing, |seconds| number::duration(seconds.max(1.0).round())),
        ]);
    }
    if table.rows.iter().all(|row| row[2].is_empty()) {
        table.columns.remove(2);
        table.words = 2;
        table.rows.iter_mut().for_each(|row| drop(row.remove(2)));
    }
    table
}

/// The training loss of the arms under way, and its difference to λ = 0.
fn figure(arms: &[ArmProgress]) -> Option<Content> {
    let arms = &arms[..arms.len().min(DRAWN)];
    let lambdas: Vec<f64> = arms.iter().map(|arm| arm.lambda).collect();
    let mut distinct = lambdas.clone();
    distinct.dedup();
    let colours = match distinct.len() == arms.len() {
        true => Colour::by_lambda(&lambdas),
        false => Colour::sequence(arms.len()),
    };
    let unit = &arms.first()?.loss_unit;
    let quantity = |title: String, key, of: fn(&ArmProgress) -> &[crate::Band]| Quantity {
        title,
        key,
        curves: arms
            .iter()
            .zip(&colours)
            .map(|(arm, colour)| Curve { label: &arm.label, colour: *colour, bands: of(arm) })
            .collect(),
    };
    let loss = quantity(format!("Training loss ({unit})"), "training_loss", |arm| &arm.train_loss);
    if loss.is_empty() {
        return None;
    }
    let mut panels = vec![loss.panel(230.0, &[])];
    let difference = quantity(
        format!("Difference to λ = 0, paired by seed ({unit})"),
        "paired_difference",
        |arm| &arm.difference,
    );
    let mut quantities = vec![loss];
    if !difference.is_empty() {
        let mut panel = difference.panel(190.0, &[0.0]);
        panel.references.push(Reference { y: 0.0, label: String::new(), dotted: false });
        panels.push(panel);
        quantities.push(difference);
    }
    let caption = format!(
        "Each point is over one window of the run and the seeds that came that far, those still \
         running among them: the last points of a line may rest on fewer seeds than the others. {}",
        words::intervals("Bands", quantities[0].seeds(), "seed")
    );
    let told = arms.iter().filter_map(|arm| {
        let last = arm.train_loss.last()?;
        let (label, step) = (&arm.label, number::count(last.step.max(0.0).round() as u64));
        Some(format!("{label}: {} at step {step}.", number::fixed(last.mean, 4)))
    });
    let figure = PanelFigure {
        description: told.collect::<Vec<_>>().join(" "),
        labels: Labels::Direct,
        ..PanelFigure::along("so-far", Horizontal::linear("step"), panels)
    };
    let (table, csv) = (curves::table(&quantities), curves::csv(&quantities));
    let name = "Training loss so far.".to_owned();
    Some(FigureBlock::new(figure, name, caption, table, csv).into())
}
