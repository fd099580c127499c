//! Images: augmented batches, a classifier, and how well it does on test images, training images
//! and shifted ones.

use std::{sync::Arc, time::Duration};

use wd_data::{
    Position,
    images::{ImageLoader, ImageSet, evaluation_batch},
};
use wd_nn::{ClassLoss, DropoutKey, Targets, VisionConfig, VisionModel};

use super::scores::Scores;
use crate::{
    config::ConfigSource, data::ImageData, error::TrainError, evaluation::Evaluation,
    weights::Weights,
};

/// The columns that its evaluations fill, beyond those that every run has.
pub(super) const COLUMNS: [&str; 4] =
    ["test_accuracy", "train_accuracy", "calibration_error", "negative_log_likelihood"];
/// Likewise, where there are shifted images.
pub(super) const SHIFTED_COLUMNS: [&str; 3] =
    ["shifted_loss", "shifted_accuracy", "shifted_calibration_error"];
/// Likewise, where labels are wrong on purpose: the share of these that the weights reproduce.
pub(super) const WRONG_LABEL_COLUMNS: [&str; 1] = ["memorised"];
/// Likewise, where there is a moving average of the weights.
pub(super) const AVERAGE_COLUMNS: [&str; 2] = ["average_loss", "average_accuracy"];

pub(crate) struct Images {
    model: VisionModel<f32>,
    loader: ImageLoader,
    data: Arc<ImageData>,
    /// Of one batch of an evaluation.
    pixels: Vec<f32>,
    labels: Vec<u32>,
    logits: Vec<f32>,
    loss: ClassLoss,
    /// What the test images were last taken for.
    confusion: Option<Vec<Vec<u64>>>,
}

impl Images {
    pub(crate) fn open(
        source: &ConfigSource,
        model: &VisionConfig,
        data: Arc<ImageData>,
        threads: usize,
    ) -> Result<Self, TrainError> {
        Ok(Images {
            model: VisionModel::new(model.clone(), data.batch, threads)?,
            loader: data.loader(source)?,
            pixels: vec![0.0; data.batch * model.image().numbers()],
            labels: vec![0; data.batch],
            logits: vec![0.0; data.batch * model.classes()],
            loss: model.loss(),
            confusion: None,
            data,
        })
    }

    /// Scores weights on images as they are, without augmentation.
    pub(crate) fn score(
        &mut self,
        set: &ImageSet,
        indices: &[u32],
        weights: Weights<'_>,
    ) -> Result<Evaluation, TrainError> {
        let batch = self.labels.len();
        let (numbers, classes) = (self.pixels.len() / batch, self.logits.len() / batch);
        let mut evaluation = Evaluation::new(self.loss);
        for indices in indices.chunks(batch) {
            let images = indices.len();
            let pixels = &mut self.pixels[..images * numbers];
            let logits = &mut self.logits[..images * classes];
            let labels = &mut self.labels[..images];
            for (label, index) in labels.iter_mut().zip(indices) {
                *label = set.label(*index as usize);
            }
            evaluation_batch(set, indices, &self.data.normalisation, pixels)?;
            self.model.logits(weights.parameters, weights.running, pixels, logits)?;
            evaluation.add(logits, labels);
        }
        Ok(evaluation)
    }

    /// Scores weights on the test images, or on the shifted ones.
    pub(crate) fn score_test(
        &mut self,
        is_shifted: bool,
        weights: Weights<'_>,
    ) -> Result<Evaluation, TrainError> {
        let data = Arc::clone(&self.data);
        let images = match &data.shifted {
            Some(shifted) if is_shifted => shifted,
            _ => &data.test,
        };
        self.score(&images.set, &images.indices, weights)
    }

    pub(super) fn loss_and_gradient(
        &mut self,
        parameters: &[f32],
        gradients: &mut [f32],
        running: &mut [f32],
        dropout: DropoutKey,
    ) -> Result<f64, TrainError> {
        let batch = self.loader.next()?;
        let targets = Targets { first: batch.first, second: batch.second, share: batch.share };
        Ok(self.model.loss_and_gradient(
            parameters,
            gradients,
            running,
            batch.images,
            targets,
            dropout,
        )?)
    }

    pub(super) fn evaluate(&mut self, weights: Weights<'_>) -> Result<Scores, TrainError> {
        let data = Arc::clone(&self.data);
        let tested = self.score(&data.test.set, &data.test.indices, weights)?;
        self.confusion = tested.confusion();
        let trained = self.score(data.training(), &data.training_sample, weights)?;
        let mut scores = vec![
            ("validation_loss", tested.loss()),
            ("train_eval_loss", trained.loss()),
            (COLUMNS[0], tested.accuracy()),
            (COLUMNS[1], trained.accuracy()),
            (COLUMNS[2], tested.calibration_error()),
            (COLUMNS[3], tested.negative_log_likelihood()),
        ];
        if !data.wrong_labels.is_empty() {
            let wrong = self.score(data.training(), &data.wrong_labels, weights)?;
            scores.push((WRONG_LABEL_COLUMNS[0], wrong.accuracy()));
        }
        if let Some(images) = &data.shifted {
            let shifted = self.score(&images.set, &images.indices, weights)?;
            scores.extend([
                (SHIFTED_COLUMNS[0], shifted.loss()),
                (SHIFTED_COLUMNS[1], shifted.accuracy()),
                (SHIFTED_COLUMNS[2], shifted.calibration_error()),
            ]);
        }
        Ok(scores)
    }

    pub(super) fn evaluate_average(&mut self, weights: Weights<'_>) -> Result<Scores, TrainError> {
        let data = Arc::clone(&self.data);
        let tested = self.score(&data.test.set, &data.test.indices, weights)?;
        Ok(vec![(AVERAGE_COLUMNS[0], tested.loss()), (AVERAGE_COLUMNS[1], tested.accuracy())])
    }

    /// What the test images were taken for when they were last evaluated; of a run that went on
    /// behind its last step, they are evaluated now. None of too many classes.
    pub(super) fn confusion(
        &mut self,
        weights: Weights<'_>,
    ) -> Result<Option<Vec<Vec<u64>>>, TrainError> {
        if self.confusion.is_none() {
            self.confusion = self.score_test(false, weights)?.confusion();
        }
        Ok(self.confusion.clone())
    }

    pub(super) fn position(&self) -> Position {
        self.loader.position()
    }

    pub(super) fn seek(&mut self, position: Position) -> Result<(), TrainError> {
        Ok(self.loader.seek(position)?)
    }

    pub(super) fn waited(&self) -> Duration {
        self.loader.waited()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.model.memory_bytes()
    }
}
