//! A trainer's configuration as a setting of the library table, in the words that a person would
//! type: `torch.AdamW weight_decay=0.1 lr=6e-4 steps=50000`.

use wd_conventions::{DecayedTensors, DeclaredDecay, Setting};
use wd_decay::{Curve, OptimizerKind, Points, Schedule, ScheduleKind};

use super::{Declaration, UNKNOWN};
use crate::AuditError;

/// Trainers whose batch is one of images.
const OF_IMAGES: [&str; 4] = ["timm", "mmengine", "detectron2", "ultralytics"];

/// Trainers that hand their arguments to the Trainer of the Hugging Face libraries.
const HUGGING_FACE: [&str; 3] = ["Hugging Face", "LLaMA-Factory", "axolotl"];

impl Declaration {
    /// The library's entry and its numbers in words; `more` words replace those with their key.
    ///
    /// # Errors
    /// [`AuditError::Configuration`] where it states no λ and its trainer's default is not known,
    /// or its optimizer is none of the library table.
    pub fn words(&self, more: &[String]) -> Result<Vec<String>, AuditError> {
        let refuse = |reason: String| AuditError::Configuration {
            path: self.file.clone(),
            line: self.line,
            reason,
        };
        let is_said = more.iter().any(|word| word.split('=').next() == Some("weight_decay"));
        let lambda = match self.applied_lambda {
            None if !is_said => return Err(refuse(self.without_lambda())),
            lambda => lambda,
        };
        let entry = self.entry().ok_or_else(|| {
            let name = self.optimizer_name.as_deref().unwrap_or("none");
            refuse(format!(
                "its optimizer is {name}, of which the library table has no entry: write the \
                 setting in words, for example torch.AdamW weight_decay=0.1 lr=6e-4"
            ))
        })?;
        let mut pairs = Vec::new();
        pairs.extend(lambda.map(|lambda| ("weight_decay", lambda.to_string())));
        pairs.extend(self.rate.map(|rate| ("lr", rate.value.to_string())));
        if let Some((beta1, beta2)) = self.betas.filter(|_| self.has_betas()) {
            pairs.push(("betas", format!("{beta1},{beta2}")));
        }
        if self.optimizer == Some(OptimizerKind::Sgd) {
            pairs.extend(self.momentum.map(|momentum| ("momentum", momentum.to_string())));
        }
        pairs.extend(self.run_words());
        Ok(std::iter::once(entry.to_owned()).chain(written(pairs, more)).collect())
    }

    /// Why it says no λ.
    fn without_lambda(&self) -> String {
        let key = self.lambda_key.as_deref().unwrap_or("weight_decay");
        match &self.unread_lambda {
            Some(what) => {
                format!("`{key}` is {what}: say the number behind the file, as weight_decay=0.1")
            }
            None => format!(
                "it states no weight decay, and what {} takes then is not known",
                self.dialect
            ),
        }
    }

    /// What it says of the run around λ: keys of a declared run and their values.
    fn run_words(&self) -> Vec<(&'static str, String)> {
        let mut words = Vec::new();
        let sized = self.schedule.as_ref().and_then(|found| as_typed(found, None));
        let schedule = sized.or_else(|| self.schedule_words.clone());
        words.extend(schedule.map(|text| ("schedule", text)));
        words.extend(self.steps.map(|steps| ("steps", steps.to_string())));
        words.extend(self.epochs.map(|epochs| ("epochs", epochs.to_string())));
        let batch = match (self.batch, self.sequence) {
            (Some(batch), _) if OF_IMAGES.contains(&self.dialect) => Some(format!("{batch}img")),
            (Some(batch), Some(sequence)) => Some(format!("{}tok", batch * sequence)),
            _ => None,
        };
        words.extend(batch.map(|batch| ("batch", batch)));
        words.extend(self.sequence.map(|sequence| ("context", sequence.to_string())));
        words.extend(self.init_std.map(|std| ("init_std", std.to_string())));
        let in_bf16 = self.is_pure_bf16 == Some(true);
        words.extend(in_bf16.then(|| ("dtype", "bf16".to_owned())));
        words
    }

    /// The run alone, with the learning rate, for whoever asks for no optimizer.
    pub fn words_of_the_run(&self, more: &[String]) -> Vec<String> {
        let rate = self.rate.map(|rate| ("lr", rate.value.to_string()));
        let optimizer = self.optimizer.map(|kind| ("optimizer", kind.name().to_owned()));
        // Laws do not ask how the weights began or are stored.
        let is_asked = |key: &str| !matches!(key, "init_std" | "dtype");
        let of_run = self.run_words().into_iter().filter(|(key, _)| is_asked(key));
        written(of_run.chain(rate).chain(optimizer).collect(), more)
    }

