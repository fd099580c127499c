//! Public recipes, and where they stand against the laws.
//!
//! Only recipes whose numbers were read in the configuration, code or model card (mark P) or in a note that quotes
//! them (mark S) are here; what was remembered is not.

mod language;
mod page;
mod vision;

pub use page::page;

use serde::Serialize;
use wd_decay::{DecayRule, ScheduleKind, Unit};

use crate::laws::{normalized_decay, power_lines};
use crate::{Optimizer, PlannedRun};

/// How well the numbers of a recipe are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Mark {
    /// The configuration, the code or the authors' model card was read.
    P,
    /// A secondary note quotes the paper.
    S,
}

impl Mark {
    /// The letter.
    pub const fn letter(self) -> &'static str {
        match self {
            Mark::P => "P",
            Mark::S => "S",
        }
    }
}

/// A public recipe.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Recipe {
    /// The model.
    pub name: &'static str,
    /// How well its numbers are known.
    pub mark: Mark,
    /// Where they were read.
    pub source: &'static str,
    /// What trains the matrices.
    pub optimizer: Optimizer,
    /// Peak learning rate η.
    pub peak_learning_rate: f64,
    /// Shape of the schedule, as near as this program has one; absent where it has none.
    pub schedule: Option<ScheduleKind>,
    /// The schedule in words.
    pub schedule_words: &'static str,
    /// Where it ends, a fraction of its peak.
    pub floor: f64,
    /// λ as the recipe writes it.
    pub lambda: f64,
    /// The rule that λ belongs to.
    pub rule: DecayRule,
    /// What amounts of data are counted in.
    pub unit: Unit,
    /// Parameters, as the model is named where the source says nothing more exact; absent for images.
    pub parameters: Option<f64>,
    /// Data points a step (the largest, where it grows).
    pub batch: f64,
    /// Data points processed in all.
    pub total: f64,
    /// Distinct data points.
    pub data_points: f64,
}

impl Recipe {
    /// λ of the same peak shrink under `decoupled` decay.
    ///
    /// Coupled L2 is taken as SGD applies it without momentum: g ← g + λw shrinks by ηλ.
    pub fn decoupled_lambda(&self) -> f64 {
        let rate = self.peak_learning_rate;
        match self.rule {
            DecayRule::Decoupled | DecayRule::Corrected | DecayRule::CoupledL2 => self.lambda,
            DecayRule::Independent | DecayRule::Constant => self.lambda / rate,
            DecayRule::SquaredLearningRate => self.lambda * rate,
            // No recipe of the table holds norms; held, nothing shrinks.
            DecayRule::Hyperball => 0.0,
        }
    }

    /// The run as the laws see it.
    pub fn run(&self) -> PlannedRun {
        PlannedRun {
            unit: self.unit,
            parameters: self.parameters,
            total: self.total,
            batch: Some(self.batch),
            data_points: self.data_points,
            epochs: self.total / self.data_points,
            peak_learning_rate: Some(self.peak_learning_rate),
            schedule: self.schedule,
            floor: self.floor,
            optimizer: self.optimizer,
            width: None,
            base_width: None,
            base_lambda: None,
            fine_tuning: false,
        }
    }
}

/// Where a recipe stands against the law of its kind: Power Lines for text, normalised decay for images.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    /// The recipe.
    pub recipe: Recipe,
    /// Its λ under `decoupled` decay.
    pub lambda: f64,
    /// τ = 1/(ηλS): its averaging timescale as a share of the run.
    pub tau: f64,
    /// Tokens a parameter.
    pub tokens_per_parameter: Option<f64>,
    /// The law's id.
    pub law: &'static str,
    /// What that law gives for this recipe's run.
    pub law_lambda: f64,
    /// τ used over τ of the law, which is λ of the law over λ used: above 1, the recipe decays too little by the law.
    pub ratio: f64,
    /// Whether the law applies to the recipe's run.
    pub applies: bool,
}

impl Standing {
    /// Where `recipe` stands.
    pub fn of(recipe: &Recipe) -> Self {
        let run = recipe.run();
        let lambda = recipe.decoupled_lambda();
        let steps = recipe.total / recipe.batch;
        let tau = 1.0 / (recipe.peak_learning_rate * lambda * steps);
        let ratio_of_tokens = run.tokens_per_parameter();
        let (law, law_tau) = match ratio_of_tokens {
            Some(ratio) => (power_lines::LAW, power_lines::best_timescale(ratio)),
            // λ′ = λ_norm/√S and τ = 1/(λ′S).
            None => (normalized_decay::LAW, 1.0 / (normalized_decay::middle() * steps.sqrt())),
        };
        Standing {
            recipe: *recipe,
            lambda,
            tau,
            tokens_per_parameter: ratio_of_tokens,
            law: law.id,
            law_lambda: lambda * tau / law_tau,
            ratio: tau / law_tau,
            applies: (law.answer)(&run).applies().is_some(),
        }
    }
}

/// Every recipe, language models first, in the order of their publication.
pub fn all() -> impl Iterator<Item = &'static Recipe> {
    language::RECIPES.iter().chain(vision::RECIPES.iter())
}

/// The `count` recipes nearest to a run: in the logarithms of parameters, data and batch, a decade counting 1, and
/// another optimizer counting as a decade.
pub fn nearest(run: &PlannedRun, count: usize) -> Vec<Standing> {
    let decades = |left: Option<f64>, right: f64| left.map_or(0.0, |left| (left / right).log10());
    let distance = |recipe: &Recipe| {
        let parameters =
            recipe.parameters.map_or(0.0, |parameters| decades(run.parameters, parameters));
        let optimizer = if run.optimizer == recipe.optimizer { 0.0 } else { 1.0 };
        parameters.powi(2)
            + decades(Some(run.total), recipe.total).powi(2)
            + decades(run.batch, recipe.batch).powi(2)
            + optimizer
    };
    let mut recipes: Vec<&Recipe> = all().filter(|recipe| recipe.unit == run.unit).collect();
    recipes.sort_by(|left, right| distance(left).total_cmp(&distance(right)));
    recipes.into_iter().take(count).map(Standing::of).collect()
}
