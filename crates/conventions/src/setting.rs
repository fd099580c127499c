//! One setting, as a person types it: a library entry, its numbers, and the run around them.

use serde::Serialize;

use crate::library::{
    self, Convention, Key, KeyDefault, KeyMeaning, LibraryEntry, Penalty, Values, Variant,
};
use crate::{ConventionError, Quantity, RunDeclaration};
use wd_decay::{
    Application, DecayRule, Given, LearningRate, Momenta, PeakLearningRate, RunShape, names,
};

/// What `torch.AdamW weight_decay=0.1 lr=6e-4 schedule=cosine,warmup=400 steps=50000 …` means.
///
/// Numbers that were not typed are the library's defaults, and say so ([`Given::default`]).
///
/// # Example
/// ```
/// use wd_decay::{DecayRule, Setting};
///
/// let setting = Setting::read(&["torch.AdamW", "weight_decay=0.1", "lr=6e-4", "steps=50000", "batch=65536tok", "params=124M"])?;
/// assert_eq!(setting.rule(), Some(DecayRule::Decoupled));
/// assert_eq!(setting.run.tokens(), Some(3_276_800_000.0));
///
/// let error = Setting::read(&["torch.AdamW", "weigt_decay=0.1"]).unwrap_err().to_string();
/// assert!(error.contains("nearest: `weight_decay`"), "{error}");
/// # Ok::<(), wd_decay::ConventionError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setting {
    /// The library's entry.
    pub entry: &'static LibraryEntry,
    /// The meaning that its switches choose.
    pub variant: &'static Variant,
    /// λ, as the library writes it.
    pub lambda: Given<f64>,
    /// The other numbers of the entry (momentum, betas, …), by what they mean. The learning rate is in
    /// the run.
    pub values: Values,
    /// The run around it.
    pub run: RunShape,
}

impl Setting {
    /// Reads the words of a command line: the entry's name, then `key=value`.
    ///
    /// A key may be spelled as the library does (`learning_rate`, `b1`, `alpha`) or by its common name
    /// (`lr`, `beta1`, `weight_decay`); `betas=0.9,0.95` gives both.
    ///
    /// # Errors
    /// Unknown entry or key (with the nearest names), a key given twice, a value that its key cannot
    /// have, switches that no variant has, and whatever [`RunDeclaration::resolve`] refuses.
    pub fn read<S: AsRef<str>>(words: &[S]) -> Result<Self, ConventionError> {
        let mut words = words.iter().map(AsRef::as_ref);
        let name = words.next().ok_or_else(|| ConventionError::Missing {
            needed_for: "a setting".to_owned(),
            missing: "a library entry first, for example torch.AdamW weight_decay=0.1 lr=6e-4"
                .to_owned(),
        })?;
        let entry = library::find(name)?;
        let mut reader = Reader {
            entry,
            seen: Vec::new(),
            numbers: Values::new(),
            switches: Vec::new(),
            run: RunDeclaration::default(),
        };
        for word in words {
            let (key, value) =
                word.split_once('=').ok_or_else(|| ConventionError::InvalidSetting {
                    key: word.to_owned(),
                    given: String::new(),
                    reason:
                        "every word behind the library is key=value, for example weight_decay=0.1"
                            .to_owned(),
                })?;
            reader.take(key.trim(), value.trim())?;
        }
        reader.finish()
    }

    /// The rule of its steps; absent for an estimator.
    pub fn rule(&self) -> Option<DecayRule> {
        match self.variant.convention {
            Convention::Step { rule, .. } => Some(rule),
            Convention::Penalty { .. } => None,
        }
    }

    /// The coefficient of [`Setting::rule`]: the library's number, doubled where it lacks the ½.
    pub fn coefficient(&self) -> f64 {
        match self.variant.convention {
            Convention::Step { per_unit, .. } => per_unit * self.lambda.value,
            Convention::Penalty { .. } => self.lambda.value,
        }
    }

    /// A number of the entry, such as its momentum.
    pub fn value(&self, meaning: KeyMeaning) -> Option<Given<f64>> {
        self.values.get(&meaning).copied()
    }

    /// The coefficients by which its optimizer remembers earlier gradients; those of a number that the
    /// entry does not have are the usual ones.
    pub fn momenta(&self) -> Momenta {
        let number = |meaning, absent| self.value(meaning).map_or(absent, |given| given.value);
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
        let factor = self.run.schedule.map_or(1.0, |schedule| schedule.factor(step));
        Some(self.rule()?.apply(
            self.coefficient(),
            LearningRate(peak * factor),
            PeakLearningRate(peak),
        ))
    }

    /// The learning rate of `step`.
    pub fn learning_rate(&self, step: u64) -> Option<f64> {
        let factor = self.run.schedule.map_or(1.0, |schedule| schedule.factor(step));
        Some(self.run.peak_learning_rate?.value * factor)
    }
}