    /// The same as a decay that can be explained.
    ///
    /// # Errors
    /// Those of [`words`](Self::words), and of the words themselves.
    pub fn decay(&self, more: &[String]) -> Result<DeclaredDecay, AuditError> {
        let words = self.words(more)?;
        let setting = Setting::read(&words).map_err(|error| AuditError::Configuration {
            path: self.file.clone(),
            line: None,
            reason: error.to_string(),
        })?;
        let mut decay = DeclaredDecay::from(&setting);
        if let Some(decayed) = self.decayed(&words[0]) {
            decay.decayed = decayed;
        }
        let (file, words) = (self.file.display(), words.join(" "));
        decay.remarks.insert(
            0,
            match self.dialect {
                UNKNOWN => {
                    format!("{file}, of no known trainer, by the names of its keys: {words}")
                }
                dialect => format!("{file} as {dialect} reads it: {words}"),
            },
        );
        decay.remarks.extend(self.remarks.iter().cloned());
        let is_said = more.iter().any(|word| word.split('=').next() == Some("schedule"));
        decay.remarks.extend(self.unread_schedule().filter(|_| !is_said));
        if self.schedule.is_some() || self.schedule_words.is_some() {
            // The library's remark is of its default, which the file replaces.
            decay.remarks.retain(|remark| !remark.starts_with("unless lr_scheduler_type says"));
        }
        decay.remarks.extend(self.misspelt.iter().map(|slip| slip.words(self.dialect)));
        decay.remarks.extend(self.scaling.clone());
        if let Some(last) = self.final_lambda {
            decay.remarks.push(format!("λ follows a schedule of its own, and ends at {last}"));
        }
        decay.remarks.extend(
            self.groups.iter().map(|(holds, lambda)| format!("{holds}: λ = {lambda}, of its own")),
        );
        Ok(decay)
    }

    /// Which tensors this trainer lets decay, where that is not the entry's own matter.
    fn decayed(&self, entry: &str) -> Option<DecayedTensors> {
        let description = match (self.dialect, entry) {
            (_, "transformers.Trainer" | "megatron.adam") => return None,
            ("nanoGPT", _) => {
                "tensors of two dimensions and more; norms and biases do not".to_owned()
            }
            ("timm", _) => "all but one-dimensional tensors, biases and what the model's \
                            no_weight_decay() lists"
                .to_owned(),
            (UNKNOWN, _) => "what its optimizer is given, which the file leaves open".to_owned(),
            (dialect, _) => {
                format!("as {dialect} groups them, which its configuration leaves open")
            }
        };
        let embeddings = matches!(self.dialect, "nanoGPT" | "timm");
        Some(DecayedTensors { description, norms_and_biases: false, embeddings })
    }

    fn has_betas(&self) -> bool {
        !matches!(
            self.optimizer,
            Some(OptimizerKind::Sgd | OptimizerKind::Muon | OptimizerKind::Adafactor) | None
        )
    }

    /// The entry of the library table that steps as this trainer's optimizer does.
    fn entry(&self) -> Option<&'static str> {
        let is_decoupled = self.decoupled?;
        Some(match self.optimizer? {
            OptimizerKind::Adam | OptimizerKind::Adamw => match is_decoupled {
                true if self.is_independent_of_rate => "composer.DecoupledAdamW",
                // Its entry has a schedule of its own, which must not stand in for one that could
                // not be read.
                true if HUGGING_FACE.contains(&self.dialect)
                    && (self.schedule.is_some() || self.schedule_words.is_some()) =>
                {
                    "transformers.Trainer"
                }
                true if self.dialect == "Megatron-LM" => "megatron.adam",
                true => "torch.AdamW",
                false => "torch.Adam",
            },
            OptimizerKind::Sgd if self.is_independent_of_rate => "composer.DecoupledSGDW",
            OptimizerKind::Sgd if is_decoupled => "timm.SGDW",
            OptimizerKind::Sgd => "torch.SGD",
            OptimizerKind::Nadam => "torch.NAdam",
            OptimizerKind::Radam => "torch.RAdam",
            OptimizerKind::Lion => "optax.lion",
            OptimizerKind::Muon => "torch.Muon",
            OptimizerKind::Adafactor => "torch.Adafactor",
        })
    }
}

