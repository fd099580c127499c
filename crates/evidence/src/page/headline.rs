//! Which λ, in one line.

use wd_page::counted;
use wd_page::number::{count, short};

use crate::comparison::Criterion;
use crate::fit::Analysis;
use crate::{Intercept, Outcome};

/// Which λ, and how sure.
pub(super) fn headline(analysis: &Analysis) -> String {
    let target = &analysis.target;
    if !analysis.groups.is_empty() {
        let groups = counted(count(analysis.groups.len() as u64), "group");
        return format!("{target}: a λ for each of {groups} of columns");
    }
    match analysis.outcome {
        Outcome::NoSignal if analysis.lambda.is_infinite() => format!("{target}: λ = ∞, no signal"),
        Outcome::Noiseless if analysis.lambda == 0.0 && fits_any(analysis) => {
            format!("{target}: λ → 0, for as many columns as rows fit any target")
        }
        Outcome::Noiseless if analysis.lambda == 0.0 => format!("{target}: λ → 0, an exact fit"),
        Outcome::Noiseless if analysis.is_edge => {
            format!("{target}: no λ, for no criterion has its best within the path")
        }
        _ => format!("{target}: λ = {}", interval(analysis)),
    }
}

/// Whether there are as many columns as rows.
fn fits_any(analysis: &Analysis) -> bool {
    let intercept = usize::from(analysis.intercept != Intercept::Absent);
    (analysis.rank + intercept) as f64 >= analysis.rows
}

/// λ with its interval.
pub(super) fn interval(analysis: &Analysis) -> String {
    let lambda = short(analysis.lambda);
    if analysis.chosen_by != Criterion::Evidence {
        let name = analysis.chosen_by.name();
        return format!("{lambda}, by {name}: the evidence has no maximum");
    }
    match analysis.interval {
        Some((low, high)) => format!(
            "{lambda} (95 %: {} to {}, by the curvature of the evidence)",
            short(low),
            short(high)
        ),
        None => lambda,
    }
}
