//! A classifier that sees each image by itself, a ViT or an MLP, with the memory to train it:
//! micro-batches dealt to gradient accumulators, as a GPT's.

use std::ops::Range;

use super::config::VisionConfig;
use super::network::{Network, NetworkSizes};
use crate::accumulators::{Buffers, GradientAccumulators, MOST_ACCUMULATORS, StepSizes};
use crate::builder::Builder;
use crate::error::check_length;
use crate::gpt::micro_batch_tokens;
use crate::random::Stream;
use crate::targets::Targets;
use crate::workspace::{MicroBatch, Tables, Workspace};
use crate::{DropoutKey, Float, NnError};

/// A ViT or an MLP with its memory.
pub(super) struct PerImage<F> {
    config: VisionConfig,
    network: Network,
    parameter_count: usize,
    tables: Tables<F>,
    /// Most images of a batch.
    images: usize,
    accumulators: GradientAccumulators<F>,
}

impl<F: Float> PerImage<F> {
    /// Of a valid configuration; none of a model that works layer by layer.
    pub(super) fn new(config: &VisionConfig, images: usize, threads: usize) -> Option<Self> {
        let mut builder = Builder::default();
        let (network, sizes) = Network::new(&mut builder, config)?;
        let micro_images = micro_batch_images(sizes, images);
        let accumulators = GradientAccumulators::new(StepSizes {
            items: images,
            micro_items: micro_images,
            threads,
            parameters: builder.layout.len,
            activations: micro_images * sizes.tokens * sizes.activation_columns,
            scratch: sizes.scratch,
        });
        Some(Self {
            parameter_count: builder.layout.len,
            tables: Tables { context: sizes.tokens, rotary: None },
            images,
            accumulators,
            network,
            config: config.clone(),
        })
    }

    /// As [`VisionModel::loss_and_gradient`](super::VisionModel::loss_and_gradient).
    pub(super) fn loss_and_gradient(
        &mut self,
        parameters: &[F],
        gradients: &mut [F],
        running: &mut [F],
        images: &[F],
        targets: Targets<'_>,
        dropout: DropoutKey,
    ) -> Result<f64, NnError> {
        let count = self.check(parameters, running, images)?;
        targets.check(count, self.config.classes())?;
        check_length("gradients", gradients.len(), self.parameter_count)?;
        let dropout = match &self.config {
            VisionConfig::Vit(config) => dropout.masks(config.dropout),
            VisionConfig::Mlp(config) => dropout.masks(config.dropout),
            VisionConfig::Cnn(_) | VisionConfig::Resnet(_) => None,
        };
        let batch = Batch {
            tables: &self.tables,
            capacity: self.accumulators.micro_items * self.tables.context,
            image_numbers: self.config.image().numbers(),
            parameters,
            images,
            gradient_scale: 1.0 / count as f64,
            dropout,
        };
        let network = &self.network;
        let loss = (self.config.loss(), self.config.label_smoothing());
        let total = self.accumulators.gradient(count, gradients, |buffers, range, gradients| {
            let targets = targets.slice(range.clone());
            let mut workspace = batch.workspace(buffers, range, targets, gradients);
            network.forward(&mut workspace);
            let loss = workspace.class_loss(loss, network.logits());
            network.backward(&mut workspace);
            loss
        });
        Ok(total / count as f64)
    }

    /// As [`VisionModel::logits`](super::VisionModel::logits).
    pub(super) fn logits(
        &mut self,
        parameters: &[F],
        running: &[F],
        images: &[F],
        logits: &mut [F],
    ) -> Result<(), NnError> {
        let count = self.check(parameters, running, images)?;
        let classes = self.config.classes();
        check_length("logits", logits.len(), count * classes)?;
        let batch = Batch {
            tables: &self.tables,
            capacity: self.accumulators.micro_items * self.tables.context,
            image_numbers: self.config.image().numbers(),
            parameters,
            images,
            gradient_scale: 0.0,
            dropout: None,
        };
        let chunk = self.accumulators.micro_items * classes;
        self.accumulators.forward(count, logits, chunk, |buffers, range, logits| {
            let mut workspace = batch.workspace(buffers, range, Targets::default(), &mut []);
            self.network.forward(&mut workspace);
            logits.copy_from_slice(workspace.values(self.network.logits()));
        });
        Ok(())
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.accumulators.bytes()
    }

