//! Text: windows of tokens, a GPT, the loss on windows that were held out and on windows already
//! trained on.

use wd_data::{Position, text::Loader};
use wd_nn::{DropoutKey, Gpt, GptConfig};

use super::scores::Scores;
use crate::{config::ConfigSource, data::text, error::TrainError, weights::Weights};

/// The columns that evaluations of a moving average of the weights fill.
pub(super) const AVERAGE_COLUMNS: [&str; 1] = ["average_loss"];

pub(crate) struct Text {
    model: Gpt<f32>,
    loader: Loader,
    context: usize,
    sequences: usize,
    validation_windows: u64,
    inputs: Vec<u32>,
    targets: Vec<u32>,
}

#[derive(Clone, Copy)]
enum Part {
    Validation,
    Seen,
}

impl Text {
    pub(super) fn open(
        source: &ConfigSource,
        model: &GptConfig,
        threads: usize,
    ) -> Result<Self, TrainError> {
        let context = model.context;
        let sequences = text::sequences(source)?;
        let tokens = sequences * context;
        Ok(Text {
            model: Gpt::new(model.clone(), sequences, threads)?,
            loader: text::loader(source, text::open(source)?, context)?,
            context,
            sequences,
            validation_windows: source.config.data.validation_windows(),
            inputs: vec![0; tokens],
            targets: vec![0; tokens],
        })
    }

    /// Mean loss of weights on a fixed set of windows; `None` when there are none.
    fn loss(&mut self, part: Part, parameters: &[f32]) -> Result<Option<f64>, TrainError> {
        let context = self.context;
        let available = match part {
            Part::Validation => self.loader.validation_windows(),
            Part::Seen => self.loader.windows_seen(),
        };
        let count = available.min(self.validation_windows);
        if count == 0 {
            return Ok(None);
        }
        let mut total = 0.0;
        let mut done = 0;
        while done < count {
            let batch = (count - done).min(self.sequences as u64);
            for i in 0..batch {
                let window = i as usize * context..(i as usize + 1) * context;
                // Spread evenly over what there is.
                let index = ((done + i) as u128 * available as u128 / count as u128) as u64;
                let (inputs, targets) =
                    (&mut self.inputs[window.clone()], &mut self.targets[window]);
                match part {
                    Part::Validation => self.loader.validation(index, inputs, targets)?,
                    Part::Seen => self.loader.seen(index, inputs, targets)?,
                }
            }
            let tokens = batch as usize * context;
            let loss =
                self.model.loss(parameters, &self.inputs[..tokens], &self.targets[..tokens])?;
            total += loss * batch as f64;
            done += batch;
        }
        Ok(Some(total / count as f64))
    }

    pub(super) fn loss_and_gradient(
        &mut self,
        parameters: &[f32],
        gradients: &mut [f32],
        dropout: DropoutKey,
    ) -> Result<f64, TrainError> {
        self.loader.next(&mut self.inputs, &mut self.targets)?;
        Ok(self.model.loss_and_gradient(
            parameters,
            gradients,
            &self.inputs,
            &self.targets,
            dropout,
        )?)
    }

    pub(super) fn evaluate(&mut self, weights: Weights<'_>) -> Result<Scores, TrainError> {
        let mut scores = Scores::new();
        for (name, part) in [("validation_loss", Part::Validation), ("train_eval_loss", Part::Seen)]
        {
            if let Some(loss) = self.loss(part, weights.parameters)? {
                scores.push((name, loss));
            }
        }
        Ok(scores)
    }

    pub(super) fn evaluate_average(&mut self, weights: Weights<'_>) -> Result<Scores, TrainError> {
        let loss = self.loss(Part::Validation, weights.parameters)?;
        Ok(loss.map(|loss| (AVERAGE_COLUMNS[0], loss)).into_iter().collect())
    }

    pub(super) fn position(&self) -> Position {
        self.loader.position()
    }

    pub(super) fn seek(&mut self, position: Position) -> Result<(), TrainError> {
        Ok(self.loader.seek(position)?)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.model.memory_bytes()
    }
}
