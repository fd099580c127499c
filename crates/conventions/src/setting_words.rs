//! A setting as a person types it: `torch.AdamW weight_decay=0.1 lr=6e-4 steps=50000`.

use crate::library::{self, Key, KeyDefault, KeyMeaning, LibraryEntry, Values};
use crate::setting::{check, invalid};
use crate::{ConventionError, Quantity, RunDeclaration, Setting};
use wd_decay::{Declared, names};

impl Setting {
    /// Reads the words of a command line: the entry's name, then `key=value`.
    ///
    /// A key may be spelled as the library does (`learning_rate`, `b1`, `alpha`) or by its common
    /// name (`lr`, `beta1`, `weight_decay`); `betas=0.9,0.95` gives both.
    ///
    /// # Errors
    /// Unknown entry or key (with the nearest names), a key given twice, a value that its key
    /// cannot have, switches that no variant has, and whatever [`RunDeclaration::resolve`] refuses.
    pub fn read<S: AsRef<str>>(words: &[S]) -> Result<Self, ConventionError> {
        let mut words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        // The entry may stand anywhere among the keys.
        let place = words.iter().position(|word| !word.contains('='));
        let name = place.map(|place| words.remove(place)).ok_or_else(|| {
            let missing = "a library entry first, for example torch.AdamW weight_decay=0.1 lr=6e-4";
            let needed_for = "a setting".to_owned();
            ConventionError::Missing { needed_for, missing: missing.to_owned() }
        })?;
        let entry = library::find(name)?;
        let mut reader = Reader {
            entry,
            seen: Vec::new(),
            numbers: Values::new(),
            switches: Vec::new(),
            run: RunDeclaration::default(),
            trainer_schedule: [None, None],
        };
        for word in words {
            let (key, value) = word.split_once('=').ok_or_else(|| ConventionError::NoPair {
                given: word.to_owned(),
                example: match word.parse::<f64>() {
                    Ok(_) => format!("{}={word}", entry.lambda_name()),
                    Err(_) => format!("{}=0.1", entry.lambda_name()),
                },
            })?;
            reader.take(key.trim(), value.trim())?;
        }
        reader.finish()
    }
}

/// What trainers call the two ends of a schedule of λ.
const SCHEDULE_OF_LAMBDA: [&str; 3] =
    ["weight_decay_end", "start_weight_decay", "end_weight_decay"];

/// The key of a run that a trainer of the Hugging Face libraries calls so.
fn trainer_key(key: &str) -> Option<&'static str> {
    const KEYS: [(&str, &str); 5] = [
        ("per_device_train_batch_size", "batch"),
        ("gradient_accumulation_steps", "accumulation"),
        ("num_train_epochs", "epochs"),
        ("max_steps", "steps"),
        ("world_size", "devices"),
    ];
    KEYS.iter().find(|(theirs, _)| *theirs == key).map(|(_, ours)| *ours)
}

/// A schedule by the name that the Hugging Face Trainer has for it.
fn trainer_schedule(name: &str) -> &str {
    match name {
        "constant_with_warmup" => "constant",
        "inverse_sqrt" => "inverse-sqrt",
        other => other,
    }
}

/// The words read so far.
struct Reader {
    entry: &'static LibraryEntry,
    seen: Vec<String>,
    numbers: Values,
    switches: Vec<(String, bool)>,
    run: RunDeclaration,
    /// Kind and warm-up of the schedule, as a trainer writes them.
    trainer_schedule: [Option<String>; 2],
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
        let name = own.map_or(key, |own| &own.name);
        if self.seen.iter().any(|seen| seen == name) {
            return Err(invalid(key, value, "it is given twice"));
        }
        match own {
            Some(own) => self.take_own(own, key, value)?,
            None if RunDeclaration::has(key) => self.run.set(key, value)?,
            None if trainer_key(key).is_some() => {
                self.run.set(trainer_key(key).unwrap_or(key), value)?;
            }
            None if key == "lr_scheduler_type" => {
                self.trainer_schedule[0] = Some(trainer_schedule(value).to_owned());
            }
            None if key == "warmup_steps" && value.parse::<u64>().is_ok() => {
                self.trainer_schedule[1] = Some(value.to_owned());
            }
            // A penalty on the loss belongs to whichever optimizer minimises it.
            None if ["lr", "learning_rate"].contains(&key)
                && self.entry.is_penalty_on_any_loss() =>
            {
                let rate: Quantity = value.parse()?;
                check(self.entry, KeyMeaning::LearningRate, rate.value)?;
                self.numbers.insert(KeyMeaning::LearningRate, Declared::stated(rate.value));
            }
            None if SCHEDULE_OF_LAMBDA.contains(&key) => {
                return Err(invalid(
                    key,
                    value,
                    "give the largest λ as weight_decay, and its course as shares of the run with \
                     factors: lambda_schedule=points,points=0:0.1/1:1:cosine",
                ));
            }
            None => {
                let known = self.entry.keys.iter().map(|own| own.name.as_str());
                let common = RunDeclaration::KEYS.iter().map(|(name, _)| *name);
                // Parts of a schedule are written behind it; `wd` is what λ is called in many
                // configs.
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
                    entry: self.entry.name.clone(),
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
                    self.numbers.insert(own.meaning, Declared::stated(f64::from(u8::from(on))));
                }
                _ => self.switches.push((own.name.clone(), on)),
            }
            return Ok(());
        }
        if value.contains(',') {
            return Err(invalid(
                key,
                value,
                "it is one number, with a point for decimals; of a list, give the one that was \
                 chosen",
            ));
        }
        let quantity: Quantity = value.parse()?;
        if quantity.unit.is_some() {
            return Err(invalid(key, value, "it has no unit"));
        }
        let number = quantity.value;
        check(self.entry, own.meaning, number)?;
        self.numbers.insert(own.meaning, Declared::stated(number));
        Ok(())
    }

    fn finish(mut self) -> Result<Setting, ConventionError> {
        let [kind, warmup] = self.trainer_schedule.clone();
        let is_given = self.seen.iter().any(|key| key == "schedule");
        let kind = kind.or_else(|| self.entry.schedule.clone().filter(|_| !is_given));
        match (kind, warmup) {
            (Some(_), _) | (None, Some(_)) if is_given => {
                return Err(invalid(
                    "schedule",
                    "",
                    "it is given twice: beside it stand lr_scheduler_type or warmup_steps",
                ));
            }
            (Some(kind), Some(warmup)) => {
                self.run.set("schedule", &format!("{kind},warmup={warmup}"))?;
            }
            (Some(kind), None) => self.run.set("schedule", &kind)?,
            (None, Some(warmup)) => {
                return Err(invalid(
                    "warmup_steps",
                    &warmup,
                    &format!("it is a part of the schedule: schedule=cosine,warmup={warmup}"),
                ));
            }
            (None, None) => {}
        }
        Setting::assemble(self.entry, self.numbers, &self.switches, self.run.resolve()?)
    }
}
