//! One setting, and everything that follows from it: the step in numbers, how much of the start is
//! forgotten, where the norm goes, what λ means as a prior, and what to beware of.
//!
//! | file | question it answers |
//! |---|---|
//! | `equation` | what does a step do, with these numbers? |
//! | `trajectory` | what happens at every step of the run? |
//! | `memory` | which steps do the final weights hold? |
//! | `equilibrium` | which norm do the weights come to, and how fast? |
//! | `interpretation` | is it a prior, and which? |
//! | `warning` | what is likely to be otherwise than thought? |

mod equation;
mod equilibrium;
mod interpretation;
mod memory;
mod trajectory;
mod warning;

pub use equilibrium::{EquilibriumPrediction, PredictedEquilibrium};
pub use interpretation::PriorInterpretation;
pub use memory::{MemoryPoint, RunMemory};
pub use trajectory::{Trajectory, TrajectoryPoint};
pub use warning::Warning;

use serde::Serialize;

use crate::{ConventionError, DeclaredDecay, Setting};
use wd_decay::{DecayRule, Declared, Run};

/// Everything that follows from one declared decay.
///
/// What depends on numbers that were not given is absent.
///
/// # Example
/// ```
/// use wd_conventions::Setting;
///
/// let setting = Setting::read(&["torch.AdamW", "weight_decay=0.1", "lr=6e-4", "steps=50000",
///     "schedule=cosine,warmup=400,floor=0.1"])?;
/// let explanation = setting.explain()?;
/// assert!((explanation.timescale.kappa.unwrap() - 1.65).abs() < 0.01);
/// # Ok::<(), wd_conventions::ConventionError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// What is explained: `torch.AdamW`, or a file.
    pub name: String,
    /// The number that says how strong the decay is, as written: λ, `alpha`, `C` …
    pub lambda: Declared,
    /// What the library calls that number.
    pub lambda_name: String,
    /// λ itself: of a step the coefficient of its rule, of an estimator that of (λ/2)‖w‖² beside the
    /// summed loss. Absent where it needs a number that was not given.
    pub lambda_itself: Option<f64>,
    /// The rule of its steps; absent for an estimator.
    pub rule: Option<DecayRule>,
    /// Which tensors decay, in words.
    pub decayed: String,
    /// The step: in the library's symbols, then with numbers.
    pub equation: Vec<String>,
    /// s at the peak of learning rate and λ.
    pub peak_shrink: Option<f64>,
    /// κ and τ.
    pub timescale: RunTimescale,
    /// The norm that the weights come to.
    pub equilibrium: EquilibriumPrediction,
    /// λ as a prior.
    pub prior: PriorInterpretation,
    /// Tokens trained on per parameter.
    pub tokens_per_parameter: Option<f64>,
    /// What to beware of, gravest first.
    pub warnings: Vec<Warning>,
    /// What the library does otherwise than people expect.
    pub remarks: Vec<String>,
    /// The run around λ.
    pub run: Run,
    /// The run step by step.
    #[serde(rename = "course")]
    pub trajectory: Option<Trajectory>,
    /// Which steps the final weights hold; absent where that is not known.
    pub memory: Option<RunMemory>,
}

/// How much of the start is forgotten, and how fast, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct RunTimescale {
    /// κ = Σ_t s_t.
    pub kappa: Option<f64>,
    /// Π_t (1 − s_t): the share of the initial weights left at the end.
    pub initial_share: Option<f64>,
    /// τ = 1/s_peak in steps.
    pub tau_steps: Option<f64>,
    /// τ as a fraction of the run.
    pub tau_fraction: Option<f64>,
    /// τ in passes over the data.
    pub tau_epochs: Option<f64>,
}

impl Explanation {
    /// Explains a declared decay.
    ///
    /// # Errors
    /// More steps than a trajectory can be computed for.
    pub fn of(decay: &DeclaredDecay) -> Result<Self, ConventionError> {
        let trajectory = Trajectory::of(decay)?;
        let peak_shrink = decay.peak_shrink();
        Ok(Explanation {
            name: decay.name.clone(),
            lambda: decay.lambda,
            lambda_name: decay.lambda_name.clone(),
            lambda_itself: decay.lambda_itself(),
            rule: decay.rule(),
            decayed: decay.decayed.description.clone(),
            equation: equation::equation(decay),
            peak_shrink,
            timescale: RunTimescale::of(decay, trajectory.as_ref()),
            equilibrium: EquilibriumPrediction::of(decay),
            prior: PriorInterpretation::of(decay),
            tokens_per_parameter: decay.run.tokens_per_parameter(),
            warnings: Warning::of(decay, trajectory.as_ref()),
            remarks: decay.remarks.clone(),
            run: decay.run.clone(),
            memory: RunMemory::of(decay)?,
            trajectory,
        })
    }
}

impl Setting {
    /// Everything that follows from this setting.
    ///
    /// # Errors
    /// More steps than a trajectory can be computed for.
    pub fn explain(&self) -> Result<Explanation, ConventionError> {
        Explanation::of(&DeclaredDecay::from(self))
    }
}

impl RunTimescale {
    fn of(decay: &DeclaredDecay, trajectory: Option<&Trajectory>) -> Self {
        let whole = trajectory.and_then(|trajectory| trajectory.timescale);
        let tau_steps = whole.map_or_else(
            || {
                let shrink = decay.peak_shrink()?;
                (shrink > 0.0).then(|| 1.0 / shrink)
            },
            |timescale| timescale.tau_steps,
        );
        RunTimescale {
            kappa: whole.map(|timescale| timescale.kappa),
            initial_share: whole.map(|timescale| timescale.initial_share),
            tau_steps,
            tau_fraction: whole.and_then(|timescale| timescale.tau_fraction),
            tau_epochs: tau_steps.zip(decay.run.steps_per_epoch()).map(|(tau, epoch)| tau / epoch),
        }
    }
}
