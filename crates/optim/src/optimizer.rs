//! A step from its beginning to its end.

use pulp::Arch;
use wd_decay::{DecayRule, Storage};

use crate::chunks::{Arenas, Chunk, chunks, over_chunks};
use crate::clip::{self, SquaredNorm};
use crate::config::{
    Direction, OptimizerConfig, StepSettings, TensorSettings, not_negative, validate_tensors,
};
use crate::direction::{Adam, Direction as Kernel, Lion, Momentum, Plain};
use crate::error::OptimError;
use crate::measurement::{StepReport, TensorMeasurement};
use crate::moves::{Mover, TensorMove};
use crate::muon::{Matrix, MuonSettings};
use crate::newton_schulz::Workspace;
use crate::pass::{Slices, Sums};
use crate::sphere::{Held, OnSphere};
use crate::state::State;
use crate::storage::Rounding;

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
    /// The norm that each tensor decays to or is held at; empty where weights decay elsewhere.
    norm_targets: Vec<f64>,
    /// What the learning rate of each tensor is multiplied by; empty where all have the same.
    rate_ratios: Vec<f64>,
    /// The norms by which the learning rate of each tensor is divided, to be multiplied by its own;
    /// empty where it is the rate that is given.
    pace: Vec<f64>,
    /// Absent where weights are stored in f32.
    rounding: Option<Rounding>,
    /// Every tensor that is moved coordinate by coordinate.
    elementwise: Vec<Chunk>,
    /// Every tensor that Muon orthogonalises.
    matrices: Vec<Matrix>,
    /// Every other tensor whose norm is held.
    held: Vec<Held>,
    // What a step fills in anew; kept so that it allocates nothing.
    workspace: Workspace,
    held_direction: Vec<f32>,
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
    /// not finite, tensors overlap, are out of order or leave the arena, Muon is given a tensor
    /// that is no matrix and not auxiliary, or Hyperball is to hold one that is no matrix.
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
        let mut held = Vec::new();
        let mut auxiliary = 0;
        for (index, tensor) in tensors.iter().enumerate() {
            let (offset, length) = (tensor.offset, tensor.len());
            match tensor.matrix() {
                Some((rows, columns)) if is_muon && !tensor.auxiliary => {
                    let chunks = chunks(index, offset, 0, length).collect();
                    matrices.push(Matrix { tensor: index, offset, rows, columns, chunks });
                }
                _ => {
                    let second_start = if is_muon { auxiliary } else { offset };
                    let chunks = chunks(index, offset, second_start, length);
                    if config.rule == DecayRule::Hyperball && tensor.lambda > 0.0 {
                        held.push(Held {
                            tensor: index,
                            second_start,
                            range: offset..offset + length,
                            chunks: chunks.collect(),
                        });
                    } else {
                        elementwise.extend(chunks);
                    }
                    auxiliary += length;
                }
            }
        }
        let most_chunks = matrices
            .iter()
            .map(|matrix| matrix.chunks.len())
            .chain(held.iter().map(|held| held.chunks.len()))
            .fold(elementwise.len(), usize::max);
        Ok(Optimizer {
            config,
            parameters,
            steps_taken: 0,
            arch: Arch::new(),
            state: State::new(&config.direction, parameters, auxiliary),
            anchor: Vec::new(),
            norm_targets: Vec::new(),
            rate_ratios: Vec::new(),
            pace: Vec::new(),
            rounding: None,
            workspace: Workspace::new(matrices.iter().map(|matrix| (matrix.rows, matrix.columns))),
            held_direction: vec![0.0; held.iter().map(|held| held.range.len()).max().unwrap_or(0)],
            elementwise,
            matrices,
            held,
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
    /// When the anchor has not as many elements as the arena; under Hyperball, which decays to
    /// nothing.
    pub fn set_anchor(&mut self, anchor: Vec<f32>) -> Result<(), OptimError> {
        self.check_length("the anchor", anchor.len())?;
        if self.config.rule == DecayRule::Hyperball {
            return Err(OptimError::Refused(
                "hyperball holds norms and decays to no point: leave the anchor out",
            ));
        }
        self.anchor = anchor;
        self.norm_targets.clear();
        Ok(())
    }

    /// Lets each tensor decay to the norm R = `ratio`·‖w₀‖ instead of 0, where w₀ is its part of
    /// `initial`; under Hyperball, holds it there.
    ///
    /// With R the target and c = 1 − R/‖w‖, w − a is cw: of a matrix of norm 2R a shrink of 0.1
    /// takes 0.05. It takes the place of an anchor, and is no part of the saved state: a run that
    /// goes on gives the same `initial` again.
    ///
    /// # Errors
    /// When `initial` has not as many elements as the arena; a ratio that is not finite or below 0,
    /// or under Hyperball not above it; a tensor that Hyperball would hold at 0.
    pub fn set_norm_target(&mut self, initial: &[f32], ratio: f64) -> Result<(), OptimError> {
        self.check_length("the initial weights", initial.len())?;
        let holds = self.config.rule == DecayRule::Hyperball;
        if !ratio.is_finite() || ratio < 0.0 || (holds && ratio == 0.0) {
            return Err(OptimError::OutOfRange {
                name: "the target norm, as a multiple of the initial one,",
                value: ratio,
                range: "finite and at least 0, and under hyperball above 0",
            });
        }
        self.square(initial);
        if let Some(tensor) =
            self.tensors.iter().zip(&self.tensor_sums).position(|(tensor, sums)| {
                holds && tensor.lambda > 0.0 && !tensor.is_empty() && sums.gradient == 0.0
            })
        {
            return Err(OptimError::HeldAtZero { tensor });
        }
        self.norm_targets =
            self.tensor_sums.iter().map(|sums| ratio * sums.gradient.sqrt()).collect();
        self.anchor.clear();
        Ok(())
    }

    /// Stores the weights in another format than f32: after each step every weight is a number
    /// that it has. The parameters that are given to [`step`](Self::step) have to be such numbers
    /// from the first step on, as [`round_to_bf16`](crate::round_to_bf16) makes them.
    ///
    /// Stochastic rounding depends on `seed`, the step and the place of a weight in the arena
    /// alone. It is no part of the saved state: a run that goes on gives the same storage again.
    ///
    /// # Errors
    /// For what [`OptimizerConfig::validate_storage`] refuses.
    pub fn set_storage(&mut self, storage: Storage, seed: u64) -> Result<(), OptimError> {
        self.config.validate_storage(storage)?;
        self.rounding =
            (storage != Storage::F32).then(|| Rounding::new(storage, seed, self.parameters));
        Ok(())
    }

    /// Gives each tensor a learning rate of its own: `ratios[tensor]` times that of a step, and its
    /// peak likewise.
    ///
    /// It is no part of the saved state: a run that goes on gives the same ratios again.
    ///
    /// # Errors
    /// When there is not one ratio a tensor, or one is negative or not finite.
    pub fn set_rate_ratios(&mut self, ratios: &[f64]) -> Result<(), OptimError> {
        self.check_one_a_tensor("the ratios", ratios.len())?;
        for ratio in ratios {
            not_negative("ratio of learning rates", *ratio)?;
        }
        self.rate_ratios = ratios.to_vec();
        Ok(())
    }

    /// Lets the steps that follow move each tensor by the share of its norm by which they would
    /// move one of norm `norms[tensor]`: its learning rate, and the peak with it, is multiplied by
    /// ‖w‖/norm. A norm that is not finite, or 0, and weights of norm 0 leave the rate as it is.
    ///
    /// It is no part of the saved state: the norms of every step are given again.
    ///
    /// # Errors
    /// When there is not one norm a tensor; under Hyperball, whose steps are shares of the norm
    /// already.
    pub fn set_pace(&mut self, norms: &[f64]) -> Result<(), OptimError> {
        self.check_one_a_tensor("the norms", norms.len())?;
        if self.config.rule == DecayRule::Hyperball {
            return Err(OptimError::Refused(
                "hyperball moves every tensor by a share of its norm already: leave the other \
                 norms out",
            ));
        }
        self.pace.clear();
        self.pace.extend_from_slice(norms);
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
        let holds = self.config.rule == DecayRule::Hyperball;
        if holds && settings.lambda_factor != 1.0 {
            return Err(OptimError::Refused(
                "hyperball has no weight decay that a schedule could multiply: schedule the \
                 learning rate",
            ));
        }
        let is_to_a_norm = !self.norm_targets.is_empty() && !holds;
        if is_to_a_norm || !self.pace.is_empty() {
            self.square(parameters);
        }
        if holds
            && self.norm_targets.is_empty()
            && self.tensors.iter().any(|tensor| tensor.lambda > 0.0)
        {
            return Err(OptimError::NoNormTarget);
        }
        for (index, (tensor, tensor_move)) in self.tensors.iter().zip(&mut self.moves).enumerate() {
            let norm = self.tensor_sums[index].gradient.sqrt();
            let reach = match norm {
                norm if is_to_a_norm && norm > 0.0 => 1.0 - self.norm_targets[index] / norm,
                _ if is_to_a_norm => 0.0,
                _ => 1.0,
            };
            let settings = match self.rate_ratios.get(index) {
                Some(ratio) => settings.times(*ratio),
                None => settings,
            };
            let settings = match self.pace.get(index) {
                Some(pace) if pace.is_finite() && *pace > 0.0 && norm > 0.0 => {
                    settings.times(norm / pace)
                }
                _ => settings,
            };
            *tensor_move = TensorMove::plan(&self.config, settings, index, tensor, time, reach)?;
        }
        let clip = match self.config.clip {
            Some(largest) => clip::factor(largest, self.gradient_norm(gradients)?),
            None => 1.0,
        };
        self.steps_taken = time;
        self.tensor_sums.fill(Sums::default());
        self.decay_and_round(parameters);
        let arenas = (&mut *parameters, gradients);
        match self.config.direction {
            Direction::Sgd { momentum: 0.0, .. } => self.move_elementwise(Plain, arenas, clip),
            Direction::Sgd { momentum, dampening, nesterov } => {
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
            Direction::Muon { momentum, nesterov, newton_schulz_steps, auxiliary, .. } => {
                let (parameters, gradients) = arenas;
                let adam = Adam::new(auxiliary, time).0;
                self.move_elementwise(adam, (&mut *parameters, gradients), clip);
                let settings = MuonSettings { momentum, nesterov, newton_schulz_steps, clip };
                self.move_matrices(settings, parameters, gradients);
            }
        }
        self.round(parameters);
        for (measurement, (sums, tensor_move)) in
            self.measurements.iter_mut().zip(self.tensor_sums.iter().zip(&self.moves))
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
    /// Hyper-parameters, the anchor and the norm targets are not part of the state: those that this
    /// optimizer was given stay in force.
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

    fn check_one_a_tensor(&self, what: &str, found: usize) -> Result<(), OptimError> {
        let expected = self.tensors.len();
        if found == expected {
            return Ok(());
        }
        Err(OptimError::WrongLength { what: what.to_owned(), expected, found })
    }

    fn check_length(&self, what: &str, found: usize) -> Result<(), OptimError> {
        if found == self.parameters {
            return Ok(());
        }
        Err(OptimError::WrongLength { what: what.to_owned(), expected: self.parameters, found })
    }

    /// Norm of all gradients, or the first tensor whose norm is not finite.
    fn gradient_norm(&mut self, gradients: &[f32]) -> Result<f64, OptimError> {
        self.square(gradients);
        match self.tensor_sums.iter().position(|sums| !sums.gradient.is_finite()) {
            Some(tensor) => Err(OptimError::NonFinite { tensor }),
            None => Ok(global_norm(&self.tensor_sums)),
        }
    }

    /// Leaves in the sums of each tensor, as `gradient`, the sum of the squares of its part of
    /// `values`.
    fn square(&mut self, values: &[f32]) {
        self.tensor_sums.fill(Sums::default());
        let arch = self.arch;
        let of_matrices = self.matrices.iter().map(|matrix| &matrix.chunks);
        let of_held = self.held.iter().map(|held| &held.chunks);
        for chunks in std::iter::once(&self.elementwise).chain(of_matrices).chain(of_held) {
            let slices = Slices {
                weights: &mut [],
                gradients: values,
                first: &mut [],
                second: &mut [],
                anchor: &[],
            };
            let arenas = Arenas { slices, origin: 0, second_origin: 0 };
            over_chunks(chunks, arenas, &mut self.chunk_sums, &|_, slices| Sums {
                gradient: arch.dispatch(SquaredNorm(slices.gradients)),
                ..Sums::default()
            });
            gather(chunks, &self.chunk_sums, &mut self.tensor_sums);
        }
    }

    /// Where weights are rounded after their decay, does it before the update, which then has none
    /// of its own.
    fn decay_and_round(&mut self, parameters: &mut [f32]) {
        let Some(rounding) = &mut self.rounding else { return };
        rounding.begin(parameters);
        let is_apart = !matches!(self.config.rule, DecayRule::CoupledL2 | DecayRule::Hyperball);
        if rounding.storage != Storage::Bf16Nearest || !is_apart {
            return;
        }
        let of_matrices = self.matrices.iter().map(|matrix| &matrix.chunks);
        for chunks in std::iter::once(&self.elementwise).chain(of_matrices) {
            let arenas = (&mut *parameters, &self.anchor[..]);
            rounding.decay(chunks, &self.moves, arenas, &mut self.chunk_sums);
            gather(chunks, &self.chunk_sums, &mut self.tensor_sums);
        }
        for tensor_move in &mut self.moves {
            *tensor_move = tensor_move.without_decay();
        }
    }

    /// Rounds the weights after the step, and measures it anew.
    fn round(&mut self, parameters: &mut [f32]) {
        let Some(rounding) = &self.rounding else { return };
        for sums in &mut self.tensor_sums {
            (sums.weight, sums.update) = (0.0, 0.0);
        }
        let of_matrices = self.matrices.iter().map(|matrix| &matrix.chunks);
        let of_held = self.held.iter().map(|held| &held.chunks);
        for chunks in std::iter::once(&self.elementwise).chain(of_matrices).chain(of_held) {
            rounding.round(chunks, parameters, self.steps_taken, &mut self.chunk_sums);
            gather(chunks, &self.chunk_sums, &mut self.tensor_sums);
        }
    }

    /// Moves every tensor but Muon's matrices: those whose norm is held one after another, each
    /// divided among the threads, and the others together.
    fn move_elementwise<D: Kernel>(
        &mut self,
        direction: D,
        (parameters, gradients): (&mut [f32], &[f32]),
        clip: f32,
    ) {
        let mut mover =
            Mover { config: &self.config, arch: self.arch, moves: &mut self.moves, clip };
        for held in &self.held {
            mover.clip = clip;
            let (state, sums) = (&mut self.state, &mut self.chunk_sums);
            held.direct(direction, gradients, state, &mut self.held_direction, sums, &mover);
            gather(&held.chunks, sums, &mut self.tensor_sums);
            let squared = self.tensor_sums[held.tensor].gradient;
            self.tensor_sums[held.tensor] = Sums::default();
            // The direction itself is not clipped: the gradients that went into it were.
            mover.clip = 1.0;
            let mut on_sphere = OnSphere {
                tensor: held.tensor,
                chunks: &held.chunks,
                origin: held.range.start,
                weights: &mut parameters[held.range.clone()],
                direction: &self.held_direction[..held.range.len()],
                radius: self.norm_targets[held.tensor],
            };
            on_sphere.displace(&mut mover, sums);
            gather(&held.chunks, sums, &mut self.tensor_sums);
            // The pass took the direction for a gradient.
            self.tensor_sums[held.tensor].gradient = squared;
        }
        mover.clip = clip;
        let slices = Slices {
            weights: parameters,
            gradients,
            first: &mut self.state.first,
            second: &mut self.state.second,
            anchor: &self.anchor,
        };
        let arenas = Arenas { slices, origin: 0, second_origin: 0 };
        mover.run(direction, &self.elementwise, arenas, &mut self.chunk_sums);
        gather(&self.elementwise, &self.chunk_sums, &mut self.tensor_sums);
    }

    /// Moves Muon's matrices, one after another: each is divided among the threads.
    fn move_matrices(&mut self, settings: MuonSettings, parameters: &mut [f32], gradients: &[f32]) {
        // The direction itself is not clipped: the gradients that went into it were.
        let mut mover =
            Mover { config: &self.config, arch: self.arch, moves: &mut self.moves, clip: 1.0 };
        let (workspace, sums) = (&mut self.workspace, &mut self.chunk_sums);
        for matrix in &self.matrices {
            let momentums = &mut self.state.first;
            let squared = matrix.direct(gradients, momentums, workspace, sums, settings, self.arch);
            let is_held = self.config.rule == DecayRule::Hyperball
                && self.tensors[matrix.tensor].lambda > 0.0;
            if is_held {
                let mut on_sphere = OnSphere {
                    tensor: matrix.tensor,
                    chunks: &matrix.chunks,
                    origin: matrix.offset,
                    weights: &mut parameters[matrix.range()],
                    direction: workspace.matrix(matrix.rows, matrix.columns),
                    radius: self.norm_targets[matrix.tensor],
                };
                on_sphere.displace(&mut mover, sums);
            } else {
                matrix.displace(parameters, &self.anchor, workspace, sums, &mover);
            }
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
    tensor_sums.iter().map(|sums| sums.gradient).sum::<f64>().sqrt()
}
