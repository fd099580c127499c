//! A GPT with the memory to train it: cuts a batch into micro-batches, deals them to lanes, sums the lanes.
//!
//! A *lane* is a share of the batch with a gradient of its own, worked off in order by one thread. How many lanes
//! there are and which micro-batches each gets depends on the model and the batch only, never on the number of
//! threads, and lanes are summed in their order: so one seed gives the same bits on any number of threads.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use rayon::prelude::*;

use crate::device::{Arena, Cpu, MicroBatch, Tables, scratch_len};
use crate::error::check_length;
use crate::kernels::rotary::RotaryTable;
use crate::kernels::sum;
use crate::model::Model;
use crate::random::{self, Stream};
use crate::{Activation, Float, GptConfig, NnError, Position};

/// Tokens of a micro-batch, about: enough rows for the GEMM to run at its best.
const MICRO_BATCH_TOKENS: usize = 512;

/// Activations that stay near the core. A model of which [`LEAST_CACHED_TOKENS`] fit gets such micro-batches instead.
const CACHED_BYTES: usize = 5 << 19;
const LEAST_CACHED_TOKENS: usize = 128;

/// Memory that the lanes' gradients may take, unless two lanes take more.
const LANE_BYTES: usize = 64 << 20;

/// Most lanes: each costs a pass to clear and one to add its gradient, a few tenths of a percent of a tiny model's step.
const MOST_LANES: usize = 4;

/// Elements of the gradient that are summed over the lanes at a time.
const SUM_CHUNK: usize = 1 << 14;

/// Which dropout masks to draw: they are a function of (seed, step), so that a resumed run drops what an
/// uninterrupted one would. Without dropout in the configuration it has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DropoutKey {
    /// Seed of the run.
    pub seed: u64,
    /// Step of the run.
    pub step: u64,
}

/// What one thread needs to work on a micro-batch.
struct Workspace<F> {
    activations: Arena<F>,
    scratch: Arena<F>,
}

/// A share of the batch. The first lane writes into the caller's gradient instead.
struct Lane<F> {
    gradients: Arena<F>,
    loss: f64,
}

/// A GPT that computes losses and gradients; owns all the memory that a step needs, so that a step allocates nothing.
///
/// Parameters and gradients are the caller's, laid out as [`GptConfig::layout`] says. Work runs on the current rayon
/// pool; call from within [`rayon::ThreadPool::install`] (a call from outside a pool makes rayon allocate).
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
    /// Sequences of a micro-batch.
    micro_sequences: usize,
    workspaces: Vec<Mutex<Workspace<F>>>,
    /// All but the first.
    other_lanes: Vec<Lane<F>>,
    /// Sum of losses of each micro-batch, for [`Gpt::loss`].
    micro_losses: Vec<f64>,
}

impl<F: Float> Gpt<F> {
    /// Memory for batches of at most `sequences` sequences, worked on by at most `threads` threads at a time.
    ///
    /// More threads than that in the pool are not used; fewer leave memory unused. Results do not depend on it.
    ///
    /// # Errors
    /// [`NnError::Configuration`] if the configuration is not possible, or `sequences` or `threads` is 0.
    pub fn new(config: GptConfig, sequences: usize, threads: usize) -> Result<Self, NnError> {
        config.validate()?;
        for (field, value) in [("sequences", sequences), ("threads", threads)] {
            if value == 0 {
                let requirement = "it has to be at least 1".to_owned();
                return Err(NnError::Configuration {
                    field,
                    value: value.to_string(),
                    requirement,
                });
            }
        }
        let (model, layout) = Model::new(&config);
        let context = config.context;
        let cached_tokens = CACHED_BYTES / (model.activation_columns * size_of::<f32>());
        let tokens = if cached_tokens >= LEAST_CACHED_TOKENS {
            cached_tokens
        } else {
            MICRO_BATCH_TOKENS
        };
        let micro_sequences = (tokens.min(MICRO_BATCH_TOKENS) / context).clamp(1, sequences);
        let micro_batches = sequences.div_ceil(micro_sequences);
        let lane_count = (LANE_BYTES / (layout.len * size_of::<f32>()))
            .clamp(2, MOST_LANES)
            .min(micro_batches);
        let workspace = || {
            let tokens = micro_sequences * context;
            Mutex::new(Workspace {
                activations: Arena::new(tokens * model.activation_columns),
                scratch: Arena::new(scratch_len(&config, tokens)),
            })
        };
        let lane = |_| Lane {
            gradients: Arena::new(layout.len),
            loss: 0.0,
        };
        let rotary = (config.position == Position::Rope)
            .then(|| RotaryTable::new(context, config.head_width(), config.rope_base));
        Ok(Self {
            parameter_count: layout.len,
            tables: Tables { context, rotary },
            sequences,
            micro_sequences,
            workspaces: (0..threads.min(micro_batches))
                .map(|_| workspace())
                .collect(),
            other_lanes: (1..lane_count).map(lane).collect(),
            micro_losses: vec![0.0; micro_batches],
            model,
            config,
        })
    }

