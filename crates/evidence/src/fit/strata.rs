//! Folds that share out the rows of every class.

use wd_data::table::Folds;

use super::error::FitError;
use super::family::Family;
use super::rows::Rows;

/// The fold of each row. Rows of a class, or with an event, are dealt out for themselves, so that
/// no fold has all of them unless there is a single one.
///
/// # Errors
/// A class with a single row, of which nothing is known without the fold that holds it.
pub(super) fn folds(
    rows: &Rows,
    family: Family,
    levels: &[String],
    folds: usize,
    seed: u64,
) -> Result<Vec<usize>, FitError> {
    let stratum = |value: f64| match family {
        Family::Logistic | Family::Softmax => value as usize,
        Family::Poisson => usize::from(value > 0.0),
        Family::Gaussian => 0,
    };
    let count = match family {
        Family::Logistic | Family::Softmax => levels.len().max(1),
        Family::Poisson => 2,
        Family::Gaussian => 1,
    };
    let mut dealers: Vec<Folds> =
        (0..count).map(|stratum| Folds::of_stratum(folds, seed, stratum)).collect();
    let weight_of = |row: usize| rows.weights().map_or(1.0, |weights| weights[row]);
    let mut fold_of = Vec::with_capacity(rows.count);
    let mut single: Vec<(usize, usize)> = vec![(0, 0); count];
    for (row, value) in rows.target_values.iter().enumerate() {
        let stratum = stratum(*value).min(count - 1);
        let fold = dealers[stratum].next().unwrap_or_default();
        if weight_of(row) > 0.0 {
            single[stratum] = (single[stratum].0 + 1, fold);
        }
        fold_of.push(fold);
    }
    let alone = |stratum: usize| match family {
        Family::Logistic | Family::Softmax => {
            format!("the class `{}`", levels.get(stratum).map_or("", String::as_str))
        }
        Family::Poisson | Family::Gaussian => "a count above 0".to_owned(),
    };
    let needed = match family {
        // Counts of 0 may all be left out.
        Family::Poisson => 1..2,
        _ => 0..count,
    };
    for stratum in needed {
        if family != Family::Gaussian && single[stratum].0 == 1 {
            return Err(FitError::option(
                "compare",
                format!("cv:{folds}"),
                format!(
                    "a single row has {}, and without fold {}, which holds it, nothing is known \
                     of it",
                    alone(stratum),
                    single[stratum].1 + 1
                ),
                "compare with loo or holdout:FILE, or leave that row out of the table",
            ));
        }
    }
    Ok(fold_of)
}
