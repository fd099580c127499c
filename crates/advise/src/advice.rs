//! What the laws say together.

use serde::Serialize;
use wd_decay::ScheduleKind;

use crate::recipes::{self, Departure, RecipeComparison};
use crate::scaling::{self, ScalingTable};
use crate::words::{coarse, short};
use crate::{Answer, Doubt, IndependentRecord, LawAnswer, PlannedRun, Verdict, laws};

/// Values of λ to train with, as an axis of `wd sweep`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sweep {
    /// The axis, for example `decay.lambda=log(0.1..1.6,5)`.
    pub axis: String,
    /// The smallest value.
    pub low: f64,
    /// The largest value.
    pub high: f64,
    /// How many there are.
    pub count: usize,
}

impl Sweep {
    /// The values, from the smallest to the largest in equal ratios.
    pub fn values(&self) -> Vec<f64> {
        let ratio = self.high / self.low;
        let share = |step: usize| step as f64 / (self.count - 1) as f64;
        (0..self.count).map(|step| coarse(self.low * ratio.powf(share(step)))).collect()
    }
}

/// The whole answer about a run.
#[derive(Debug, Clone, Serialize)]
pub struct Advice {
    /// The run.
    pub run: PlannedRun,
    /// Numbers of it that are surely meant otherwise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<Doubt>,
    /// Every law, in the order of [`laws::ALL`].
    pub laws: Vec<LawAnswer>,
    /// What they say together.
    pub verdict: Verdict,
    /// What an independent record says of Power Lines' number; absent where the law gives none.
    pub record: Option<IndependentRecord>,
    /// The sweep that checks or settles it; absent where neither a law nor a recipe is near the run.
    pub sweep: Option<Sweep>,
    /// λ at other batches, budgets, models and widths.
    #[serde(rename = "elsewhere")]
    pub scaling: Vec<ScalingTable>,
    /// The public recipes nearest to this run.
    pub recipes: Vec<RecipeComparison>,
}

/// Asks every law about a run.
pub fn advise(run: &PlannedRun) -> Advice {
    let answers: Vec<LawAnswer> =
        laws::ALL.iter().map(|law| LawAnswer { law: *law, answer: (law.answer)(run) }).collect();
    let verdict = Verdict::of(&answers);
    let recipes = recipes::nearest(run, 3);
    Advice {
        run: run.clone(),
        doubts: run.doubts(),
        record: IndependentRecord::of(run, &answers),
        sweep: sweep(run, &answers, &verdict, &recipes),
        scaling: scaling::tables(run, &answers, &verdict),
        recipes,
        laws: answers,
        verdict,
    }
}

impl Advice {
    /// How far a recommendation that rests on one law lies from the nearest recipes of the same
    /// optimizer, where it is far from all of them.
    pub fn far_from_recipes(&self) -> Option<Departure> {
        let Verdict::Recommended { lambda, laws, .. } = &self.verdict else { return None };
        let alike = |one: &&RecipeComparison| one.recipe.optimizer == self.run.optimizer;
        let rests_on_one = laws.len() == 1;
        rests_on_one.then(|| Departure::of(*lambda, self.recipes.iter().filter(alike)))?
    }

    /// The name of a law in sentences.
    pub(crate) fn name_of(&self, id: &str) -> String {
        let found = self.laws.iter().find(|one| one.law.id == id);
        found.map_or(id, |one| one.law.name).to_owned()
    }
}

fn sweep(
    run: &PlannedRun,
    answers: &[LawAnswer],
    verdict: &Verdict,
    recipes: &[RecipeComparison],
) -> Option<Sweep> {
    let (low, high) = match verdict {
        // One step of a factor of two either side tells whether the recommendation is at an
        // optimum.
        Verdict::Recommended { lambda, range, .. } => {
            ((0.5 * lambda).min(range.low), (2.0 * lambda).max(range.high))
        }
        Verdict::Disagreement { positions, .. } => (
            positions.iter().map(|position| position.lambda).fold(f64::INFINITY, f64::min),
            positions.iter().map(|position| position.lambda).fold(0.0, f64::max),
        ),
        // Laws and recipes are of training from random weights, at rates that fall.
        Verdict::NotCovered { .. }
            if run.fine_tuning || run.schedule == Some(ScheduleKind::Constant) =>
        {
            return None;
        }
        // What others used for such a run is nearer than the number of a law that does not apply;
        // without it, a law that the run leaves in a single respect is near enough.
        Verdict::NotCovered { .. } => {
            let alike = recipes.iter().filter(|one| one.recipe.optimizer == run.optimizer);
            let mut numbers: Vec<f64> = alike.map(|one| one.lambda).collect();
            if numbers.is_empty() {
                numbers.extend(answers.iter().filter_map(|one| match &one.answer {
                    Answer::OutsideRange { why, lambda } if why.len() == 1 => *lambda,
                    _ => None,
                }));
            }
            let low = numbers.iter().copied().reduce(f64::min)?;
            (0.5 * low, 2.0 * numbers.into_iter().fold(low, f64::max))
        }
    };
    let (low, high) = (coarse(low), coarse(high));
    // Steps of about two, as λ is tuned, and no more runs than a person would start unasked.
    let count = ((high / low).log2().round() as usize + 1).clamp(3, 7);
    Some(Sweep {
        axis: format!("decay.lambda=log({}..{},{count})", short(low), short(high)),
        low,
        high,
        count,
    })
}