    /// Mean cross-entropy over all targets, in nats, and its gradient.
    ///
    /// `inputs` and `targets` hold the same number of whole sequences, one after the other, at most as many as
    /// [`Gpt::new`] was told; `gradients` is overwritten. A diverged model gives a non-finite loss, not an error.
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
        let Self {
            config,
            model,
            tables,
            workspaces,
            ..
        } = self;
        let micro_tokens = self.micro_sequences * config.context;
        let dropout = (config.dropout > 0.0).then(|| {
            (
                config.dropout,
                Stream::new(dropout.seed, random::hash(b"dropout")).within(dropout.step),
            )
        });
        let batch = Batch {
            model,
            tables,
            workspaces,
            micro_tokens,
            parameters,
            inputs,
            targets,
            dropout,
        };

        let lane_count = (1 + self.other_lanes.len()).min(batch.micro_batches());
        let other_lanes = &mut self.other_lanes[..lane_count - 1];
        let (first_loss, ()) = rayon::join(
            || batch.run_lane(0, lane_count, gradients),
            || {
                other_lanes
                    .par_iter_mut()
                    .enumerate()
                    .with_max_len(1)
                    .for_each(|(index, lane)| {
                        lane.loss = batch.run_lane(index + 1, lane_count, &mut lane.gradients);
                    });
            },
        );
        gradients
            .par_chunks_mut(SUM_CHUNK)
            .enumerate()
            .for_each(|(index, sum)| {
                for lane in &*other_lanes {
                    sum::add(sum, &lane.gradients[index * SUM_CHUNK..][..sum.len()]);
                }
            });
        let loss = other_lanes
            .iter()
            .fold(first_loss, |total, lane| total + lane.loss);
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
        let Self {
            config,
            model,
            tables,
            workspaces,
            ..
        } = self;
        let micro_tokens = self.micro_sequences * config.context;
        let batch = Batch {
            model,
            tables,
            workspaces,
            micro_tokens,
            parameters,
            inputs,
            targets,
            dropout: None,
        };
        let losses = &mut self.micro_losses[..batch.micro_batches()];
        losses
            .par_iter_mut()
            .enumerate()
            .with_max_len(1)
            .for_each(|(index, loss)| {
                *loss = batch.run_micro_batch(index, None);
            });
        Ok(losses.iter().sum::<f64>() / targets.len() as f64)
    }

    /// The configuration that the model was made from.
    pub fn config(&self) -> &GptConfig {
        &self.config
    }

    /// Bytes that the model owns: activations and scratch of every thread, gradients of every lane but the first.
    /// Parameters and gradients, the caller's, are not among them.
    pub fn memory_bytes(&self) -> usize {
        let workspaces = self.workspaces.iter().map(|workspace| {
            let workspace = workspace.lock().unwrap_or_else(PoisonError::into_inner);
            workspace.activations.bytes() + workspace.scratch.bytes()
        });
        let lanes = self.other_lanes.iter().map(|lane| lane.gradients.bytes());
        let rotary = self
            .tables
            .rotary
            .iter()
            .map(|table| 2 * size_of_val(table.cosines.as_slice()));
        workspaces.chain(lanes).chain(rotary).sum()
    }

    /// Floating-point operations of forward and backward per token, in matrix products alone.
    ///
    /// Six per weight of a linear map or the head, and per layer 3·4·width for each of the (context + 1)/2 keys that
    /// a query sees on average. What the backward computes a second time is not counted.
    pub fn flops_per_token(&self) -> f64 {
        let GptConfig {
            vocabulary,
            context,
            layers,
            width,
            ..
        } = self.config;
        let maps = if self.config.activation == Activation::SwiGlu {
            3
        } else {
            2
        };
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
            return Err(NnError::Length {
                what: "inputs",
                given: inputs.len(),
                expected,
            });
        }
        check_length("targets", targets.len(), inputs.len())?;
        let vocabulary = self.config.vocabulary;
        for (what, tokens) in [("inputs", inputs), ("targets", targets)] {
            if let Some(index) = tokens
                .iter()
                .position(|token| *token as usize >= vocabulary)
            {
                return Err(NnError::Token {
                    what,
                    index,
                    token: tokens[index],
                    vocabulary,
                });
            }
        }
        Ok(())
    }
}

