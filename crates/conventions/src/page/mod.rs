//! The page of an explanation: what follows from one setting, in words and curves.

mod curves;
mod memory;
mod number;
mod sections;

use crate::Explanation;
use wd_page::number::{count, percent, short};
use wd_page::{Context, Page, counted};

impl Explanation {
    /// The explanation as a page; the context's commands are those that make it again.
    ///
    /// # Example
    /// ```
    /// use wd_conventions::Setting;
    ///
    /// let setting = Setting::read(&["torch.AdamW", "weight_decay=0.1", "lr=1e-3", "steps=1000"])?;
    /// let page = setting.explain()?.page(&wd_page::Context::default());
    /// assert_eq!(page.title, "torch.AdamW, λ = 0.1");
    /// # Ok::<(), wd_conventions::ConventionError>(())
    /// ```
    pub fn page(&self, context: &Context) -> Page {
        let mut sections = self.sections();
        if let Some(curves) = curves::section(self) {
            // Behind the step: what it comes to over the run.
            sections.insert(1, curves);
            if let Some(memory) = memory::section(self) {
                sections.insert(2, memory);
            }
        }
        sections.extend(context.sections());
        Page {
            kind: "What this weight decay means",
            title: title(self),
            lead: lead(self),
            regime: self.run.schedule.map_or_else(String::new, |schedule| {
                format!("Learning rate: {}.", schedule.describe())
            }),
            facts: facts(self),
            sections,
        }
    }
}

fn title(explanation: &Explanation) -> String {
    format!("{}, λ = {}", explanation.name, short(explanation.lambda.value))
}

/// The one sentence that matters most.
fn lead(explanation: &Explanation) -> String {
    let timescale = explanation.timescale;
    let warnings = match explanation.warnings.len() {
        0 => String::new(),
        1 => " One thing to beware of.".to_owned(),
        several => format!(" {several} things to beware of."),
    };
    let sentence = match (timescale.initial_share, timescale.tau_fraction) {
        // Steps that take off more than twice the weight.
        (Some(share), _) if share.abs() > 1.0 => {
            "Each step takes more off the weights than twice what they are: they grow.".to_owned()
        }
        (Some(share), Some(tau)) if tau < 1.0 => format!(
            "It leaves {} of the initial weights, and remembers {} of the run.",
            match share.abs() {
                0.001.. => percent(share),
                _ => "less than 0.1 %".to_owned(),
            },
            percent(tau)
        ),
        (Some(share), _) => {
            let taken = match 1.0 - share {
                0.001.. => percent(1.0 - share),
                _ => "less than 0.1 %".to_owned(),
            };
            format!("It takes {taken} off the initial weights, and remembers the whole run.")
        }
        _ => match timescale.tau_steps {
            Some(steps) => {
                format!("It remembers {}.", counted(count(steps.round() as u64), "step"))
            }
            None => String::new(),
        },
    };
    format!("{sentence}{warnings}").trim().to_owned()
}

fn facts(explanation: &Explanation) -> Vec<(String, String)> {
    let run = &explanation.run;
    let mut facts = Vec::new();
    let mut fact = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            facts.push((name.to_owned(), value));
        }
    };
    fact("Peak LR", run.peak_learning_rate.map(|rate| short(rate.value)));
    fact("Steps", run.steps.map(count));
    fact("Parameters", run.parameters.map(count));
    fact("κ", explanation.timescale.kappa.map(short));
    fact("Tokens a parameter", explanation.tokens_per_parameter.map(short));
    facts
}
