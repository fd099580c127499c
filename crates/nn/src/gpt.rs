//! A GPT with the memory to train it.

use std::ops::Range;

use crate::accumulators::{Buffers, GradientAccumulators, StepSizes, check_counts};
use crate::error::check_length;
use crate::kernels::rotary::RotaryTable;
use crate::model::Model;
use crate::random::{self, Stream};
use crate::workspace::{MicroBatch, Tables, Workspace, scratch_len};
use crate::{Activation, Float, GptConfig, NnError, Position};

/// Tokens of a micro-batch, about: enough rows for the GEMM to run at its best.
pub(crate) const MICRO_BATCH_TOKENS: usize = 512;

/// Activations that stay near the core. A model of which [`LEAST_CACHED_TOKENS`] fit gets such
/// micro-batches instead.
const CACHED_BYTES: usize = 5 << 19;
const LEAST_CACHED_TOKENS: usize = 128;

/// Tokens of a micro-batch of a model with so many columns of activations.
pub(crate) fn micro_batch_tokens(activation_columns: usize) -> usize {
    let cached_tokens = CACHED_BYTES / (activation_columns * size_of::<f32>());
    if cached_tokens >= LEAST_CACHED_TOKENS {
        cached_tokens.min(MICRO_BATCH_TOKENS)
    } else {
        MICRO_BATCH_TOKENS
    }
}

/// Which dropout masks to draw: they are a function of (seed, step), so that a resumed run drops
/// what an uninterrupted one would. Without dropout in the configuration it has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DropoutKey {
    /// Seed of the run.
    pub seed: u64,
    /// Step of the run.
    pub step: u64,
}

impl DropoutKey {
    /// What all masks of the step are drawn from; nothing without dropout.
    pub(crate) fn masks(self, probability: f64) -> Option<(f64, Stream)> {
        (probability > 0.0).then(|| {
            let stream = Stream::new(self.seed, random::hash(b"dropout"));
            (probability, stream.within(self.step))
        })
    }
}

/// A GPT that computes losses and gradients; owns all the memory that a step needs, so that a step
/// allocates nothing.
///
/// Parameters and gradients are the caller's, laid out as [`GptConfig::layout`] says. Work runs on
/// the current rayon pool; call from within [`rayon::ThreadPool::install`] (a call from outside a
/// pool makes rayon allocate).
///
/// ```
/// # fn main() -> Result<(), wd_nn::NnError> {
/// use wd_nn::{DropoutKey, Gpt, GptConfig};
///
/// let config = GptConfig::new(16, 4, 1, 8, 2);
/// let mut parameters = vec![0.0f32; config.layout().len];
/// config.initialize(1, &mut parameters)?;
/// let mut gradients = vec![0.0f32; parameters.len()];
/// let mut gpt = Gpt::new(config, 2, 1)?;
/// let (inputs, targets) = ([0, 1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7, 8]);
/// let loss = gpt.loss_and_gradient(&parameters, &mut gradients, &inputs, &targets, DropoutKey::default())?;
/// assert!((loss - 16f64.ln()).abs() < 0.1); // untrained: about ln(vocabulary)
/// # Ok(())
/// # }
/// ```
pub struct Gpt<F> {
    config: GptConfig,
    model: Model,
    parameter_count: usize,
    tables: Tables<F>,
    /// Most sequences of a batch.
    sequences: usize,
    accumulators: GradientAccumulators<F>,
    /// Sum of losses of each micro-batch, for [`Gpt::loss`].
    micro_losses: Vec<f64>,
}

impl<F: Float> Gpt<F> {
    /// Memory for batches of at most `sequences` sequences, worked on by at most `threads` threads
    /// at a time.
    ///
    /// More threads than that in the pool are not used; fewer leave memory unused. Results do not
    /// depend on it.
    ///
    /// # Errors
    /// [`NnError::Configuration`] if the configuration is not possible, or `sequences` or `threads`
    /// is 0.
    pub fn new(config: GptConfig, sequences: usize, threads: usize) -> Result<Self, NnError> {
        config.validate()?;
        check_counts("sequences", sequences, threads)?;
        let (model, layout) = Model::new(&config);
        let context = config.context;
        let micro_sequences =
            (micro_batch_tokens(model.activation_columns) / context).clamp(1, sequences);
        let tokens = micro_sequences * context;
        let accumulators = GradientAccumulators::new(StepSizes {
            items: sequences,
            micro_items: micro_sequences,
            threads,
            parameters: layout.len,
            activations: tokens * model.activation_columns,
            scratch: scratch_len(&config, tokens),
        });
        let rotary = (config.position == Position::Rope)
            .then(|| RotaryTable::new(context, config.head_width(), config.rope_base));
        Ok(Self {
            parameter_count: layout.len,
            tables: Tables { context, rotary },
            sequences,
            micro_losses: vec![0.0; accumulators.micro_batches(sequences)],
            accumulators,
            model,
            config,
        })
    }

