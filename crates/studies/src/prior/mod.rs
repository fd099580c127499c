//! λ as the precision of a prior, on a shipped table and over many draws.
//!
//! | file | question it answers |
//! |---|---|
//! | `shipped` | which table? |
//! | [`simulation`] | what is one draw, and λ by each rule from it? |
//! | `draws` | what comes of many draws? |
//! | `ways` | is the minimum the same by four ways? |
//! | `findings` | the numbers, as they are also written in JSON |
//! | `words` | what does that mean? |
//! | `tables` | the same in short tables, for a terminal |
//! | `page` | the whole page |
//! | `path` | what does one λ mean for one table, and for a sample of it? |

mod draws;
mod findings;
mod page;
mod path;
mod shipped;
pub mod simulation;
mod tables;
mod ways;
mod words;

use wd_evidence::gaussian::Evidence;
use wd_evidence::{Gaussian, Options};

use crate::StudyError;

pub use draws::findings;
pub use findings::{
    AgainstCrossValidation, Chosen, CurvePoint, ErrorCurve, FourWays, PriorFindings, Recovery,
    RuleErrors, SampleSize, Way,
};
pub use path::{AtLambda, Draw, LambdaPath, MOST_NUMBERS, SampleErrors};

/// Everything about the shipped table as a function of λ.
///
/// # Errors
/// A program that was built with a damaged table.
pub(crate) fn shipped_evidence() -> Result<Evidence, StudyError> {
    let table = shipped::diabetes()?.table;
    let model = Gaussian::from_rows(table.x.as_ref(), table.y.as_ref(), None, Options::default())?;
    Ok(model.evidence(0)?)
}
