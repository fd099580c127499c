//! The page of an advice: which λ the laws give for a run, and why.

mod figure;

use crate::{Advice, Answer, Judged, PlannedRun, Verdict};

use wd_page::number;
use wd_page::{Content, Context, Page, Section, Table};

impl Advice {
    /// The advice as a page; the context's commands check or settle it, and make the page again.
    ///
    /// # Example
    /// ```
    /// use wd_advise::{Circumstances, PlannedRun, advise};
    ///
    /// let mut declared = wd_conventions::RunDeclaration::default();
    /// declared.set("tokens", "10B")?;
    /// let run = PlannedRun::new(&declared.resolve()?, Circumstances::default())?;
    /// let page = advise(&run).page(&wd_page::Context::default());
    /// assert_eq!(page.title, "No law covers this run");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn page(&self, context: &Context) -> Page {
        let mut sections = vec![laws(self)];
        sections.extend(figure::section(self));
        sections.push(recipes(self));
        if !context.commands.is_empty() {
            let commands = vec![Content::Commands(context.commands.clone())];
            sections.push(
                Section::full("commands", "Settle it, and remake this page", commands)
                    .named("Commands"),
            );
        }
        Page {
            kind: "Which weight decay the laws give",
            title: title(&self.verdict),
            lead: lead(self),
            regime: regime(&self.run),
            facts: facts(&self.run),
            sections,
        }
    }
}

/// λ with two significant digits: as fine as it is ever tuned.
fn lambda(value: f64) -> String {
    number::short(format!("{value:.1e}").parse().unwrap_or(value))
}

fn between(range: crate::Range) -> String {
    format!("{} to {}", lambda(range.low), lambda(range.high))
}

fn title(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Recommended { lambda: value, .. } => format!("λ = {}", lambda(*value)),
        Verdict::Disagreement { .. } => "The laws disagree".to_owned(),
        Verdict::NotCovered { .. } => "No law covers this run".to_owned(),
    }
}

fn lead(advice: &Advice) -> String {
    let name = |id: &str| {
        let judged = advice.laws.iter().find(|judged| judged.law.id == id);
        judged.map_or(id.to_owned(), |judged| judged.law.name.to_owned())
    };
    match &advice.verdict {
        Verdict::Recommended { range, laws, .. } => {
            let names: Vec<String> = laws.iter().map(|id| name(id)).collect();
            let who = match names.as_slice() {
                [one] => format!("{one} alone applies"),
                names => format!("{} agree", names.join(" and ")),
            };
            format!(
                "{who}, within {}, for decoupled decay as in torch.optim.AdamW.",
                between(*range)
            )
        }
        Verdict::Disagreement { positions, factor } => {
            let each: Vec<String> = positions
                .iter()
                .map(|position| format!("{} {}", name(position.law), lambda(position.lambda)))
                .collect();
            format!("They differ by a factor of {}: {}.", lambda(*factor), each.join(", "))
        }
        Verdict::NotCovered { why, .. } => why.first().cloned().unwrap_or_default(),
    }
}

fn regime(run: &PlannedRun) -> String {
    let schedule = match (run.schedule, run.floor) {
        (None, _) => "a schedule that was not given".to_owned(),
        (Some(kind), _) if run.is_constant() && kind != wd_decay::ScheduleKind::Constant => {
            "a constant rate".to_owned()
        }
        (Some(kind), 0.0) => format!("{kind} schedule"),
        (Some(kind), floor) => format!("{kind} schedule to {}", number::percent(floor)),
    };
    format!("{}, {schedule}.", run.optimizer.title())
}

fn facts(run: &PlannedRun) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut fact = |name: &str, value: Option<f64>| {
        if let Some(value) = value {
            let text = match value {
                1e6.. => wd_conventions::Quantity::new(value, None).to_string(),
                _ => number::short(number::rounded(value)),
            };
            facts.push((name.to_owned(), text));
        }
    };
    fact("Parameters", run.parameters);
    fact(run.unit.words(), Some(run.total));
    fact("Passes", Some(run.epochs));
    fact("Batch", run.batch);
    fact("Steps", run.steps());
    fact("Peak LR", run.peak_learning_rate);
    fact("Tokens a parameter", run.tokens_per_parameter());
    facts
}

fn laws(advice: &Advice) -> Section {
    let mut table = Table::new(&["law", "answer", "λ", "range"], 2);
    let mut reasons = Vec::new();
    for Judged { law, answer } in &advice.laws {
        let (status, value, range, why) = match answer {
            Answer::Applies { lambda: value, range, working, caveats } => (
                "applies",
                lambda(*value),
                between(*range),
                std::iter::once(working).chain(caveats).cloned().collect(),
            ),
            Answer::OutsideRange { why, lambda: value } => (
                "outside its range",
                value.map_or(String::new(), |value| format!("({})", lambda(value))),
                String::new(),
                why.clone(),
            ),
            Answer::Needs { what } => (
                "needs more",
                String::new(),
                String::new(),
                vec![format!("missing: --{}", what.join(", --"))],
            ),
            Answer::Instead { what, how } => {
                ("acts otherwise", String::new(), String::new(), vec![what.clone(), how.clone()])
            }
        };
        table.rows.push(vec![law.name.to_owned(), status.to_owned(), value, range]);
        reasons.push(Content::Heading(law.name.to_owned()));
        reasons.extend(why.into_iter().map(|reason| Content::Paragraph(format!("{reason}."))));
        reasons.push(Content::Facts(vec![
            ("Formula".to_owned(), law.formula.to_owned()),
            ("Established for".to_owned(), law.established.to_owned()),
            ("Source".to_owned(), law.source.to_owned()),
        ]));
    }
    Section::full(
        "laws",
        "What each law says",
        vec![
            Content::Table(table),
            Content::More("Why, and where each law comes from".to_owned(), reasons),
        ],
    )
    .named("Laws")
}

fn recipes(advice: &Advice) -> Section {
    let mut table = Table::new(
        &[
            "recipe",
            "optimizer",
            "schedule",
            "peak η",
            "λ",
            "λ by the law",
            "τ/τ_law",
            "law",
            "mark",
        ],
        3,
    );
    for standing in &advice.recipes {
        let recipe = &standing.recipe;
        table.rows.push(vec![
            recipe.name.to_owned(),
            recipe.optimizer.title().to_owned(),
            recipe.schedule_words.to_owned(),
            number::short(recipe.peak_learning_rate),
            number::short(standing.lambda),
            lambda(standing.law_lambda),
            lambda(standing.ratio),
            if standing.applies { "applies" } else { "outside" }.to_owned(),
            recipe.mark.letter().to_owned(),
        ]);
    }
    Section::full("recipes", "The nearest public recipes", vec![
            Content::Table(table),
            Content::Paragraph(
                "τ/τ_law above 1: the recipe decays less than the law would have it. P: configuration or code read; S: a \
                 note that quotes the paper."
                    .to_owned(),
            ),
        ]).named("Recipes")
}
