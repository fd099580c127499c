//! A step from its beginning to its end.

use pulp::Arch;

use crate::clip::{self, SquaredNorm};
use crate::config::{Direction, OptimizerConfig, StepSettings, TensorSettings, validate_tensors};
use crate::direction::{Adam, Direction as Kernel, Lion, Momentum, Plain};
use crate::error::OptimError;
use crate::measurement::{StepReport, TensorMeasurement};
use crate::moves::{Mover, TensorMove};
use crate::muon::{Matrix, MuonSettings};
use crate::newton_schulz::Workspace;
use crate::pass::{Slices, Sums};
use crate::state::State;
use crate::sweep::{Arenas, Chunk, chunks, sweep};

/// An optimizer of one arena of parameters, with its state.
///
/// ```
/// use wd_decay::{DecayRule, LearningRate, PeakLearningRate};
/// use wd_optim::{AdamParameters, Direction, Optimizer, OptimizerConfig, StepSettings, TensorSettings};
///
/// let config = OptimizerConfig {
///     direction: Direction::Adam(AdamParameters::default()),
///     rule: DecayRule::Decoupled,
///     cautious: false,
///     clip: Some(1.0),
/// };
/// let matrix = TensorSettings { offset: 0, shape: vec![2, 2], lambda: 0.1, auxiliary: false };
/// let mut optimizer = Optimizer::new(config, vec![matrix], 4)?;
/// let mut weights = [1.0, -1.0, 1.0, -1.0];
/// let settings = StepSettings {
///     learning_rate: LearningRate(0.5),
///     peak_learning_rate: PeakLearningRate(0.5),
///     lambda_factor: 1.0,
/// };
/// // Without a gradient only the decay moves the weights: by ηλ = 0.05.
/// let report = optimizer.step(&mut weights, &[0.0; 4], settings)?;
/// assert_eq!(weights, [0.95, -0.95, 0.95, -0.95]);
/// assert!((report.tensors[0].decay_norm - 0.05 * 2.0).abs() < 1e-7);
/// # Ok::<(), wd_optim::OptimError>(())
/// ```
pub struct Optimizer {
    config: OptimizerConfig,
    tensors: Vec<TensorSettings>,
    parameters: usize,
    steps_taken: u64,
    arch: Arch,
    state: State,
    /// Empty where weights decay to 0.
    anchor: Vec<f32>,
    /// Every tensor that is moved coordinate by coordinate.
    elementwise: Vec<Chunk>,
    /// Every tensor that Muon orthogonalises.
    matrices: Vec<Matrix>,
    // What a step fills in anew; kept so that it allocates nothing.
    workspace: Workspace,
    moves: Vec<TensorMove>,
    chunk_sums: Vec<Sums>,
    tensor_sums: Vec<Sums>,
    measurements: Vec<TensorMeasurement>,
}

impl Optimizer {
    /// An optimizer for an arena of `parameters` elements in which these tensors lie, in order.
    ///
    /// Elements that belong to no tensor are left alone.
    ///
    /// # Errors
    /// When the configuration is refused (see [`OptimizerConfig::validate`]), a λ is negative or
    /// not finite, tensors overlap, are out of order or leave the arena, or Muon is given a tensor
    /// that is no matrix and not auxiliary.
    pub fn new(
        config: OptimizerConfig,
        tensors: Vec<TensorSettings>,
        parameters: usize,
    ) -> Result<Self, OptimError> {
        config.validate()?;
        validate_tensors(&config, &tensors, parameters)?;
        let is_muon = matches!(config.direction, Direction::Muon { .. });
        let mut elementwise = Vec::new();
        let mut matrices = Vec::new();
        let mut auxiliary = 0;
        for (index, tensor) in tensors.iter().enumerate() {
            let (offset, length) = (tensor.offset, tensor.len());
            match tensor.shape[..] {
                [rows, columns] if is_muon && !tensor.auxiliary => {
                    let chunks = chunks(index, offset, 0, length).collect();
                    matrices.push(Matrix {
                        tensor: index,
                        offset,
                        rows,
                        columns,
                        chunks,
                    });
                }
                _ => {
                    let second_start = if is_muon { auxiliary } else { offset };
                    elementwise.extend(chunks(index, offset, second_start, length));
                    auxiliary += length;
                }
            }
        }
        let most_chunks = matrices
            .iter()
            .map(|matrix| matrix.chunks.len())
            .fold(elementwise.len(), usize::max);
        Ok(Optimizer {
            config,
            parameters,
            steps_taken: 0,
            arch: Arch::new(),
            state: State::new(&config.direction, parameters, auxiliary),
            anchor: Vec::new(),
            workspace: Workspace::new(matrices.iter().map(|matrix| (matrix.rows, matrix.columns))),
            elementwise,
            matrices,
            moves: vec![TensorMove::default(); tensors.len()],
            chunk_sums: vec![Sums::default(); most_chunks],
            tensor_sums: vec![Sums::default(); tensors.len()],
            measurements: vec![TensorMeasurement::default(); tensors.len()],
            tensors,
        })
    }

