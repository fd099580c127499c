//! The page of an advice: which λ the laws give for a run, and why.

mod answer;
mod figure;
mod laws;
mod recipes;
mod run;
mod scaling;

use crate::words::{lambda, range};
use crate::{Advice, AdviceReport, Answer, Verdict};

use wd_decay::OptimizerKind;
use wd_page::{Content, Context, Page, Section};

impl AdviceReport {
    /// The advice as a page; the context's commands make it again.
    ///
    /// # Example
    /// ```
    /// use wd_advise::{AdviceReport, PlannedRun, advise};
    /// use wd_decay::{Run, Unit};
    ///
    /// let run = Run { total: Some(10e9), unit: Unit::Token, ..Run::default() };
    /// let report = AdviceReport::new(advise(&PlannedRun::new(&run)?.checked()?));
    /// assert_eq!(report.page(&wd_page::Context::default()).title, "No law covers this run");
    /// # Ok::<(), wd_advise::AdviseError>(())
    /// ```
    pub fn page(&self, context: &Context) -> Page {
        let advice = &self.advice;
        let mut sections = vec![run::section(&advice.run, &advice.doubts), answer::section(self)];
        sections.extend([laws::on_a_terminal(advice), laws::in_a_file(advice)]);
        sections.extend(record(advice));
        sections.extend(scaling::section(advice));
        sections.extend(figure::section(advice));
        sections.extend([recipes::on_a_terminal(advice), recipes::in_a_file(advice)]);
        let commands: Vec<String> =
            self.sweep_command().into_iter().chain(context.commands.iter().cloned()).collect();
        if !commands.is_empty() {
            let commands = vec![Content::Commands(commands)];
            let heading = "Settle it, and remake this page";
            sections.push(Section::full("commands", heading, commands).named("Commands"));
        }
        Page {
            kind: "Which weight decay the laws give",
            title: title(&advice.verdict),
            lead: lead(advice),
            regime: run::regime(&advice.run),
            facts: run::facts(&advice.run),
            sections,
        }
    }
}

/// What an independent record says of the law; absent where that gives no number.
fn record(advice: &Advice) -> Option<Section> {
    let sentences = advice.record.as_ref()?.sentences();
    let contents = sentences.into_iter().map(Content::Paragraph).collect();
    Some(Section::new("record", "How far to trust Power Lines", contents).named("Trust"))
}

fn title(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Recommended { lambda: value, .. } => format!("λ = {}", lambda(*value)),
        Verdict::Disagreement { .. } => "The laws disagree".to_owned(),
        Verdict::NotCovered { .. } => "No law covers this run".to_owned(),
    }
}

fn lead(advice: &Advice) -> String {
    match &advice.verdict {
        Verdict::Recommended { range: common, laws, .. } => {
            let names: Vec<String> = laws.iter().map(|id| advice.name_of(id)).collect();
            let who = match names.as_slice() {
                [one] => format!("{one} alone applies"),
                names => format!("{} agree", names.join(" and ")),
            };
            let said = format!(
                "{who}, within {}, for decay as in {}",
                range(*common),
                match advice.run.optimizer {
                    OptimizerKind::Muon => "torch.optim.Muon",
                    _ => "torch.optim.AdamW, which is decoupled",
                }
            );
            match advice.far_from_recipes() {
                Some(recipes) => format!("{said}; but {}.", recipes.words(1.0)),
                None => format!("{said}."),
            }
        }
        Verdict::Disagreement { positions, factor } => {
            let each: Vec<String> = positions
                .iter()
                .map(|position| {
                    format!("{} {}", advice.name_of(position.law), lambda(position.lambda))
                })
                .collect();
            format!("They differ by a factor of {}: {}.", lambda(*factor), each.join(", "))
        }
        Verdict::NotCovered { why, .. } => not_covered(advice, why.first()),
    }
}

/// Why no law gives a number: first that the learning rate is lacking, then what comes nearest.
fn not_covered(advice: &Advice, nearest: Option<&String>) -> String {
    let waiting = match advice.run.peak_learning_rate {
        Some(_) => None,
        None => waiting_for_the_rate(advice),
    };
    match (waiting, nearest) {
        (Some((laws, needs)), _) => format!(
            "Without --lr no law gives a number for this run; with --{} {} would say more.",
            needs.join(" and --"),
            laws.join(" and ")
        ),
        (None, Some(reason)) => format!("No law covers this run: {reason}."),
        (None, None) => "No law covers this run with what is given.".to_owned(),
    }
}

/// The laws that lack the peak learning rate and as little else as possible, and what they lack.
fn waiting_for_the_rate(advice: &Advice) -> Option<(Vec<&str>, &Vec<String>)> {
    let waiting = advice.laws.iter().filter_map(|one| match &one.answer {
        Answer::Needs { what } if what.iter().any(|input| input == "lr") => {
            Some((one.law.name, what))
        }
        _ => None,
    });
    let waiting: Vec<(&str, &Vec<String>)> = waiting.collect();
    let needs = waiting.iter().map(|(_, what)| *what).min_by_key(|what| what.len())?;
    let nearest = waiting.iter().filter(|(_, what)| *what == needs);
    Some((nearest.map(|(name, _)| *name).collect(), needs))
}