    /// Mean cross-entropy over all targets, in nats, and its gradient.
    ///
    /// `inputs` and `targets` hold the same number of whole sequences, one after the other, at most
    /// as many as [`Gpt::new`] was told; `gradients` is overwritten. A diverged model gives a
    /// non-finite loss, not an error.
    ///
    /// # Errors
    /// [`NnError::Length`] and [`NnError::Token`]; then `gradients` is untouched.
    pub fn loss_and_gradient(
        &mut self,
        parameters: &[F],
        gradients: &mut [F],
        inputs: &[u32],
        targets: &[u32],
        dropout: DropoutKey,
    ) -> Result<f64, NnError> {
        self.check(parameters, inputs, targets)?;
        check_length("gradients", gradients.len(), self.parameter_count)?;
        let capacity = self.accumulators.micro_items * self.config.context;
        let batch = Batch {
            model: &self.model,
            tables: &self.tables,
            capacity,
            parameters,
            inputs,
            targets,
            dropout: dropout.masks(self.config.dropout),
        };
        let sequences = inputs.len() / self.config.context;
        let loss = self.accumulators.gradient(sequences, gradients, |buffers, range, gradients| {
            batch.run(buffers, range, Some(gradients))
        });
        Ok(loss / targets.len() as f64)
    }

    /// Mean cross-entropy over all targets, in nats, without dropout.
    ///
    /// `inputs` and `targets` as in [`Gpt::loss_and_gradient`].
    ///
    /// # Errors
    /// [`NnError::Length`] and [`NnError::Token`].
    pub fn loss(
        &mut self,
        parameters: &[F],
        inputs: &[u32],
        targets: &[u32],
    ) -> Result<f64, NnError> {
        self.check(parameters, inputs, targets)?;
        let batch = Batch {
            model: &self.model,
            tables: &self.tables,
            capacity: self.accumulators.micro_items * self.config.context,
            parameters,
            inputs,
            targets,
            dropout: None,
        };
        let sequences = inputs.len() / self.config.context;
        let losses = &mut self.micro_losses[..self.accumulators.micro_batches(sequences)];
        self.accumulators.forward(sequences, losses, 1, |buffers, range, loss| {
            loss[0] = batch.run(buffers, range, None);
        });
        Ok(losses.iter().sum::<f64>() / targets.len() as f64)
    }

    /// The logits of the token that follows `tokens`, one for each of the vocabulary.
    ///
    /// # Errors
    /// [`NnError::Length`] for no token, or more than the context holds, and [`NnError::Token`].
    pub fn next_token_logits(
        &mut self,
        parameters: &[F],
        tokens: &[u32],
    ) -> Result<Vec<F>, NnError> {
        let context = self.config.context;
        let (given, expected) = (tokens.len(), format!("1 to {context} tokens"));
        if !(1..=context).contains(&given) {
            return Err(NnError::Length { what: "tokens", given, expected });
        }
        // No token sees those behind it, so that anything may stand there.
        let mut inputs = vec![0; context];
        inputs[..given].copy_from_slice(tokens);
        self.check(parameters, &inputs, &inputs)?;
        let batch = Batch {
            model: &self.model,
            tables: &self.tables,
            capacity: self.accumulators.micro_items * context,
            parameters,
            inputs: &inputs,
            targets: &inputs,
            dropout: None,
        };
        let mut logits = vec![F::from_f64(0.0); self.config.vocabulary];
        let vocabulary = logits.len();
        self.accumulators.forward(1, &mut logits, vocabulary, |buffers, range, logits| {
            batch.logits(buffers, range, given - 1, logits);
        });
        Ok(logits)
    }

    /// The configuration that the model was made from.
    pub fn config(&self) -> &GptConfig {
        &self.config
    }

    /// Bytes that the model owns: activations and scratch of every thread, every gradient
    /// accumulator but the first. Parameters and gradients, the caller's, are not among them.
    pub fn memory_bytes(&self) -> usize {
        let rotary =
            self.tables.rotary.iter().map(|table| 2 * size_of_val(table.cosines.as_slice()));
        self.accumulators.bytes() + rotary.sum::<usize>()
    }

    /// Floating-point operations of forward and backward per token, in matrix products alone.
    ///
    /// Six per weight of a linear map or the head, and per layer 3·4·width for each of the
    /// (context + 1)/2 keys that a query sees on average. What the backward computes a second time
    /// is not counted.
    pub fn flops_per_token(&self) -> f64 {
        let GptConfig { vocabulary, context, layers, width, .. } = self.config;
        let maps = if self.config.activation == Activation::SwiGlu { 3 } else { 2 };
        let weights =
            vocabulary * width + layers * (4 * width * width + maps * width * self.config.hidden());
        6.0 * weights as f64 + 12.0 * (layers * width) as f64 * 0.5 * (context as f64 + 1.0)
    }

