//! The same decay in another library: exactly, nearly, or not at all, and why.
//!
//! | from | to | what decides |
//! |---|---|---|
//! | a step | a step | `step`: the shrinks s_t of both rules, and whether the optimizers take the same direction |
//! | a step | an objective | `objective`: only a coupled penalty, or plain SGD, has an objective |
//! | an objective | a step | the same backwards |
//! | an objective | an objective | the strengths (P, L) of both, see [`Penalty`](crate::library::Penalty) |
//!
//! Before that, a loss that is coded with another reduction or ½ is brought to the target's (`loss_scale`).

mod call;
pub(crate) mod loss_scale;
pub(crate) mod momentum;
mod objective;
mod penalty;
mod step;
mod target;

use std::fmt;

use serde::Serialize;

use crate::library::{Convention, KeyMeaning, LibraryEntry, Variant};
use crate::{ConventionError, Setting};

pub use target::Target;

/// How much of the source setting the converted one keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fidelity {
    /// The trajectory is the same; between objectives, the minimum is.
    Exact,
    /// Something differs; the reasons say what and by how much.
    Approximate,
    /// No number does it; the reasons say why.
    Impossible,
}

impl Fidelity {
    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Fidelity::Exact => "exact",
            Fidelity::Approximate => "approximate",
            Fidelity::Impossible => "impossible",
        }
    }
}

/// A setting carried over to another library.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversion {
    /// The library's entry.
    pub entry: &'static LibraryEntry,
    /// The meaning that its switches choose.
    pub variant: &'static Variant,
    /// Exact, approximate or impossible.
    pub fidelity: Fidelity,
    /// What is the same, or why something is not.
    pub reasons: Vec<String>,
    /// The values of the target's keys, in its order; empty when impossible.
    pub keys: Vec<(&'static str, Value)>,
    /// The call to paste; absent when impossible.
    pub call: Option<String>,
}

impl Conversion {
    /// λ in the target's own convention.
    pub fn lambda(&self) -> Option<f64> {
        let own = self.entry.key(KeyMeaning::WeightDecay)?.name;
        self.keys.iter().find_map(|(name, value)| match value {
            Value::Number(number) if *name == own => Some(*number),
            _ => None,
        })
    }
}

/// The value of a key.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A number.
    Number(f64),
    /// A switch.
    Switch(bool),
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(number) => formatter.pad(&call::pasted(*number)),
            Value::Switch(on) => write!(formatter, "{on}"),
        }
    }
}

/// What a conversion has found before it is written in the target's keys.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    fidelity: Fidelity,
    reasons: Vec<String>,
    /// λ in the target's convention.
    lambda: f64,
    /// Share of L1, for the targets that have one.
    l1_ratio: Option<f64>,
}

impl Found {
    fn exact(lambda: f64, reason: impl Into<String>) -> Self {
        Found { fidelity: Fidelity::Exact, reasons: vec![reason.into()], lambda, l1_ratio: None }
    }

    fn approximate(lambda: f64, reason: impl Into<String>) -> Self {
        Found { fidelity: Fidelity::Approximate, ..Found::exact(lambda, reason) }
    }

    fn impossible(reason: impl Into<String>) -> Self {
        Found { fidelity: Fidelity::Impossible, ..Found::exact(0.0, reason) }
    }

    /// The same, with one thing more that differs.
    fn but(mut self, reason: impl Into<String>) -> Self {
        if self.fidelity == Fidelity::Exact {
            self.fidelity = Fidelity::Approximate;
        }
        self.reasons.push(reason.into());
        self
    }
}

