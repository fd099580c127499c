//! The run step by step: learning rate, shrink, what is left of the start, and the predicted norm.

use serde::Serialize;

use crate::{ConventionError, DeclaredDecay};
use wd_decay::norm::next_mean_square;
use wd_decay::{Anchor, Declared, Timescale, UpdateNoise};

/// Points that a trajectory is thinned to: more than a figure shows.
const POINTS: u64 = 400;

/// Standard deviation of GPT-2's initial weights (Radford et al. 2019, `model.py`: 0.02; nanoGPT
/// too), taken where a run does not say its own.
const DEFAULT_INIT_STD: f64 = 0.02;

/// Shrinks below this leave a bf16 weight as it was: bf16 has 8 significant bits, so that
/// neighbours are 2⁻⁸ to 2⁻⁷ of a weight apart, and half of the least gap rounds back.
pub(super) const BF16_LEAST_SHRINK: f64 = 1.0 / 512.0;

/// Shrinks below this leave an f32 weight as it was: f32 has 24 significant bits, so that below 1
/// neighbours are 2⁻²⁴ apart, and 1 − s rounds back to 1.
pub(super) const F32_LEAST_SHRINK: f64 = 1.0 / 33_554_432.0;

/// Whether a run of `steps` steps keeps this one, of some four hundred.
pub(super) fn kept(step: u64, steps: u64) -> bool {
    let place = |step: u64| step * (POINTS - 1) / (steps - 1).max(1);
    step == 0 || place(step) != place(step - 1)
}

/// A run's trajectory, computed at every step and kept at some four hundred of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trajectory {
    /// RMS of the weights before the first step; a default where the run does not say it.
    pub initial_rms: Declared,
    /// κ, the share of the start that is left, τ; absent where shrinks depend on unknown gradients.
    #[serde(skip)]
    pub timescale: Option<Timescale>,
    /// Share of the decaying steps whose shrink is below 2⁻⁹.
    pub share_of_steps_below_bf16: f64,
    /// Share of the decaying steps whose shrink is below 2⁻²⁵.
    pub share_of_steps_below_f32: f64,
    /// The points, in order of steps.
    pub points: Vec<TrajectoryPoint>,
}

/// The run at one step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TrajectoryPoint {
    /// The step, counted from 1.
    pub step: u64,
    /// η_t.
    pub learning_rate: f64,
    /// s_t; absent where it depends on unknown gradients.
    pub shrink: Option<f64>,
    /// Π(1 − s) up to this step: what is left of the initial weights.
    pub initial_share: Option<f64>,
    /// RMS of the weights after this step by the norm recursion; absent where theory is silent.
    pub rms: Option<f64>,
    /// RMS of the weights in equilibrium, were this step's η and s to stay.
    pub equilibrium_rms: Option<f64>,
}

impl Trajectory {
    /// The trajectory of a run; absent without a learning rate or a number of steps.
    pub(super) fn of(decay: &DeclaredDecay) -> Result<Option<Self>, ConventionError> {
        let (Some(steps), Some(_)) = (decay.steps()?, decay.peak_learning_rate()) else {
            return Ok(None);
        };
        let initial_rms = initial_rms(decay);
        let mut recursion = Recursion::of(decay);
        let kept = |step: u64| kept(step, steps);
        let mut points = Vec::new();
        let mut initial_share = 1.0;
        let (mut decaying, mut lost, mut swallowed) = (0u64, 0u64, 0u64);
        let timescale = (0..steps)
            .map(|step| {
                let Taken { learning_rate, shrink, share } = recursion.step(step);
                let learning_rate = learning_rate?;
                let mut point = TrajectoryPoint {
                    step: step + 1,
                    learning_rate,
                    shrink,
                    initial_share: None,
                    rms: None,
                    equilibrium_rms: None,
                };
                if let Some(shrink) = shrink {
                    decaying += u64::from(shrink > 0.0);
                    lost += u64::from(shrink > 0.0 && shrink < BF16_LEAST_SHRINK);
                    swallowed += u64::from(shrink > 0.0 && shrink < F32_LEAST_SHRINK);
                    initial_share *= 1.0 - shrink;
                    point.initial_share = Some(initial_share);
                    if let Some(noise) = recursion.noise {
                        point.rms = Some(recursion.mean_square.sqrt());
                        let equilibrium = share * noise.equilibrium(learning_rate, shrink).rms;
                        point.equilibrium_rms = equilibrium.is_finite().then_some(equilibrium);
                    }
                }
                if kept(step) {
                    points.push(point);
                }
                shrink
            })
            .collect::<Option<Timescale>>();
        // Without shrinks the collection ends at once; the rates are still of use.
        if timescale.is_none() {
            points = (0..steps)
                .filter(|step| kept(*step))
                .filter_map(|step| {
                    Some(TrajectoryPoint {
                        step: step + 1,
                        learning_rate: decay.learning_rate(step)?,
                        shrink: None,
                        initial_share: None,
                        rms: None,
                        equilibrium_rms: None,
                    })
                })
                .collect();
        }
        Ok(Some(Trajectory {
            initial_rms,
            timescale,
            share_of_steps_below_bf16: lost as f64 / decaying.max(1) as f64,
            share_of_steps_below_f32: swallowed as f64 / decaying.max(1) as f64,
            points,
        }))
    }

    /// The last point; absent for a run of no steps.
    pub fn last(&self) -> Option<&TrajectoryPoint> {
        self.points.last()
    }
}

fn initial_rms(decay: &DeclaredDecay) -> Declared {
    match decay.run.init_std {
        Some(stated) => Declared::stated(stated),
        None => Declared::by_default(DEFAULT_INIT_STD),
    }
}

/// The weights step by step: their mean square by the norm recursion, on which a shrink may depend.
pub(super) struct Recursion<'a> {
    decay: &'a DeclaredDecay,
    /// Absent where theory is silent: the mean square then stays that of the start.
    noise: Option<UpdateNoise>,
    mean_square: f64,
}

/// What a step does.
pub(super) struct Taken {
    pub(super) learning_rate: Option<f64>,
    pub(super) shrink: Option<f64>,
    /// The gradient's share of what the optimizer divides by.
    share: f64,
}

impl<'a> Recursion<'a> {
    pub(super) fn of(decay: &'a DeclaredDecay) -> Self {
        let noise = predictable(decay).then(|| decay.noise()).flatten();
        Recursion { decay, noise, mean_square: initial_rms(decay).value.powi(2) }
    }

    /// Takes the next step.
    pub(super) fn step(&mut self, step: u64) -> Taken {
        let weight_rms = self.mean_square.sqrt();
        let learning_rate = self.decay.learning_rate(step);
        let shrink = self.decay.shrink(step, weight_rms);
        let share = self.decay.gradient_share(Some(step), weight_rms);
        if let (Some(noise), Some(rate), Some(shrink)) = (self.noise, learning_rate, shrink) {
            let diffusion = noise.diffusion() * share * share;
            self.mean_square = next_mean_square(self.mean_square, rate, shrink, diffusion);
        }
        Taken { learning_rate, shrink, share }
    }
}

/// Does the norm recursion hold for this kind of decay?
pub(super) fn predictable(decay: &DeclaredDecay) -> bool {
    decay.anchor == Anchor::Zero && !decay.cautious()
}
