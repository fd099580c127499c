//! What should be said of the maximum.

use super::{Chosen, Fitted};
use crate::comparison::{Comparison, Criterion};
use crate::fit::family::Family;
use crate::fit::quality::Quality;
use crate::glm::GlmMaximum;
use crate::{Intercept, Outcome};
use wd_page::number::{measured, rounded, short};

/// Deviance a degree of freedom from which counts are overdispersed beyond doubt: it is 1 of
/// Poisson counts of some size, and at most 1.15 of small ones.
const OVERDISPERSED: f64 = 2.0;

impl Fitted<'_> {
    /// What should be said of the maximum.
    pub(super) fn notes(
        &self,
        maximum: &GlmMaximum,
        chosen: &Chosen,
        comparison: &Comparison,
        quality: &Quality,
    ) -> Vec<String> {
        let separable = match maximum.separable {
            Some(true) => Some(
                "The classes are separable: maximum likelihood has no finite fit (its coefficients \
                 grow without bound), the posterior mode has one for every λ > 0.",
            ),
            None => Some(
                "The coefficients still grow at the smallest λ of the path: maximum likelihood may \
                 have no finite fit (quasi-separation), the posterior mode has one for every λ > \
                 0.",
            ),
            Some(false) => None,
        };
        let is_computed =
            comparison.choices.iter().any(|choice| choice.criterion == Criterion::LeaveOneOut);
        let approximate = is_computed.then_some(
            "Leave-one-out is approximate in this family: a Newton step from the mode for each row \
             left out.",
        );
        let mut notes: Vec<String> = separable.map(str::to_owned).into_iter().collect();
        notes.extend(self.edge_note(maximum, chosen));
        notes.extend(approximate.map(str::to_owned));
        notes.extend(self.dispersion_note(chosen, quality));
        if let (Family::Logistic, [no, yes]) = (self.request.family, self.levels.as_slice()) {
            notes.push(format!(
                "Probabilities and coefficients are those of `{yes}` against `{no}`."
            ));
        }
        notes
    }

    /// Counts that vary far more than the family lets them.
    fn dispersion_note(&self, chosen: &Chosen, quality: &Quality) -> Option<String> {
        let deviance = quality.deviance.filter(|_| self.request.family == Family::Poisson)?;
        let free = self.rows.weight() - chosen.point.effective_parameters - 1.0;
        let times = deviance / free;
        (free >= 1.0 && times > OVERDISPERSED).then(|| {
            format!(
                "The deviance is {} for {} degrees of freedom, {} times as much: the counts vary \
                 far more than Poisson's, whose variance is their mean. Standard deviations and \
                 the interval of λ are too narrow, and λ is too small: compare with cv:10, \
                 multiply the standard deviations by √{2} = {}, or fit a negative binomial.",
                measured(deviance),
                measured(free),
                short(rounded(times)),
                short(rounded(times.sqrt()))
            )
        })
    }

    /// What the edge of the path says.
    fn edge_note(&self, maximum: &GlmMaximum, chosen: &Chosen) -> Option<String> {
        let flat = match (maximum.separable, self.options.intercept) {
            (Some(false), _) | (_, Intercept::Absent) => "",
            _ => {
                " Of separable classes, beside an intercept with a flat prior, it grows like ½ ln \
                 1/λ for ever, which says nothing of the data."
            }
        };
        let name = chosen.criterion.name();
        match maximum.outcome {
            Outcome::Found => None,
            Outcome::NoSignal => Some(
                "The evidence rises up to the largest λ of the path: these columns say nothing of \
                 the target, and every coefficient is all but 0."
                    .to_owned(),
            ),
            Outcome::Noiseless if chosen.is_edge => Some(format!(
                "The evidence rises down to the smallest λ of the path, and has no maximum \
                 there.{flat} By {name} the best λ lies at the edge of the path too: no criterion \
                 gives an answer, and the coefficients are those of the edge."
            )),
            Outcome::Noiseless => Some(format!(
                "The evidence rises down to the smallest λ of the path, and has no maximum \
                 there.{flat} λ is that of the least error by {name}."
            )),
        }
    }
}