    /// The number of images.
    fn check(&self, parameters: &[F], running: &[F], images: &[F]) -> Result<usize, NnError> {
        check_length("parameters", parameters.len(), self.parameter_count)?;
        check_length("running", running.len(), 0)?;
        let numbers = self.config.image().numbers();
        let count = images.len() / numbers;
        if images.len() != count * numbers || !(1..=self.images).contains(&count) {
            let expected = format!("1 to {} images of {numbers} numbers", self.images);
            return Err(NnError::Length { what: "images", given: images.len(), expected });
        }
        Ok(count)
    }
}

/// Images of a micro-batch: as many as fill it with tokens, but no fewer micro-batches than
/// gradient accumulators, and as many for each.
fn micro_batch_images(sizes: NetworkSizes, images: usize) -> usize {
    let most = micro_batch_tokens(sizes.activation_columns).div_ceil(sizes.tokens);
    let accumulators = images.div_ceil(most).min(MOST_ACCUMULATORS);
    let rounds = images.div_ceil(most * accumulators);
    images.div_ceil(rounds * accumulators)
}

/// One batch, as every thread sees it.
struct Batch<'a, F> {
    tables: &'a Tables<F>,
    /// Tokens of a micro-batch; the last may have fewer.
    capacity: usize,
    /// Numbers an image.
    image_numbers: usize,
    parameters: &'a [F],
    images: &'a [F],
    gradient_scale: f64,
    dropout: Option<(f64, Stream)>,
}

impl<F: Float> Batch<'_, F> {
    /// The workspace of the micro-batch of some images.
    fn workspace<'b>(
        &'b self,
        buffers: &'b mut Buffers<F>,
        images: Range<usize>,
        classes: Targets<'b>,
        gradients: &'b mut [F],
    ) -> Workspace<'b, F> {
        let numbers = images.start * self.image_numbers..images.end * self.image_numbers;
        Workspace {
            tables: self.tables,
            batch: MicroBatch {
                sequences: images.len(),
                first_sequence: images.start,
                images: &self.images[numbers],
                classes,
                gradient_scale: self.gradient_scale,
                dropout: self.dropout,
                ..MicroBatch::default()
            },
            parameters: self.parameters,
            gradients,
            activations: &mut buffers.activations,
            capacity: self.capacity,
            scratch: &mut buffers.scratch,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ImageShape, MlpConfig, Pool, VitConfig};

    #[test]
    fn dropout_does_not_depend_on_the_cut_into_micro_batches() {
        let image = ImageShape { channels: 1, height: 6, width: 6 };
        let mut token = VitConfig::new(image, 5, 2, 2, 16, 2);
        token.dropout = 0.3;
        let mut mean = token.clone();
        mean.pool = Pool::Mean;
        let mut mlp = MlpConfig::new(image, 5, vec![12, 9]);
        mlp.dropout = 0.3;
        for config in [VisionConfig::Vit(token), VisionConfig::Vit(mean), VisionConfig::Mlp(mlp)] {
            let mut initial = vec![0.0f32; config.layout().len];
            config.initialize(1, &mut initial).unwrap();
            let parameters: Vec<f64> = initial.into_iter().map(|x| 5.0 * f64::from(x)).collect();
            let images: Vec<f64> = (0..12 * 36).map(|index| f64::from(index).sin()).collect();
            let targets = Targets {
                first: &[0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1],
                second: &[0; 12],
                share: &[0.75; 12],
            };
            let run = |micro_images| {
                let mut model = PerImage::new(&config, 12, 1).unwrap();
                assert_eq!(model.accumulators.micro_items, 12);
                model.accumulators.micro_items = micro_images;
                let mut gradients = vec![f64::NAN; parameters.len()];
                let key = DropoutKey { seed: 2, step: 5 };
                let loss = model
                    .loss_and_gradient(&parameters, &mut gradients, &mut [], &images, targets, key)
                    .unwrap();
                (loss, gradients)
            };
            let (whole_loss, whole) = run(12);
            for micro_images in [1, 5] {
                let (loss, gradients) = run(micro_images);
                assert!((loss - whole_loss).abs() < 1e-12 * whole_loss);
                let scale = whole.iter().fold(1.0f64, |scale, g| scale.max(g.abs()));
                assert!(
                    gradients.iter().zip(&whole).all(|(a, b)| (a - b).abs() < 1e-13 * scale),
                    "{micro_images} images, {config:?}"
                );
            }
        }
    }
}
