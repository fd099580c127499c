//! Where a declared λ stands: what laws and recipes give for its very run.

use serde::Serialize;
use wd_conventions::{ConventionError, DeclaredDecay, Explanation};
use wd_decay::{DecayRule, OptimizerKind, Unit};
use wd_page::number::{self, short};
use wd_page::{Content, Context, Page, Section, Table};

use crate::words::{coarse, lambda};
use crate::{Advice, PlannedRun, Recipe, Verdict, advise};

/// A factor below which two λ are one: λ is tuned in steps of two.
const SAME: f64 = 1.5;

/// An explanation, and where its λ stands among what the laws give for its run.
///
/// # Example
/// ```
/// use wd_advise::Explained;
/// use wd_conventions::{DeclaredDecay, Setting};
///
/// let words = ["torch.AdamW", "weight_decay=0.05", "lr=1e-3", "schedule=cosine", "epochs=300",
///     "batch=1024img", "data=126689img"];
/// let explained = Explained::of(&DeclaredDecay::from(&Setting::read(&words)?))?;
/// let standing = explained.standing.unwrap();
/// assert!((standing.below().unwrap() - 3.6).abs() < 0.1);
/// # Ok::<(), wd_conventions::ConventionError>(())
/// ```
#[derive(Debug, Clone, Serialize)]
pub struct Explained {
    /// What follows from the setting.
    #[serde(flatten)]
    pub explanation: Explanation,
    /// Where its λ stands; absent where the run is not known well enough to ask a law, and where no
    /// part of the weights is taken off that a law could speak of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
}

/// A λ among what laws and recipes give for its run.
#[derive(Debug, Clone, Serialize)]
pub struct Standing {
    /// λ of the same peak shrink under decoupled decay, as the laws write it.
    pub lambda: f64,
    /// What that λ is multiplied by to be the number of its own library.
    pub factor: f64,
    /// What the library calls that number.
    #[serde(skip)]
    pub name: String,
    /// What the laws and recipes say of the run.
    pub advice: Advice,
}

impl Explained {
    /// Explains a declared decay, and asks the laws about its run.
    ///
    /// # Errors
    /// More steps than a trajectory can be computed for.
    pub fn of(decay: &DeclaredDecay) -> Result<Self, ConventionError> {
        Ok(Explained { explanation: Explanation::of(decay)?, standing: Standing::of(decay) })
    }

    /// The page of the explanation, with where λ stands in it.
    pub fn page(&self, context: &Context) -> Page {
        let mut page = self.explanation.page(context);
        if let Some(standing) = &self.standing {
            page.lead = [standing.sentence().unwrap_or_default(), page.lead].join(" ");
            page.lead = page.lead.trim().to_owned();
            // Behind what λ does in the run, before what it does to norms.
            let place = page.sections.iter().position(|section| section.id == "run");
            page.sections.insert(place.map_or(0, |place| place + 1), standing.section());
        }
        page
    }
}

impl Standing {
    fn of(decay: &DeclaredDecay) -> Option<Self> {
        let rate = decay.peak_learning_rate().filter(|rate| *rate > 0.0)?;
        let own = decay.peak_shrink().filter(|shrink| *shrink > 0.0)? / rate;
        // Examples of no known kind are nothing that a law is about.
        if !matches!(decay.run.unit, Unit::Token | Unit::Image) {
            return None;
        }
        let optimizer = match (decay.optimizer?, decay.rule()?) {
            // Adam with decoupled decay is AdamW, whatever its library calls it.
            (OptimizerKind::Adam, rule) if rule != DecayRule::CoupledL2 => OptimizerKind::Adamw,
            (kind, _) => kind,
        };
        let planned = PlannedRun { optimizer, ..PlannedRun::new(&decay.run).ok()? };
        let advice = advise(&planned.checked().ok()?);
        let name = format!("{} of {}", decay.lambda_name, decay.name);
        Some(Standing { lambda: own, factor: decay.lambda.value / own, name, advice })
    }