    /// Lets the weights decay to `anchor`, of one element a parameter, instead of 0.
    ///
    /// # Errors
    /// When the anchor has not as many elements as the arena.
    pub fn set_anchor(&mut self, anchor: Vec<f32>) -> Result<(), OptimError> {
        self.check_length("the anchor", anchor.len())?;
        self.anchor = anchor;
        Ok(())
    }

    /// Moves the parameters by one step.
    ///
    /// Runs in the current rayon pool, and allocates nothing (but for the memory in which a thread
    /// computes the first of its matrix products, under Muon).
    ///
    /// # Errors
    /// For slices of the wrong length, settings out of range, a decay of more than the whole
    /// weight, and, when clipping is on, gradients that are not finite: all of these before
    /// anything is changed. Without clipping there is no pass over the gradients beforehand, so
    /// such gradients do enter the weights: [`TensorMeasurement::nonfinite`] tells.
    pub fn step(
        &mut self,
        parameters: &mut [f32],
        gradients: &[f32],
        settings: StepSettings,
    ) -> Result<StepReport<'_>, OptimError> {
        self.check_length("the parameters", parameters.len())?;
        self.check_length("the gradients", gradients.len())?;
        settings.validate()?;
        let time = self.steps_taken + 1;
        for (index, (tensor, tensor_move)) in self.tensors.iter().zip(&mut self.moves).enumerate() {
            *tensor_move = TensorMove::plan(&self.config, settings, index, tensor, time)?;
        }
        let clip = match self.config.clip {
            Some(largest) => clip::factor(largest, self.gradient_norm(gradients)?),
            None => 1.0,
        };
        self.steps_taken = time;
        self.tensor_sums.fill(Sums::default());
        let arenas = (parameters, gradients);
        match self.config.direction {
            Direction::Sgd { momentum: 0.0, .. } => self.move_elementwise(Plain, arenas, clip),
            Direction::Sgd {
                momentum,
                dampening,
                nesterov,
            } => {
                if nesterov {
                    let direction = Momentum::<true>::new(momentum, dampening, time);
                    self.move_elementwise(direction, arenas, clip);
                } else {
                    let direction = Momentum::<false>::new(momentum, dampening, time);
                    self.move_elementwise(direction, arenas, clip);
                }
            }
            Direction::Lion { beta1, beta2 } => {
                self.move_elementwise(Lion::new(beta1, beta2), arenas, clip);
            }
            Direction::Adam(adam) => self.move_elementwise(Adam::new(adam, time).0, arenas, clip),
            Direction::Muon {
                momentum,
                nesterov,
                newton_schulz_steps,
                auxiliary,
                ..
            } => {
                let (parameters, gradients) = arenas;
                let adam = Adam::new(auxiliary, time).0;
                self.move_elementwise(adam, (&mut *parameters, gradients), clip);
                let settings = MuonSettings {
                    momentum,
                    nesterov,
                    newton_schulz_steps,
                    clip,
                };
                self.move_matrices(settings, parameters, gradients);
            }
        }
        for (measurement, (sums, tensor_move)) in self
            .measurements
            .iter_mut()
            .zip(self.tensor_sums.iter().zip(&self.moves))
        {
            *measurement = TensorMeasurement::of(sums, tensor_move.decay_scale);
        }
        Ok(StepReport {
            gradient_norm: global_norm(&self.tensor_sums),
            clip_factor: f64::from(clip),
            tensors: &self.measurements,
        })
    }

    /// Steps taken so far, by this optimizer or by those it was restored from.
    pub fn steps_taken(&self) -> u64 {
        self.steps_taken
    }

    /// The state, by name: `first_moment` and `second_moment` (Adam), `momentum` (SGD with
    /// momentum, Lion), `momentum` and `second_moment` (Muon; its momentum holds the auxiliary
    /// tensors' first moment in their places, its second moment only those tensors, one after
    /// another). Nothing for SGD without momentum.
    pub fn state(&self) -> Vec<(&'static str, &[f32])> {
        self.state.named()
    }

    /// Takes up a state that [`state`](Self::state) gave: the steps that follow have the bits they
    /// would have had.
    ///
    /// Hyper-parameters and the anchor are not part of the state: those that this optimizer was
    /// given stay in force.
    ///
    /// # Errors
    /// When names or lengths are not those of this optimizer; then nothing is changed.
    pub fn restore(
        &mut self,
        state: &[(String, Vec<f32>)],
        steps_taken: u64,
    ) -> Result<(), OptimError> {
        self.state.restore(state)?;
        self.steps_taken = steps_taken;
        Ok(())
    }

    fn check_length(&self, what: &str, found: usize) -> Result<(), OptimError> {
        if found == self.parameters {
            return Ok(());
        }
        Err(OptimError::WrongLength {
            what: what.to_owned(),
            expected: self.parameters,
            found,
        })
    }

    /// Norm of all gradients, or the first tensor whose norm is not finite.
    fn gradient_norm(&mut self, gradients: &[f32]) -> Result<f64, OptimError> {
        self.tensor_sums.fill(Sums::default());
        let arch = self.arch;
        let of_matrices = self.matrices.iter().map(|matrix| &matrix.chunks);
        for chunks in std::iter::once(&self.elementwise).chain(of_matrices) {
            let slices = Slices {
                weights: &mut [],
                gradients,
                first: &mut [],
                second: &mut [],
                anchor: &[],
            };
            let arenas = Arenas {
                slices,
                origin: 0,
                second_origin: 0,
            };
            sweep(chunks, arenas, &mut self.chunk_sums, &|_, slices| Sums {
                gradient: arch.dispatch(SquaredNorm(slices.gradients)),
                ..Sums::default()
            });
            gather(chunks, &self.chunk_sums, &mut self.tensor_sums);
        }
        match self
            .tensor_sums
            .iter()
            .position(|sums| !sums.gradient.is_finite())
        {
            Some(tensor) => Err(OptimError::NonFinite { tensor }),
            None => Ok(global_norm(&self.tensor_sums)),
        }
    }

    /// Moves every tensor but Muon's matrices.
    fn move_elementwise<D: Kernel>(
        &mut self,
        direction: D,
        (parameters, gradients): (&mut [f32], &[f32]),
        clip: f32,
    ) {
        let slices = Slices {
            weights: parameters,
            gradients,
            first: &mut self.state.first,
            second: &mut self.state.second,
            anchor: &self.anchor,
        };
        let arenas = Arenas {
            slices,
            origin: 0,
            second_origin: 0,
        };
        let mover = Mover {
            config: &self.config,
            arch: self.arch,
            moves: &self.moves,
            clip,
        };
        mover.run(direction, &self.elementwise, arenas, &mut self.chunk_sums);
        gather(&self.elementwise, &self.chunk_sums, &mut self.tensor_sums);
    }

    /// Moves Muon's matrices, one after another: each is divided among the threads.
    fn move_matrices(&mut self, settings: MuonSettings, parameters: &mut [f32], gradients: &[f32]) {
        // The direction itself is not clipped: the gradients that went into it were.
        let mover = Mover {
            config: &self.config,
            arch: self.arch,
            moves: &self.moves,
            clip: 1.0,
        };
        let (workspace, sums) = (&mut self.workspace, &mut self.chunk_sums);
        for matrix in &self.matrices {
            let momentums = &mut self.state.first;
            let squared = matrix.direct(gradients, momentums, workspace, sums, settings, self.arch);
            matrix.displace(parameters, &self.anchor, workspace, sums, &mover);
            gather(&matrix.chunks, sums, &mut self.tensor_sums);
            // The pass took the direction for a gradient.
            self.tensor_sums[matrix.tensor].gradient = squared;
        }
    }
}

/// Adds the sums of chunks to those of their tensors, in order.
fn gather(chunks: &[Chunk], chunk_sums: &[Sums], tensor_sums: &mut [Sums]) {
    for (chunk, sums) in chunks.iter().zip(chunk_sums) {
        tensor_sums[chunk.tensor] += *sums;
    }
}

fn global_norm(tensor_sums: &[Sums]) -> f64 {
    tensor_sums
        .iter()
        .map(|sums| sums.gradient)
        .sum::<f64>()
        .sqrt()
}
