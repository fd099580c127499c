//! The Gaussian family: from sums, in one pass; rows are read again only for what needs them.
//!
//! | file | what |
//! |---|---|
//! | `fitted` | the model of a table, and its rows |
//! | `target` | the fit of one target |
//! | `criteria` | its errors by leave-one-out, folds and a hold-out |
//! | `grouped` | a λ for each group of columns |
//! | `figures` | calibration and paths of coefficients |

mod criteria;
mod figures;
mod fitted;
mod grouped;
mod target;

use self::fitted::Fitted;
use super::analysis::Analysis;
use super::error::FitError;
use super::request::Request;
use super::source::Source;

/// Fits every target of a table.
pub(super) fn fit(source: &Source<'_>, request: &Request) -> Result<Vec<Analysis>, FitError> {
    let groups = request.groups.resolve(source.design)?;
    let fitted = Fitted::of(source, request)?;
    (0..source.design.targets.len())
        .map(|target| target::analysis(&fitted, target, groups.as_ref()))
        .collect()
}
