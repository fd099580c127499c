//! One setting: a library entry, its numbers, and the run around them.

use serde::Serialize;

use crate::ConventionError;
use crate::library::{Convention, KeyDefault, KeyMeaning, LibraryEntry, Penalty, Values, Variant};
use wd_decay::{Application, DecayRule, Declared, LearningRate, Momenta, PeakLearningRate, Run};

/// A library's optimizer or estimator with numbers in it.
///
/// Numbers that were not stated are the library's defaults, and say so ([`Declared::default`]).
///
/// # Example
/// ```
/// use wd_conventions::library::{self, KeyMeaning};
/// use wd_conventions::Setting;
/// use wd_decay::{Run, Schedule, ScheduleKind};
///
/// let run = Run {
///     steps: Some(50_000),
///     schedule: Some(Schedule::new(ScheduleKind::Cosine, 400, 50_000, 0.1, 0)?),
///     ..Run::at_peak(6e-4)
/// };
/// let adamw = library::find("torch.AdamW")?;
/// let setting = Setting::new(adamw, 0.1, run)?.with(KeyMeaning::Beta2, 0.95)?;
/// let explanation = setting.explain()?;
/// assert!((explanation.timescale.kappa.unwrap() - 1.65).abs() < 0.01);
///
/// // The same from words.
/// let words = ["torch.AdamW", "weight_decay=0.1", "lr=6e-4", "beta2=0.95", "steps=50000",
///     "schedule=cosine,warmup=400,floor=0.1"];
/// assert_eq!(Setting::read(&words)?, setting);
/// # Ok::<(), wd_conventions::ConventionError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setting {
    /// The library's entry.
    pub entry: &'static LibraryEntry,
    /// The meaning that its switches choose.
    pub variant: &'static Variant,
    /// λ, as the library writes it.
    pub lambda: Declared,
    /// The other numbers of the entry (momentum, betas, …), by what they mean. The learning rate is
    /// in the run.
    pub values: Values,
    /// The run around it.
    pub run: Run,
}

impl Setting {
    /// The entry with λ, in `run`; every other number is the entry's default, and so is the
    /// learning rate where the run has none.
    ///
    /// # Errors
    /// [`ConventionError::InvalidSetting`] for a λ or a learning rate that cannot be.
    pub fn new(
        entry: &'static LibraryEntry,
        lambda: f64,
        mut run: Run,
    ) -> Result<Self, ConventionError> {
        let mut values = Values::from([(KeyMeaning::WeightDecay, Declared::stated(lambda))]);
        if let Some(rate) = run.peak_learning_rate.take() {
            values.insert(KeyMeaning::LearningRate, rate);
        }
        for (meaning, number) in &values {
            check(entry, *meaning, number.value)?;
        }
        Setting::assemble(entry, values, &[], run)
    }

    /// The same with another number of the entry, such as its momentum.
    ///
    /// # Errors
    /// [`ConventionError::InvalidSetting`] for a number that the entry does not have, or that
    /// cannot be.
    pub fn with(mut self, meaning: KeyMeaning, number: f64) -> Result<Self, ConventionError> {
        check(self.entry, meaning, number)?;
        let stated = Declared::stated(number);
        match meaning {
            KeyMeaning::WeightDecay => self.lambda = stated,
            KeyMeaning::LearningRate => self.run.peak_learning_rate = Some(stated),
            _ if self.entry.key(meaning).is_none() => {
                return Err(invalid(
                    meaning.name(),
                    &number.to_string(),
                    &format!("{} has no such number", self.entry.name),
                ));
            }
            _ => {
                self.values.insert(meaning, stated);
            }
        }
        Ok(self)
    }

    /// The same with a switch set.
    ///
    /// # Errors
    /// [`ConventionError::InvalidSetting`] where the entry has no such combination of switches.
    pub fn switched(mut self, key: &str, on: bool) -> Result<Self, ConventionError> {
        let mut switches = self.variant.switches.clone();
        switches.retain(|(name, _)| name != key);
        switches.push((key.to_owned(), on));
        self.variant = chosen(self.entry, &switches)?;
        Ok(self)
    }

