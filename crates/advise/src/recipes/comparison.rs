//! A recipe beside the law of its kind.

use serde::Serialize;

use super::recipe::Recipe;
use crate::laws::{normalized_decay, power_lines};

/// A recipe beside the law of its kind: Power Lines for text, normalised decay for images.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecipeComparison {
    /// The recipe.
    pub recipe: Recipe,
    /// Its λ under `decoupled` decay.
    pub lambda: f64,
    /// The part that a step at the peak takes off the weights.
    pub shrink: f64,
    /// The angle of a step at the peak, in radians, once the weights have settled on noise.
    pub angle: Option<f64>,
    /// τ = 1/(shrink × S): its averaging timescale as a share of the run.
    pub tau: f64,
    /// Tokens a parameter.
    pub tokens_per_parameter: Option<f64>,
    /// The law's id.
    pub law: &'static str,
    /// What that law gives for this recipe's run.
    pub law_lambda: f64,
    /// τ used over τ of the law, which is λ of the law over λ used: above 1, the recipe decays too
    /// little by the law.
    pub ratio: f64,
    /// Whether the law applies to the recipe's run.
    pub applies: bool,
}

impl RecipeComparison {
    /// `recipe` beside its law.
    pub fn of(recipe: &Recipe) -> Self {
        let run = recipe.run();
        let lambda = recipe.decoupled_lambda();
        let steps = recipe.total / recipe.batch;
        let shrink = recipe.shrink();
        let tau = 1.0 / (shrink * steps);
        let ratio_of_tokens = run.tokens_per_parameter();
        let (law, law_tau) = match ratio_of_tokens {
            Some(ratio) => (power_lines::LAW, power_lines::best_timescale(ratio)),
            // λ′ = λ_norm/√S and τ = 1/(λ′S).
            None => (normalized_decay::LAW, 1.0 / (normalized_decay::middle() * steps.sqrt())),
        };
        RecipeComparison {
            recipe: recipe.clone(),
            lambda,
            shrink,
            angle: recipe.equilibrium_angle(),
            tau,
            tokens_per_parameter: ratio_of_tokens,
            law: law.id,
            law_lambda: lambda * tau / law_tau,
            ratio: tau / law_tau,
            applies: (law.answer)(&run).applies().is_some(),
        }
    }
}