/// Carries `setting` over to `target`.
///
/// Where the target's switches are free, the variant that keeps most is taken, the default one first.
///
/// # Errors
/// [`ConventionError::Missing`] when the answer needs a number that the setting lacks, such as the number
/// of data points.
///
/// # Example
/// ```
/// use wd_decay::{Fidelity, Setting, convert};
///
/// let setting = Setting::read(&["torch.AdamW", "weight_decay=0.1", "lr=1e-3"])?;
/// let conversion = convert(&setting, &"big_vision.adam".parse()?)?;
/// assert_eq!(conversion.fidelity, Fidelity::Exact);
/// assert!((conversion.lambda().unwrap() - 1e-4).abs() < 1e-16);
/// # Ok::<(), wd_decay::ConventionError>(())
/// ```
pub fn convert(setting: &Setting, target: &Target) -> Result<Conversion, ConventionError> {
    let mut best: Option<Conversion> = None;
    let mut missing = None;
    for variant in target.variants() {
        match to_variant(setting, target, variant) {
            Ok(conversion) => {
                if best.as_ref().is_none_or(|best| conversion.fidelity < best.fidelity) {
                    best = Some(conversion);
                }
            }
            Err(error) => missing = Some(error),
        }
    }
    match (best, missing) {
        (Some(best), None) => Ok(best),
        (Some(best), Some(_)) if best.fidelity == Fidelity::Exact => Ok(best),
        (_, Some(error)) => Err(error),
        (None, None) => Err(target.no_variant()),
    }
}

fn to_variant(
    setting: &Setting,
    target: &Target,
    variant: &'static Variant,
) -> Result<Conversion, ConventionError> {
    let from = setting.variant.convention;
    let to = variant.convention;
    // The loss of an estimator is its own; a step's loss is whatever the user coded.
    let (setting, rescaled) = match (from, to) {
        (Convention::Step { .. }, Convention::Step { .. }) => loss_scale::rescale(setting, target)?,
        _ => (setting.clone(), None),
    };
    let mut found = match (from, to) {
        (Convention::Step { .. }, Convention::Step { .. }) => {
            step::to_step(&setting, target.entry, variant)?
        }
        (Convention::Step { .. }, Convention::Penalty { penalty, likelihood }) => {
            objective::from_step(&setting, target, penalty, likelihood)?
        }
        (Convention::Penalty { penalty, likelihood }, Convention::Step { .. }) => {
            objective::to_step(&setting, target, penalty, likelihood, variant)?
        }
        (
            Convention::Penalty { penalty, likelihood },
            Convention::Penalty { penalty: to_penalty, likelihood: to_likelihood },
        ) => objective::to_objective(
            &setting,
            target.entry,
            (penalty, likelihood),
            (to_penalty, to_likelihood),
        )?,
    };
    if let Some(reason) = rescaled {
        found.reasons.push(reason);
    }
    let conversion = call::written(&setting, target.entry, variant, found);
    refuse_out_of_range(&setting, &conversion)?;
    Ok(conversion)
}

/// Refuses numbers that a double does not hold: a product has overflowed, or a λ has vanished.
///
/// No decay is an infinite `C` or standard deviation, which libraries take.
fn refuse_out_of_range(setting: &Setting, conversion: &Conversion) -> Result<(), ConventionError> {
    let own = conversion.entry.key(KeyMeaning::WeightDecay);
    let decays = setting.coefficient() != 0.0;
    for (name, value) in &conversion.keys {
        let Value::Number(number) = value else {
            continue;
        };
        let is_lambda = own.is_some_and(|own| own.name == *name);
        let in_range = match (is_lambda, decays) {
            (true, true) => number.is_finite() && *number != 0.0,
            (true, false) => !number.is_nan(),
            (false, _) => number.is_finite(),
        };
        if !in_range {
            return Err(ConventionError::InvalidSetting {
                key: setting
                    .entry
                    .key(KeyMeaning::WeightDecay)
                    .map_or("weight_decay", |key| key.name)
                    .to_owned(),
                given: call::pasted(setting.lambda.value),
                reason: format!(
                    "with the other numbers given, {name} of {} would be {number}, which is no number to use: is one of \
                     them out of its usual range, or in another unit?",
                    conversion.entry.name
                ),
            });
        }
    }
    Ok(())
}
