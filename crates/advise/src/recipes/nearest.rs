//! The recipes nearest to a run.

use super::all::all;
use super::comparison::RecipeComparison;
use super::recipe::Recipe;
use crate::PlannedRun;

/// The `count` recipes nearest to a run: in the logarithms of parameters, data and batch, a decade
/// counting 1, and another optimizer counting as a decade.
pub fn nearest(run: &PlannedRun, count: usize) -> Vec<RecipeComparison> {
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
    recipes.into_iter().take(count).map(RecipeComparison::of).collect()
}
