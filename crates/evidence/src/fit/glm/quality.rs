//! How near the fit comes to the rows.

use super::{Chosen, Fitted};
use crate::GlmPosterior;
use crate::fit::error::FitError;
use crate::fit::quality::{Observation, Quality, Sample};

impl Fitted<'_> {
    /// Deviance, and how often the likeliest class came.
    pub(super) fn quality(&self, chosen: &Chosen) -> Result<Quality, FitError> {
        let saturated = self.model.saturated_log_likelihood();
        let deviance = |log_likelihood: f64| Some(2.0 * (saturated - log_likelihood));
        let mut quality = Quality {
            deviance: deviance(chosen.point.log_likelihood),
            null_deviance: deviance(self.model.null_log_likelihood()?),
            ..Quality::default()
        };
        if self.request.family.has_classes() {
            let means = chosen.posterior.means(self.rows.x(), self.rows.offset())?;
            let weight_of = |row: usize| self.rows.weights().map_or(1.0, |weights| weights[row]);
            let right =
                |row: usize| likeliest(&means[row]) == self.rows.target_values[row] as usize;
            let rows = (0..self.rows.count).filter(|row| right(*row));
            let right: f64 = rows.map(weight_of).sum();
            quality.accuracy = Some(right / self.rows.weight());
        }
        Ok(quality)
    }

    /// Expected counts beside those that came.
    pub(super) fn observations(
        &self,
        posterior: &GlmPosterior,
    ) -> Result<Vec<Observation>, FitError> {
        let means = posterior.means(self.rows.x(), self.rows.offset())?;
        let mut sample = Sample::default();
        for (mean, observed) in means.iter().zip(&self.rows.target_values) {
            sample.add(Observation { predicted: mean[0], observed: *observed });
        }
        Ok(sample.finish())
    }
}

/// The class of the largest probability; of a single probability, that of class 1.
fn likeliest(probabilities: &[f64]) -> usize {
    match probabilities {
        [probability] => usize::from(*probability > 0.5),
        probabilities => {
            let classes = probabilities.iter().enumerate();
            classes.max_by(|(_, a), (_, b)| a.total_cmp(b)).map_or(0, |(class, _)| class)
        }
    }
}
