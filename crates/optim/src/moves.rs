//! How far one step moves each tensor, and the moving.

use pulp::Arch;
use wd_decay::{Application, DecayRule, LearningRate, PeakLearningRate, Shrink};

use crate::chunks::{Arenas, Chunk, over_chunks};
use crate::config::{Direction, OptimizerConfig, StepSettings, TensorSettings};
use crate::decay::{Coupled, Decay, DecayStep, Decoupled};
use crate::direction::{Adam, Direction as Kernel};
use crate::error::OptimError;
use crate::newton_schulz::shape_factor;
use crate::pass::{Pass, Sums};

/// How far this step moves one tensor.
#[derive(Clone, Copy, Default)]
pub(crate) struct TensorMove {
    pub(crate) decay: DecayStep,
    /// What the direction is multiplied by.
    step_size: f32,
    /// What the measured decay has still to be multiplied by.
    pub(crate) decay_scale: f64,
    /// η of a tensor whose norm is held.
    relative: f64,
}

impl TensorMove {
    /// Step `time` = 1, 2, … of the tensor with this index.
    ///
    /// `reach` is what w − a is of w: 1 where weights decay to 0, 1 − R/‖w‖ where they decay to the
    /// norm R. A tensor whose norm is held is carried from 0 to its direction first;
    /// [`on_sphere`](Self::on_sphere) follows.
    pub(crate) fn plan(
        config: &OptimizerConfig,
        settings: StepSettings,
        index: usize,
        tensor: &TensorSettings,
        time: u64,
        reach: f64,
    ) -> Result<Self, OptimError> {
        // What the learning rate of this tensor is multiplied by, and what it is divided by to be
        // the step size.
        let (ratio, divisor) = match config.direction {
            Direction::Sgd { .. } | Direction::Lion { .. } => (1.0, 1.0),
            Direction::Adam(adam) => (1.0, Adam::new(adam, time).1),
            Direction::Muon { auxiliary, auxiliary_learning_rate_ratio, .. } => {
                match tensor.matrix() {
                    Some((rows, columns)) if !tensor.auxiliary => {
                        (1.0, 1.0 / shape_factor(rows, columns))
                    }
                    _ => (auxiliary_learning_rate_ratio, Adam::new(auxiliary, time).1),
                }
            }
        };
        let rate = settings.learning_rate.0 * ratio;
        let peak = settings.peak_learning_rate.0 * ratio;
        let lambda = tensor.lambda * settings.lambda_factor;
        let step_size = (rate / divisor) as f32;
        match config.rule.apply(lambda, LearningRate(rate), PeakLearningRate(peak)) {
            Application::Gradient(lambda) => Ok(TensorMove {
                decay: DecayStep { penalty: (lambda * reach) as f32, ..DecayStep::of(0.0, 1.0) },
                step_size,
                decay_scale: rate * lambda * reach.abs(),
                relative: 0.0,
            }),
            Application::Shrink(Shrink(shrink)) if shrink <= 1.0 => Ok(TensorMove {
                decay: DecayStep::of(shrink, reach),
                step_size,
                decay_scale: 1.0,
                relative: 0.0,
            }),
            Application::Sphere => Ok(TensorMove {
                decay: DecayStep::of(1.0, 1.0),
                step_size: (-1.0 / divisor) as f32,
                decay_scale: 1.0,
                relative: rate,
            }),
            Application::Shrink(Shrink(shrink)) => {
                Err(OptimError::Overshoot { tensor: index, shrink })
            }
        }
    }

    /// The same without its decay, which was done before.
    pub(crate) fn without_decay(self) -> Self {
        TensorMove { decay: DecayStep::of(0.0, 1.0), ..self }
    }

    /// R·Norm(w − ηR·Norm(u)) as a step w ← (1 − s)w − βu, from the sums over w and u. Without a
    /// direction, w goes back to the sphere alone.
    pub(crate) fn on_sphere(self, radius: f64, sums: &Sums) -> Self {
        let length = match sums.direction {
            0.0 => 0.0,
            square => self.relative * radius / square.sqrt(),
        };
        let square = sums.weight - 2.0 * length * sums.product + length * length * sums.direction;
        // Nothing is left to be scaled only where the direction took the weights exactly to 0.
        let scale = if square > 0.0 { radius / square.sqrt() } else { 1.0 };
        TensorMove {
            decay: DecayStep::of(1.0 - scale, 1.0),
            step_size: (scale * length) as f32,
            ..self
        }
    }
}

/// The fused pass over chunks, with the decay that the configuration asks for.
pub(crate) struct Mover<'a> {
    pub(crate) config: &'a OptimizerConfig,
    pub(crate) arch: Arch,
    pub(crate) moves: &'a mut [TensorMove],
    /// What gradients are multiplied by.
    pub(crate) clip: f32,
}

impl Mover<'_> {
    /// Moves these chunks, and leaves in `sums` what was measured.
    pub(crate) fn run<D: Kernel>(
        &self,
        direction: D,
        chunks: &[Chunk],
        arenas: Arenas<'_>,
        sums: &mut [Sums],
    ) {
        let anchored = !arenas.slices.anchor.is_empty();
        match (self.config.rule, self.config.cautious, anchored) {
            (DecayRule::CoupledL2, _, false) => {
                self.run_with(direction, Coupled::<false>, chunks, arenas, sums)
            }
            (DecayRule::CoupledL2, _, true) => {
                self.run_with(direction, Coupled::<true>, chunks, arenas, sums)
            }
            (_, false, false) => {
                self.run_with(direction, Decoupled::<false, false>, chunks, arenas, sums)
            }
            (_, false, true) => {
                self.run_with(direction, Decoupled::<true, false>, chunks, arenas, sums)
            }
            (_, true, false) => {
                self.run_with(direction, Decoupled::<false, true>, chunks, arenas, sums)
            }
            (_, true, true) => {
                self.run_with(direction, Decoupled::<true, true>, chunks, arenas, sums)
            }
        }
    }

    fn run_with<D: Kernel, K: Decay>(
        &self,
        direction: D,
        decay: impl Fn(DecayStep) -> K + Sync,
        chunks: &[Chunk],
        arenas: Arenas<'_>,
        sums: &mut [Sums],
    ) {
        over_chunks(chunks, arenas, sums, &|chunk, slices| {
            let TensorMove { decay: step, step_size, .. } = self.moves[chunk.tensor];
            self.arch.dispatch(Pass {
                slices,
                direction,
                decay: decay(step),
                clip: self.clip,
                step_size,
            })
        });
    }
}
