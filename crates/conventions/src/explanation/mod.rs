//! One setting, and everything that follows from it: the step in numbers, how much of the start is
//! forgotten, where the norm goes, what λ means as a prior, and what to beware of.
//!
//! | file | question it answers |
//! |---|---|
//! | `subject` | what is explained? |
//! | `equation` | what does a step do, with these numbers? |
//! | `course` | what happens at every step of the run? |
//! | `settling` | where does the norm settle, and how fast? |
//! | `meaning` | is it a prior, and which? |
//! | `warning` | what is likely to be otherwise than thought? |
//! | `section` | the same in words, for terminals and pages |

mod course;
mod equation;
mod meaning;
mod number;
mod section;
mod settling;
mod subject;
mod warning;

pub use course::{Course, CoursePoint};
pub use meaning::Meaning;
pub use settling::{Settled, Settling};
pub use subject::{DecayedTensors, Subject};
pub use warning::Warning;

use serde::Serialize;

use crate::ConventionError;
use wd_decay::{Given, RunShape};

/// Everything that follows from one declared decay.
///
/// What depends on numbers that were not given is absent.
///
/// # Example
/// ```
/// use wd_decay::{Explanation, Setting, Subject};
///
/// let setting = Setting::read(&[
///     "torch.AdamW", "weight_decay=0.1", "lr=6e-4", "schedule=cosine,warmup=400,floor=0.1", "steps=50000",
/// ])?;
/// let explanation = Explanation::of(&Subject::from(&setting))?;
/// assert!((explanation.timescale.kappa.unwrap() - 1.65).abs() < 0.01);
/// # Ok::<(), wd_decay::ConventionError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// What is explained: `torch.AdamW`, or a file.
    pub name: String,
    /// λ, as written.
    pub lambda: Given<f64>,
    /// Which tensors decay, in words.
    pub decayed: String,
    /// The step: in the library's symbols, then with numbers.
    pub equation: Vec<String>,
    /// s at the peak of learning rate and λ.
    pub peak_shrink: Option<f64>,
    /// κ and τ.
    pub timescale: RunTimescale,
    /// Where the norm settles.
    pub equilibrium: Settling,
    /// λ as a prior.
    pub prior: Meaning,
    /// Tokens trained on per parameter.
    pub tokens_per_parameter: Option<f64>,
    /// What to beware of, gravest first.
    pub warnings: Vec<Warning>,
    /// What the library does otherwise than people expect.
    pub remarks: Vec<String>,
    /// The run around λ.
    pub run: RunShape,
    /// The run step by step.
    pub course: Option<Course>,
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
    /// More steps than a course can be computed for.
    pub fn of(subject: &Subject) -> Result<Self, ConventionError> {
        let course = Course::of(subject)?;
        let peak_shrink = subject.peak_shrink();
        Ok(Explanation {
            name: subject.name.clone(),
            lambda: subject.lambda,
            decayed: subject.decayed.description.clone(),
            equation: equation::equation(subject),
            peak_shrink,
            timescale: RunTimescale::of(subject, course.as_ref()),
            equilibrium: Settling::of(subject),
            prior: Meaning::of(subject),
            tokens_per_parameter: subject.run.tokens_per_parameter(),
            warnings: Warning::of(subject, course.as_ref()),
            remarks: subject.remarks.clone(),
            run: subject.run.clone(),
            course,
        })
    }
}

impl RunTimescale {
    fn of(subject: &Subject, course: Option<&Course>) -> Self {
        let whole = course.and_then(|course| course.timescale);
        let tau_steps = whole.map_or_else(
            || {
                let shrink = subject.peak_shrink()?;
                (shrink > 0.0).then(|| 1.0 / shrink)
            },
            |timescale| timescale.tau_steps,
        );
        RunTimescale {
            kappa: whole.map(|timescale| timescale.kappa),
            initial_share: whole.map(|timescale| timescale.initial_share),
            tau_steps,
            tau_fraction: whole.and_then(|timescale| timescale.tau_fraction),
            tau_epochs: tau_steps
                .zip(subject.run.steps_per_epoch())
                .map(|(tau, epoch)| tau / epoch),
        }
    }
}
