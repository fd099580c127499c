//! An image classifier with the memory to train it.

use super::config::VisionConfig;
use super::layered;
use super::per_image::PerImage;
use crate::accumulators::check_counts;
use crate::targets::Targets;
use crate::{DropoutKey, Float, NnError};

/// An image classifier that computes losses, gradients and logits; owns all the memory that a step
/// needs, so that a step allocates nothing.
///
/// Parameters and gradients are the caller's, laid out as [`VisionConfig::layout`] says, and so is
/// what batch norm remembers, laid out as [`VisionConfig::running_statistics`] says. Images are
/// NHWC. Work runs on the current rayon pool; call from within [`rayon::ThreadPool::install`] (a
/// call from outside a pool makes rayon allocate).
///
/// ```
/// # fn main() -> Result<(), wd_nn::NnError> {
/// use wd_nn::{DropoutKey, ImageShape, Targets, VisionConfig, VisionModel, VitConfig};
///
/// let image = ImageShape { channels: 1, height: 8, width: 8 };
/// let config = VisionConfig::Vit(VitConfig::new(image, 10, 4, 1, 16, 2));
/// let mut parameters = vec![0.0f32; config.layout().len];
/// config.initialize(1, &mut parameters)?;
/// let mut gradients = vec![0.0f32; parameters.len()];
/// let mut model = VisionModel::new(config, 2, 1)?;
/// let images: Vec<f32> = (0..2 * 64).map(|index| (index % 7) as f32 - 3.0).collect();
/// let targets = Targets { first: &[3, 8], second: &[3, 8], share: &[1.0, 1.0] };
/// let loss = model.loss_and_gradient(&parameters, &mut gradients, &mut [], &images, targets, DropoutKey::default())?;
/// assert!((loss - 10f64.ln()).abs() < 0.1); // untrained: about ln(classes)
/// # Ok(())
/// # }
/// ```
pub struct VisionModel<F> {
    config: VisionConfig,
    engine: Engine<F>,
}

/// Batch norm couples the images of a batch, so that a network with it goes through the whole batch
/// layer by layer; one without works off micro-batches that stay in cache.
enum Engine<F> {
    PerImage(Box<PerImage<F>>),
    Layered(Box<layered::Network<F>>),
}

impl<F: Float> VisionModel<F> {
    /// Memory for batches of at most `images` images, worked on by at most `threads` threads at a
    /// time.
    ///
    /// More threads than that in the pool are not used; fewer leave memory unused. Results do not
    /// depend on it.
    ///
    /// # Errors
    /// [`NnError::Configuration`] if the configuration is not possible, or `images` or `threads` is
    /// 0.
    pub fn new(config: VisionConfig, images: usize, threads: usize) -> Result<Self, NnError> {
        config.validate()?;
        check_counts("images", images, threads)?;
        let loss = (config.loss(), config.label_smoothing());
        let layered = config.layered().map(|plan| {
            let network = layered::Network::new(plan, loss, images, threads);
            Engine::Layered(Box::new(network))
        });
        let engine = layered.or_else(|| {
            let network = PerImage::new(&config, images, threads)?;
            Some(Engine::PerImage(Box::new(network)))
        });
        match engine {
            Some(engine) => Ok(Self { config, engine }),
            None => unreachable!("every configuration is of one or the other"),
        }
    }

    /// Mean loss over the batch and its gradient.
    ///
    /// `images` holds whole images, at most as many as [`VisionModel::new`] was told; `gradients`
    /// is overwritten. Batch norm takes the batch's statistics, and `running` moves a tenth of the
    /// way to them, the variance to its unbiased estimate, as torch's with its default momentum. A
    /// diverged model gives a non-finite loss, not an error.
    ///
    /// # Errors
    /// [`NnError::Length`], [`NnError::Label`], [`NnError::Share`] and [`NnError::BatchOfOne`];
    /// then `gradients` and `running` are untouched.
    pub fn loss_and_gradient(
        &mut self,
        parameters: &[F],
        gradients: &mut [F],
        running: &mut [F],
        images: &[F],
        targets: Targets<'_>,
        dropout: DropoutKey,
    ) -> Result<f64, NnError> {
        match &mut self.engine {
            Engine::PerImage(network) => {
                network.loss_and_gradient(parameters, gradients, running, images, targets, dropout)
            }
            Engine::Layered(network) => {
                network.loss_and_gradient(parameters, gradients, running, images, targets)
            }
        }
    }

    /// Logits `[image][class]`, without dropout, by the running statistics where there are any.
    ///
    /// `images` as in [`VisionModel::loss_and_gradient`]; `logits` is overwritten.
    ///
    /// # Errors
    /// [`NnError::Length`].
    pub fn logits(
        &mut self,
        parameters: &[F],
        running: &[F],
        images: &[F],
        logits: &mut [F],
    ) -> Result<(), NnError> {
        match &mut self.engine {
            Engine::PerImage(network) => network.logits(parameters, running, images, logits),
            Engine::Layered(network) => network.logits(parameters, running, images, logits),
        }
    }

    /// The configuration that the model was made from.
    pub fn config(&self) -> &VisionConfig {
        &self.config
    }

    /// Bytes that the model owns: activations and scratch of every thread, every gradient
    /// accumulator but the first. Parameters and gradients, the caller's, are not among them.
    pub fn memory_bytes(&self) -> usize {
        match &self.engine {
            Engine::PerImage(network) => network.memory_bytes(),
            Engine::Layered(network) => network.memory_bytes(),
        }
    }
}
