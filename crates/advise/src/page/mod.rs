//! The page of an advice: which λ the laws give for a run, and why.

mod answer;
mod figure;
mod laws;
mod recipes;
mod run;
mod scaling;

use crate::words::{lambda, range};
use crate::{Advice, AdviceReport, Verdict};

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
        let mut sections = vec![run::section(&advice.run), answer::section(self)];
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
                "{who}, within {}, for decoupled decay as in torch.optim.AdamW",
                range(*common)
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
        Verdict::NotCovered { why, .. } => why.first().cloned().unwrap_or_default(),
    }
}