    fn check(&self, parameters: &[F], inputs: &[u32], targets: &[u32]) -> Result<(), NnError> {
        check_length("parameters", parameters.len(), self.parameter_count)?;
        let context = self.config.context;
        let sequences = inputs.len() / context;
        if inputs.len() != sequences * context || !(1..=self.sequences).contains(&sequences) {
            let expected = format!("1 to {} sequences of {context} tokens", self.sequences);
            return Err(NnError::Length { what: "inputs", given: inputs.len(), expected });
        }
        check_length("targets", targets.len(), inputs.len())?;
        let vocabulary = self.config.vocabulary;
        for (what, tokens) in [("inputs", inputs), ("targets", targets)] {
            if let Some(index) = tokens.iter().position(|token| *token as usize >= vocabulary) {
                return Err(NnError::Token { what, index, token: tokens[index], vocabulary });
            }
        }
        Ok(())
    }
}

/// One batch, as every thread sees it.
struct Batch<'a, F> {
    model: &'a Model,
    tables: &'a Tables<F>,
    /// Tokens of a micro-batch; the last may have fewer.
    capacity: usize,
    parameters: &'a [F],
    inputs: &'a [u32],
    targets: &'a [u32],
    dropout: Option<(f64, Stream)>,
}

impl<F: Float> Batch<'_, F> {
    /// Sum of losses of the micro-batch of some sequences; its gradient is added to `gradients`.
    fn run(
        &self,
        buffers: &mut Buffers<F>,
        sequences: Range<usize>,
        gradients: Option<&mut [F]>,
    ) -> f64 {
        let with_gradient = gradients.is_some();
        let mut workspace = self.workspace(buffers, sequences, gradients.unwrap_or_default());
        if with_gradient {
            self.model.loss_and_gradient(&mut workspace)
        } else {
            self.model.loss(&mut workspace)
        }
    }

    /// The logits of what follows the token at `position` of the only sequence.
    fn logits(
        &self,
        buffers: &mut Buffers<F>,
        sequences: Range<usize>,
        position: usize,
        logits: &mut [F],
    ) {
        let mut workspace = self.workspace(buffers, sequences, &mut []);
        self.model.logits(&mut workspace, position, logits);
    }

    fn workspace<'b>(
        &'b self,
        buffers: &'b mut Buffers<F>,
        sequences: Range<usize>,
        gradients: &'b mut [F],
    ) -> Workspace<'b, F> {
        let context = self.tables.context;
        let tokens = sequences.start * context..sequences.end * context;
        Workspace {
            tables: self.tables,
            batch: MicroBatch {
                sequences: sequences.len(),
                first_sequence: sequences.start,
                inputs: &self.inputs[tokens.clone()],
                targets: &self.targets[tokens],
                gradient_scale: 1.0 / self.targets.len() as f64,
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

    #[test]
    fn the_loss_is_that_of_the_logits() {
        for tied in [true, false] {
            let mut config = GptConfig::new(30, 8, 2, 16, 2);
            config.tied_head = tied;
            config.init_std = 0.2;
            let mut initial = vec![0.0f32; config.layout().len];
            config.initialize(1, &mut initial).unwrap();
            let parameters: Vec<f64> = initial.into_iter().map(f64::from).collect();
            let mut gpt = Gpt::new(config, 1, 1).unwrap();
            let tokens: Vec<u32> = (0..9).map(|index| (index * index + 7 * index) % 30).collect();
            let (inputs, targets) = (&tokens[..8], &tokens[1..]);
            let mut total = 0.0;
            for (place, target) in targets.iter().enumerate() {
                let logits = gpt.next_token_logits(&parameters, &inputs[..=place]).unwrap();
                let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
                total += sum.ln() - logits[*target as usize];
            }
            let loss = gpt.loss(&parameters, inputs, targets).unwrap();
            assert!((total / 8.0 - loss).abs() < 1e-12, "{total} {loss}");
        }
    }

    #[test]
    fn dropout_does_not_depend_on_the_cut_into_micro_batches() {
        let mut config = GptConfig::new(30, 16, 2, 16, 2);
        config.dropout = 0.3;
        config.init_std = 0.2;
        let mut initial = vec![0.0f32; config.layout().len];
        config.initialize(1, &mut initial).unwrap();
        let parameters: Vec<f64> = initial.into_iter().map(f64::from).collect();
        let tokens: Vec<u32> = (0..12 * 16).map(|index| (index * index + 7 * index) % 30).collect();
        let run = |micro_sequences| {
            let mut gpt = Gpt::new(config.clone(), 12, 1).unwrap();
            gpt.accumulators.micro_items = micro_sequences;
            let mut gradients = vec![f64::NAN; parameters.len()];
            let key = DropoutKey { seed: 2, step: 5 };
            let loss =
                gpt.loss_and_gradient(&parameters, &mut gradients, &tokens, &tokens, key).unwrap();
            (loss, gradients)
        };
        let (whole_loss, whole) = run(12);
        for micro_sequences in [1, 5] {
            let (loss, gradients) = run(micro_sequences);
            assert!((loss - whole_loss).abs() < 1e-12 * whole_loss);
            assert!(gradients.iter().zip(&whole).all(|(a, b)| (a - b).abs() < 1e-13));
        }
    }
}
