//! A moving average of the weights: what late noise leaves in them is averaged out of it.

use crate::weights::Weights;

/// θ̄ ← θ̄ + (1 − d_t)(θ − θ̄) after each step, from the initial weights; batch norm's running
/// statistics likewise, as timm's `ModelEmaV3` averages the buffers of a model.
///
/// d_t = min(d, (1 + t)/(10 + t)) after step t, the rule of TensorFlow's `ExponentialMovingAverage`
/// with `num_updates`: a short run would otherwise be an average of its beginning.
pub(crate) struct Average {
    decay: f64,
    pub parameters: Vec<f32>,
    pub running: Vec<f32>,
}

impl Average {
    /// Starts at these weights.
    pub(crate) fn new(decay: f64, weights: Weights<'_>) -> Self {
        Average {
            decay,
            parameters: weights.parameters.to_vec(),
            running: weights.running.to_vec(),
        }
    }

    /// Takes in the weights after `steps` steps.
    pub(crate) fn update(&mut self, weights: Weights<'_>, steps: u64) {
        let steps = steps as f64;
        let take = (1.0 - self.decay.min((1.0 + steps) / (10.0 + steps))) as f32;
        for (average, new) in
            [(&mut self.parameters, weights.parameters), (&mut self.running, weights.running)]
        {
            for (average, new) in average.iter_mut().zip(new) {
                *average += take * (new - *average);
            }
        }
    }

    /// The weights to evaluate.
    pub(crate) fn weights(&self) -> Weights<'_> {
        Weights { parameters: &self.parameters, running: &self.running }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(parameters: &[f32]) -> Weights<'_> {
        Weights { parameters, running: &[] }
    }

    #[test]
    fn the_average_is_that_of_its_recursion() {
        let mut average = Average::new(0.5, weights(&[1.0]));
        let mut expected = 1.0f32;
        for step in 1..20u16 {
            let value = f32::from(step);
            average.update(weights(&[value]), u64::from(step));
            let decay = (f64::from(1 + step) / f64::from(10 + step)).min(0.5) as f32;
            expected = decay * expected + (1.0 - decay) * value;
            let found = average.parameters[0];
            assert!((found / expected - 1.0).abs() < 1e-6, "{step}: {found} {expected}");
        }
        // At d = 1/2 the average of 1, 2, 3, … lags by d/(1 − d) = 1.
        assert!((average.parameters[0] - 18.0).abs() < 0.01);
    }

    #[test]
    fn running_statistics_are_averaged_too() {
        let at = |running| Weights { parameters: &[], running };
        let mut average = Average::new(0.9, at(&[0.0]));
        average.update(at(&[11.0]), 1);
        assert_eq!(average.weights().running, [9.0]);
    }
}