/// One batch, as every thread sees it.
struct Batch<'a, F> {
    model: &'a Model,
    tables: &'a Tables<F>,
    workspaces: &'a [Mutex<Workspace<F>>],
    /// Tokens of a micro-batch; the last may have fewer.
    micro_tokens: usize,
    parameters: &'a [F],
    inputs: &'a [u32],
    targets: &'a [u32],
    dropout: Option<(f64, Stream)>,
}

impl<F: Float> Batch<'_, F> {
    fn micro_batches(&self) -> usize {
        self.inputs.len().div_ceil(self.micro_tokens)
    }

    /// Works off the micro-batches of one of `lanes` lanes; returns the sum of losses.
    fn run_lane(&self, lane: usize, lanes: usize, gradients: &mut [F]) -> f64 {
        gradients.fill(F::from_f64(0.0));
        // As even as possible.
        let share = |lane: usize| lane * self.micro_batches() / lanes;
        (share(lane)..share(lane + 1))
            .map(|index| self.run_micro_batch(index, Some(&mut *gradients)))
            .sum()
    }

    /// Sum of losses of one micro-batch; its gradient is added to `gradients`.
    fn run_micro_batch(&self, index: usize, gradients: Option<&mut [F]>) -> f64 {
        let start = index * self.micro_tokens;
        let end = (start + self.micro_tokens).min(self.inputs.len());
        let mut workspace = self.workspace();
        let Workspace {
            activations,
            scratch,
        } = &mut *workspace;
        let with_gradient = gradients.is_some();
        let mut device = Cpu {
            tables: self.tables,
            batch: MicroBatch {
                inputs: &self.inputs[start..end],
                targets: &self.targets[start..end],
                first_sequence: start / self.tables.context,
                gradient_scale: 1.0 / self.targets.len() as f64,
                dropout: self.dropout,
            },
            parameters: self.parameters,
            gradients: gradients.unwrap_or_default(),
            activations,
            capacity: self.micro_tokens,
            scratch,
        };
        if with_gradient {
            self.model.loss_and_gradient(&mut device)
        } else {
            self.model.loss(&mut device)
        }
    }

    /// A workspace that nobody uses; waits for one if the pool has more threads than there are workspaces.
    fn workspace(&self) -> MutexGuard<'_, Workspace<F>> {
        // A panic elsewhere leaves no half-written state behind: every number is written before it is read.
        let free = self
            .workspaces
            .iter()
            .find_map(|workspace| match workspace.try_lock() {
                Ok(guard) => Some(guard),
                Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
                Err(TryLockError::WouldBlock) => None,
            });
        free.unwrap_or_else(|| {
            self.workspaces[0]
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropout_does_not_depend_on_the_cut_into_micro_batches() {
        let mut config = GptConfig::new(30, 16, 2, 16, 2);
        config.dropout = 0.3;
        config.init_std = 0.2;
        let mut initial = vec![0.0f32; config.layout().len];
        config.initialize(1, &mut initial).unwrap();
        let parameters: Vec<f64> = initial.into_iter().map(f64::from).collect();
        let tokens: Vec<u32> = (0..12 * 16)
            .map(|index| (index * index + 7 * index) % 30)
            .collect();
        let run = |micro_sequences| {
            let mut gpt = Gpt::new(config.clone(), 12, 1).unwrap();
            gpt.micro_sequences = micro_sequences;
            let mut gradients = vec![f64::NAN; parameters.len()];
            let key = DropoutKey { seed: 2, step: 5 };
            let loss = gpt
                .loss_and_gradient(&parameters, &mut gradients, &tokens, &tokens, key)
                .unwrap();
            (loss, gradients)
        };
        let (whole_loss, whole) = run(12);
        for micro_sequences in [1, 5] {
            let (loss, gradients) = run(micro_sequences);
            assert!((loss - whole_loss).abs() < 1e-12 * whole_loss);
            assert!(
                gradients
                    .iter()
                    .zip(&whole)
                    .all(|(a, b)| (a - b).abs() < 1e-13)
            );
        }
    }
}