    /// A setting of the numbers that were stated, the switches that were set, and the run.
    pub(crate) fn assemble(
        entry: &'static LibraryEntry,
        mut values: Values,
        switches: &[(String, bool)],
        mut run: Run,
    ) -> Result<Self, ConventionError> {
        for key in &entry.keys {
            let default = match key.default {
                KeyDefault::Number(number) => number,
                KeyDefault::Switch(on) if key.meaning == KeyMeaning::Nesterov => {
                    f64::from(u8::from(on))
                }
                KeyDefault::Switch(_) | KeyDefault::Required => continue,
            };
            values.entry(key.meaning).or_insert(Declared::by_default(default));
        }
        let variant = chosen(entry, switches)?;
        let lambda =
            values.remove(&KeyMeaning::WeightDecay).ok_or_else(|| ConventionError::Missing {
                needed_for: entry.name.clone(),
                missing: format!("{}=…, which has no default", entry.lambda_name()),
            })?;
        let divides = matches!(
            variant.convention,
            Convention::Penalty { penalty: Penalty::Inverse | Penalty::PriorStd, .. }
        );
        if divides && lambda.value == 0.0 {
            return Err(invalid(
                entry.lambda_name(),
                "0",
                "it must be above 0: the penalty is divided by it, and 0 would leave no weight but \
                 zero",
            ));
        }
        run.peak_learning_rate = values.remove(&KeyMeaning::LearningRate);
        Ok(Setting { entry, variant, lambda, values, run })
    }

    /// The rule of its steps; absent for an estimator.
    pub fn rule(&self) -> Option<DecayRule> {
        self.variant.convention.rule()
    }

    /// The coefficient of [`Setting::rule`]: the library's number, doubled where it lacks the ½.
    pub fn coefficient(&self) -> f64 {
        self.variant.convention.coefficient(self.lambda.value)
    }

    /// A number of the entry, such as its momentum.
    pub fn value(&self, meaning: KeyMeaning) -> Option<Declared> {
        self.values.get(&meaning).copied()
    }

    /// The coefficients by which its optimizer remembers earlier gradients; those of a number that
    /// the entry does not have are the usual ones.
    pub fn momenta(&self) -> Momenta {
        let number = |meaning, absent| self.value(meaning).map_or(absent, |number| number.value);
        Momenta {
            momentum: number(KeyMeaning::Momentum, 0.0),
            dampening: number(KeyMeaning::Dampening, 0.0),
            nesterov: number(KeyMeaning::Nesterov, 0.0) != 0.0,
            beta1: number(KeyMeaning::Beta1, 0.9),
            beta2: number(KeyMeaning::Beta2, 0.999),
        }
    }

    /// The decay of `step`, counted from 0: needs a learning rate, and a schedule for its factor
    /// (without one the rate is constant).
    pub fn application(&self, step: u64) -> Option<Application> {
        let peak = self.run.peak_learning_rate?.value;
        let factor = self.run.schedule.as_ref().map_or(1.0, |schedule| schedule.factor(step));
        Some(self.rule()?.apply(
            self.coefficient(),
            LearningRate(peak * factor),
            PeakLearningRate(peak),
        ))
    }

    /// The learning rate of `step`.
    pub fn learning_rate(&self, step: u64) -> Option<f64> {
        let factor = self.run.schedule.as_ref().map_or(1.0, |schedule| schedule.factor(step));
        Some(self.run.peak_learning_rate?.value * factor)
    }
}

/// The variant that these switches choose.
fn chosen(
    entry: &'static LibraryEntry,
    switches: &[(String, bool)],
) -> Result<&'static Variant, ConventionError> {
    entry.variant(switches).ok_or_else(|| no_variant(entry, switches))
}

/// The refusal of switches that no variant has.
pub(crate) fn no_variant(entry: &LibraryEntry, switches: &[(String, bool)]) -> ConventionError {
    let set: Vec<String> = switches.iter().map(|(key, on)| format!("{key}={on}")).collect();
    invalid(&entry.name, &set.join(" "), "it has no such combination of switches")
}

/// Refuses a number that cannot be what it is to set.
pub(crate) fn check(
    entry: &LibraryEntry,
    meaning: KeyMeaning,
    number: f64,
) -> Result<(), ConventionError> {
    let problem = match meaning {
        _ if !number.is_finite() => "it must be a finite number",
        KeyMeaning::WeightDecay | KeyMeaning::LearningRate | KeyMeaning::Epsilon
            if number < 0.0 =>
        {
            "it cannot be negative"
        }
        KeyMeaning::Momentum | KeyMeaning::Dampening | KeyMeaning::Beta1 | KeyMeaning::Beta2
            if !(0.0..=1.0).contains(&number) =>
        {
            "it lies between 0 and 1"
        }
        KeyMeaning::Beta1 | KeyMeaning::Beta2 | KeyMeaning::Momentum if number == 1.0 => {
            "it must be below 1"
        }
        KeyMeaning::L1Ratio if !(0.0..=1.0).contains(&number) => "it is a share between 0 and 1",
        _ => return Ok(()),
    };
    let key = entry.key(meaning).map_or(meaning.name(), |key| &key.name);
    Err(invalid(key, &number.to_string(), problem))
}

pub(crate) fn invalid(key: &str, given: &str, reason: &str) -> ConventionError {
    ConventionError::InvalidSetting {
        key: key.to_owned(),
        given: given.to_owned(),
        reason: reason.to_owned(),
    }
}
