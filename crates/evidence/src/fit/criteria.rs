//! Which criteria a fit is compared by.

use std::path::PathBuf;

use super::error::FitError;
use super::family::Family;

/// More folds than these are leave-one-out at a higher price.
const MOST_FOLDS: usize = 100;

/// Criteria beside the evidence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Criteria {
    /// The error of each row by the fit to all others; approximate outside the Gaussian family.
    pub leave_one_out: bool,
    /// Generalised cross-validation, of the Gaussian family.
    pub generalized: bool,
    /// Folds of cross-validation; 0 for none.
    pub folds: usize,
    /// A table of rows that no fit has seen.
    pub hold_out: Option<PathBuf>,
}

impl Criteria {
    /// What is compared where nothing is asked for.
    pub fn of_family(family: Family) -> Criteria {
        Criteria { generalized: family == Family::Gaussian, ..Criteria::default() }
    }

    /// Reads `loo`, `gcv`, `cv:FOLDS` (`cv` is `cv:10`) and `holdout:FILE`.
    ///
    /// # Errors
    /// [`FitError::Option`] names a word that is none of these.
    pub fn read<S: AsRef<str>>(words: &[S]) -> Result<Criteria, FitError> {
        let mut criteria = Criteria::default();
        for word in words.iter().map(AsRef::as_ref) {
            match word.split_once(':').unwrap_or((word, "")) {
                ("loo", "") => criteria.leave_one_out = true,
                ("gcv", "") => criteria.generalized = true,
                ("cv", "") => criteria.folds = 10,
                ("cv", folds) => {
                    criteria.folds = folds.parse().map_err(|_| no_folds(word))?;
                    if criteria.folds == 0 {
                        return Err(no_folds(word));
                    }
                }
                ("holdout", file) if !file.is_empty() => {
                    criteria.hold_out = Some(PathBuf::from(file));
                }
                _ => {
                    let fix = "choose among loo, gcv, cv:FOLDS and holdout:FILE";
                    return Err(FitError::option(
                        "compare",
                        word,
                        "there is no such criterion",
                        fix,
                    ));
                }
            }
        }
        Ok(criteria)
    }

    /// Refuses what a family or cross-validation cannot give.
    pub(super) fn check(&self, family: Family) -> Result<(), FitError> {
        if self.generalized && family != Family::Gaussian {
            return Err(FitError::option(
                "compare",
                "gcv",
                "it is a criterion of squared errors and needs the gaussian family",
                "compare with loo, cv:10 or holdout:FILE",
            ));
        }
        match self.folds {
            0 | 2..=MOST_FOLDS => Ok(()),
            folds => Err(no_folds(&format!("cv:{folds}"))),
        }
    }

    /// The first criterion that sums cannot give.
    pub(super) fn needs_rows(&self) -> Option<String> {
        match self.folds {
            _ if self.leave_one_out => Some("loo".to_owned()),
            0 => None,
            folds => Some(format!("cv:{folds}")),
        }
    }
}

fn no_folds(word: &str) -> FitError {
    let fix = format!("give 2 to {MOST_FOLDS}, such as cv:10; loo leaves out every row in turn");
    FitError::option("compare", word, "this is no number of folds", fix)
}