    /// How many times this λ lies below what the laws recommend; below 1 it lies above. None where
    /// there is no recommendation.
    pub fn below(&self) -> Option<f64> {
        match &self.advice.verdict {
            Verdict::Recommended { lambda, .. } => Some(lambda / self.lambda),
            Verdict::Disagreement { .. } | Verdict::NotCovered { .. } => None,
        }
    }

    /// Where λ stands, in a sentence; none where the laws recommend nothing.
    fn sentence(&self) -> Option<String> {
        let Verdict::Recommended { range: within, laws, .. } = &self.advice.verdict else {
            return None;
        };
        let names: Vec<String> = laws.iter().map(|id| self.advice.name_of(id)).collect();
        let (says, in_words) = match names.as_slice() {
            [one] => (one.clone(), "gives"),
            several => (several.join(" and "), "give"),
        };
        let stands = match self.lambda {
            own if own < within.low => format!("{} below", times(within.low / own)),
            own if own > within.high => format!("{} above", times(own / within.high)),
            _ => "within".to_owned(),
        };
        let own = self.own_numbers(within.low, within.high);
        let recipes = self.advice.far_from_recipes();
        let recipes =
            recipes.map_or_else(String::new, |recipes| format!("; {}", recipes.words(self.factor)));
        Some(format!("For this run {says} {in_words} {own}: this λ lies {stands} that{recipes}."))
    }

    /// Two λ of the laws as the setting's own library writes them.
    fn own_numbers(&self, low: f64, high: f64) -> String {
        format!("{} to {}", lambda(self.factor * low), lambda(self.factor * high))
    }

    fn section(&self) -> Section {
        let unit = self.factor;
        let own = short(number::rounded(unit * self.lambda));
        let mut table = Table::new(&["given by", "λ", "range", "how"], 1);
        let mut row = |name: &str, value: String, range: String, how: String| {
            table.rows.push(vec![name.to_owned(), value, range, how]);
        };
        row("this setting", own, String::new(), String::new());
        for one in &self.advice.laws {
            if let Some((value, within)) = one.answer.applies() {
                let within = self.own_numbers(within.low, within.high);
                row(one.law.name, lambda(unit * value), within, "law".to_owned());
            }
        }
        for one in &self.advice.recipes {
            let Recipe { name, optimizer, peak_learning_rate, .. } = &one.recipe;
            let how = format!("{} at {}", optimizer.title(), short(*peak_learning_rate));
            row(name, short(coarse(unit * one.lambda)), String::new(), how);
        }
        let mut contents = vec![Content::Table(table)];
        match &self.advice.verdict {
            Verdict::Recommended { .. } => {}
            Verdict::Disagreement { factor, .. } => contents.push(Content::Paragraph(format!(
                "The laws that apply disagree, by a factor of {}.",
                lambda(*factor)
            ))),
            Verdict::NotCovered { why, needs } => contents.push(Content::Paragraph(match why
                .first()
            {
                _ if !needs.is_empty() => format!(
                    "No law covers this run with what is given; `wd advise` says more with --{}.",
                    needs.join(", --")
                ),
                Some(reason) => format!("No law covers this run: {reason}."),
                None => "No law covers this run.".to_owned(),
            })),
        }
        let name = &self.name;
        contents.push(Content::Paragraph(match (unit - 1.0).abs() < 1e-9 {
            true => "`wd advise` says why each law applies or does not, and gives λ at other \
                     scales."
                .to_owned(),
            false => format!(
                "Every number is {name}, which is {} times λ of decoupled decay as in \
                 torch.optim.AdamW. `wd advise` says why each law applies or does not.",
                short(number::rounded(unit))
            ),
        }));
        Section::new("standing", "Where this λ stands", contents).named("Laws and recipes")
    }
}

/// `2.6 times`; a factor that no tuning would see is none.
fn times(factor: f64) -> String {
    match factor {
        ..SAME => "just".to_owned(),
        _ => format!("{} times", lambda(factor)),
    }
}