/// The words read so far.
struct Reader {
    entry: &'static LibraryEntry,
    seen: Vec<String>,
    numbers: Values,
    switches: Vec<(&'static str, bool)>,
    run: RunDeclaration,
}

impl Reader {
    fn take(&mut self, key: &str, value: &str) -> Result<(), ConventionError> {
        // `betas=(0.9, 0.95)`, as in a call.
        if key == "betas" && self.entry.key(KeyMeaning::Beta1).is_some() {
            let pair = value.trim_start_matches(['(', '[']).trim_end_matches([')', ']']);
            let Some((first, second)) = pair.split_once(',') else {
                return Err(invalid(
                    key,
                    value,
                    "betas are two numbers, for example betas=0.9,0.95",
                ));
            };
            self.take("beta1", first.trim())?;
            return self.take("beta2", second.trim());
        }
        let own = self.entry.keys.iter().find(|own| own.name == key || own.meaning.name() == key);
        let name = own.map_or(key, |own| own.name);
        if self.seen.iter().any(|seen| seen == name) {
            return Err(invalid(key, value, "it is given twice"));
        }
        match own {
            Some(own) => self.take_own(own, key, value)?,
            None if RunDeclaration::has(key) => self.run.set(key, value)?,
            None => {
                let known = self.entry.keys.iter().map(|own| own.name);
                let common = RunDeclaration::KEYS.iter().map(|(name, _)| *name);
                // Parts of a schedule are written behind it; `wd` is what λ is called in many configs.
                if ["warmup", "floor"].contains(&key) {
                    return Err(invalid(
                        key,
                        value,
                        &format!("it is a part of the schedule: schedule=cosine,{key}={value}"),
                    ));
                }
                let nearest = match (
                    ["wd", "decay", "lambda", "l2", "λ"].contains(&key.to_lowercase().as_str()),
                    self.entry.key(KeyMeaning::WeightDecay),
                ) {
                    (true, Some(own)) => format!("`{}`", own.name),
                    _ => names::nearest(key, known.chain(common)),
                };
                return Err(ConventionError::UnknownKey {
                    entry: self.entry.name.to_owned(),
                    given: key.to_owned(),
                    nearest,
                });
            }
        }
        self.seen.push(name.to_owned());
        Ok(())
    }

    fn take_own(
        &mut self,
        own: &'static Key,
        key: &str,
        value: &str,
    ) -> Result<(), ConventionError> {
        if let KeyDefault::Switch(_) = own.default {
            let on = match value.to_lowercase().as_str() {
                "true" | "1" | "yes" => true,
                "false" | "0" | "no" => false,
                _ => return Err(invalid(key, value, "it is true or false")),
            };
            match own.meaning {
                KeyMeaning::Nesterov => {
                    self.numbers.insert(own.meaning, Given::typed(f64::from(u8::from(on))));
                }
                _ => self.switches.push((own.name, on)),
            }
            return Ok(());
        }
        if value.contains(',') {
            return Err(invalid(
                key,
                value,
                "it is one number, with a point for decimals; of a list, give the one that was chosen",
            ));
        }
        let quantity: Quantity = value.parse()?;
        if quantity.unit.is_some() {
            return Err(invalid(key, value, "it has no unit"));
        }
        let number = quantity.value;
        let problem = match own.meaning {
            KeyMeaning::WeightDecay | KeyMeaning::LearningRate | KeyMeaning::Epsilon
                if number < 0.0 =>
            {
                "it cannot be negative"
            }
            KeyMeaning::Momentum
            | KeyMeaning::Dampening
            | KeyMeaning::Beta1
            | KeyMeaning::Beta2
                if !(0.0..=1.0).contains(&number) =>
            {
                "it lies between 0 and 1"
            }
            KeyMeaning::Beta1 | KeyMeaning::Beta2 | KeyMeaning::Momentum if number == 1.0 => {
                "it must be below 1"
            }
            KeyMeaning::L1Ratio if !(0.0..=1.0).contains(&number) => {
                "it is a share between 0 and 1"
            }
            _ => {
                self.numbers.insert(own.meaning, Given::typed(number));
                return Ok(());
            }
        };
        Err(invalid(key, value, problem))
    }

    fn finish(mut self) -> Result<Setting, ConventionError> {
        for key in self.entry.keys {
            let default = match key.default {
                KeyDefault::Number(number) => number,
                KeyDefault::Switch(on) if key.meaning == KeyMeaning::Nesterov => {
                    f64::from(u8::from(on))
                }
                KeyDefault::Switch(_) | KeyDefault::Required => continue,
            };
            self.numbers.entry(key.meaning).or_insert(Given::default(default));
        }
        let variant = self.entry.variant(&self.switches).ok_or_else(|| {
            let typed: Vec<String> =
                self.switches.iter().map(|(key, on)| format!("{key}={on}")).collect();
            ConventionError::InvalidSetting {
                key: self.entry.name.to_owned(),
                given: typed.join(" "),
                reason: "it has no such combination of switches".to_owned(),
            }
        })?;
        let lambda = self.numbers.remove(&KeyMeaning::WeightDecay).ok_or_else(|| {
            ConventionError::Missing {
                needed_for: self.entry.name.to_owned(),
                missing: format!(
                    "{}=…, which has no default",
                    self.entry.key(KeyMeaning::WeightDecay).map_or("weight_decay", |key| key.name)
                ),
            }
        })?;
        let divides = matches!(
            variant.convention,
            Convention::Penalty { penalty: Penalty::Inverse | Penalty::PriorStd, .. }
        );
        if divides && lambda.value == 0.0 {
            let key = self.entry.key(KeyMeaning::WeightDecay);
            return Err(invalid(
                key.map_or("weight_decay", |key| key.name),
                "0",
                "it must be above 0: the penalty is divided by it, and 0 would leave no weight but zero",
            ));
        }
        self.run.peak_learning_rate = self.numbers.remove(&KeyMeaning::LearningRate);
        Ok(Setting {
            entry: self.entry,
            variant,
            lambda,
            values: self.numbers,
            run: self.run.resolve()?,
        })
    }
}

fn invalid(key: &str, given: &str, reason: &str) -> ConventionError {
    ConventionError::InvalidSetting {
        key: key.to_owned(),
        given: given.to_owned(),
        reason: reason.to_owned(),
    }
}