/// Pairs of a configuration as words, but for those that `more` words replace, and these behind.
fn written(pairs: Vec<(&'static str, String)>, more: &[String]) -> Vec<String> {
    let replaces = |key: &str| more.iter().any(|word| word.split('=').next() == Some(key));
    let kept = pairs.into_iter().filter(|(key, _)| !replaces(key));
    kept.map(|(key, value)| format!("{key}={value}")).chain(more.iter().cloned()).collect()
}

/// A schedule as it is typed, with its warm-up in steps or as it is given; one that is made of
/// points as these.
pub(super) fn as_typed(schedule: &Schedule, warmup: Option<String>) -> Option<String> {
    let mut text = schedule.kind.name().to_owned();
    if schedule.warmup > 0 {
        let warmup = warmup.unwrap_or_else(|| schedule.warmup.to_string());
        text.push_str(&format!(",warmup={warmup}"));
    }
    match schedule.kind {
        ScheduleKind::Points => text.push_str(&points_as_typed(&schedule.points)),
        ScheduleKind::Constant => {}
        ScheduleKind::WarmupStableDecay => {
            text.push_str(&format!(",floor={},decay={}", schedule.floor, schedule.decay));
        }
        _ => text.push_str(&format!(",floor={}", schedule.floor)),
    }
    Some(text)
}

/// Points as they are typed behind their kind: `,points=0:0.1/0.3:1/1:0.02:cosine`.
fn points_as_typed(points: &Points) -> String {
    let typed = points.as_slice().iter().map(|point| {
        let curve = match point.curve {
            Curve::Linear => "",
            Curve::Cosine => ":cosine",
            Curve::Step => ":step",
        };
        format!("{}:{}{curve}", point.share, point.factor)
    });
    format!(",points={}", typed.collect::<Vec<_>>().join("/"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::read;

    fn words(name: &str, text: &str, more: &[&str]) -> String {
        let more: Vec<String> = more.iter().map(|word| (*word).to_owned()).collect();
        read(Path::new(name), text).unwrap().words(&more).unwrap().join(" ")
    }

    #[test]
    fn configurations_become_the_words_of_their_setting() {
        let nanogpt = "max_iters = 5000\nlr_decay_iters = 5000\nblock_size = 256\n\
                       batch_size = 64\ngradient_accumulation_steps = 1\nweight_decay = 0.1\n\
                       learning_rate = 1e-3\nmin_lr = 1e-4\nbeta2 = 0.99\nwarmup_iters = 100\n";
        assert_eq!(
            words("train.py", nanogpt, &[]),
            "torch.AdamW weight_decay=0.1 lr=0.001 betas=0.9,0.99 \
             schedule=cosine,warmup=100,floor=0.1 steps=5000 batch=16384tok context=256 \
             init_std=0.02"
        );
        let hf = "per_device_train_batch_size: 8\nlearning_rate: 5e-5\nweight_decay: 0.01\n\
                  max_steps: 1000\nlr_scheduler_type: cosine\nwarmup_steps: 100\n";
        assert_eq!(
            words("args.yaml", hf, &["steps=2000", "params=124M"]),
            "transformers.Trainer weight_decay=0.01 lr=0.00005 betas=0.9,0.999 \
             schedule=cosine,warmup=100,floor=0 steps=2000 params=124M"
        );
        // Where epochs count the form of the schedule is known, and its length is not.
        let epochs = "per_device_train_batch_size: 8\nlearning_rate: 5e-5\nweight_decay: 0.01\n\
                      num_train_epochs: 3\nlr_scheduler_type: cosine\nwarmup_ratio: 0.05\n";
        let expected = "transformers.Trainer weight_decay=0.01 lr=0.00005 betas=0.9,0.999 \
                        schedule=cosine,warmup=5%,floor=0 epochs=3";
        assert_eq!(words("args.yaml", epochs, &[]), expected);
        assert_eq!(words("args.yaml", epochs, &["steps=1000"]), format!("{expected} steps=1000"));
        // A form that is not read leaves no other in its place.
        let unread = epochs.replace("cosine", "reduce_lr_on_plateau");
        assert!(words("args.yaml", &unread, &[]).starts_with("torch.AdamW weight_decay=0.01"));
    }

    #[test]
    fn every_word_is_one_that_a_setting_has() {
        for (name, text) in [
            (
                "config.yaml",
                "opt: sgd\nmodel: resnet50\nlr: 0.1\nweight_decay: 1e-4\nsched: cosine\nepochs: 90\nbatch_size: 256\nmomentum: 0.9\n",
            ),
            (
                "ds.json",
                r#"{"optimizer": {"type": "AdamW", "params": {"lr": 1e-4, "weight_decay": 0.1}}, "train_batch_size": 256, "zero_optimization": {"stage": 2}}"#,
            ),
        ] {
            let declared = read(Path::new(name), text).unwrap();
            let decay = declared.decay(&[]).unwrap();
            assert!(decay.remarks[0].contains(declared.dialect), "{name}: {:?}", decay.remarks);
            assert_eq!(Some(decay.lambda.value), declared.applied_lambda, "{name}");
        }
    }
}
