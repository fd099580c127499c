//! What an optimizer's name stands for: its family, its rule, and the defaults of its library.

use wd_conventions::LibraryEntry;
use wd_conventions::library::{self, KeyDefault, KeyMeaning};
use wd_decay::{DecayRule, Declared, OptimizerKind};

use super::Declaration;
use super::reading::Reading;

/// An optimizer as a library defines it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Known {
    pub(super) kind: OptimizerKind,
    pub(super) rule: DecayRule,
    /// λ where nobody states it.
    pub(super) lambda: f64,
    /// The learning rate where nobody states it.
    pub(super) rate: Option<f64>,
    pub(super) betas: Option<(f64, f64)>,
    pub(super) momentum: Option<f64>,
}

impl Known {
    /// The optimizer of this name: `torch.optim.AdamW`, `AdamW8bit`, `decoupled_adamw`, `SGD` …
    ///
    /// Classes that the library table has are taken from it. Others are what the family in their
    /// name is in PyTorch: `PagedAdamW8bit` is an AdamW.
    pub(super) fn named(name: &str) -> Option<Known> {
        let class = name.rsplit(['.', '/']).next().unwrap_or(name);
        let small = class.to_ascii_lowercase().replace(['_', '-'], "");
        let is_decoupled = small.starts_with("decoupled");
        let entry = match small.as_str() {
            _ if is_decoupled && small.contains("adam") => "composer.DecoupledAdamW",
            _ if is_decoupled && small.contains("sgd") => "composer.DecoupledSGDW",
            _ if small.contains("nadam") => "torch.NAdam",
            _ if small.contains("radam") => "torch.RAdam",
            _ if small.contains("adafactor") => "torch.Adafactor",
            _ if small.contains("adamw") || small == "adamc" => "torch.AdamW",
            _ if small.contains("adam") => "torch.Adam",
            _ if small.contains("sgd") || small == "momentum" => "torch.SGD",
            _ if small.contains("lion") => "optax.lion",
            _ if small.contains("muon") => "torch.Muon",
            _ => return None,
        };
        let mut known = Known::of_entry(library::find(entry).ok()?)?;
        if small.contains("lion") {
            // Forks of the author's Lion for PyTorch have no decay by default; optax has.
            known.lambda = 0.0;
            if is_decoupled {
                known.rule = DecayRule::Independent;
            }
        }
        if small.contains("adamw") {
            known.kind = OptimizerKind::Adamw;
        }
        Some(known)
    }

    fn of_entry(entry: &LibraryEntry) -> Option<Known> {
        let default = |meaning| match entry.key(meaning)?.default {
            KeyDefault::Number(number) => Some(number),
            _ => None,
        };
        let variant = entry.variants.first()?;
        let rule = variant.convention.rule()?;
        let kind = match (entry.optimizer?, rule) {
            (OptimizerKind::Adam, DecayRule::Decoupled | DecayRule::Independent) => {
                OptimizerKind::Adamw
            }
            (kind, _) => kind,
        };
        Some(Known {
            kind,
            rule,
            lambda: default(KeyMeaning::WeightDecay).unwrap_or(0.0),
            rate: default(KeyMeaning::LearningRate),
            betas: default(KeyMeaning::Beta1).zip(default(KeyMeaning::Beta2)),
            momentum: default(KeyMeaning::Momentum),
        })
    }

    /// The same with another λ where nobody states it: trainers have defaults of their own.
    pub(super) fn with_lambda(self, lambda: f64) -> Known {
        Known { lambda, ..self }
    }
}

impl Declaration {
    /// Notes the optimizer's name, and its family and rule where they are known.
    pub(super) fn set_optimizer(&mut self, name: &str, known: Option<Known>) {
        self.optimizer_name = Some(name.to_owned());
        let Some(known) = known else { return };
        self.set_rule(known.kind, known.rule);
        self.betas = self.betas.or(known.betas);
        self.momentum = self.momentum.or(known.momentum);
    }

    /// Notes that the trained tensors are the factors of an adapter.
    pub(super) fn note_adapter(&mut self, reading: &Reading) {
        let names = ["adapter", "finetuning_type", "peft_type", "model._component_"];
        let is_named = names.iter().any(|key| {
            reading.text(key).is_some_and(|name| name.to_ascii_lowercase().contains("lora"))
        });
        let sizes = ["lora_r", "lora_rank", "lora_alpha", "model.lora_rank"];
        if is_named || sizes.iter().any(|key| reading.has(key)) {
            self.fine_tunes = true;
            self.remarks.push(
                "it trains the factors A and B of LoRA: decay draws their product, which is the \
                 change of the weights, towards 0, and so the model towards its pretrained weights; \
                 params=… is the number of trained parameters"
                    .to_owned(),
            );
        }
    }

    /// Notes a family and its rule.
    pub(super) fn set_rule(&mut self, kind: OptimizerKind, rule: DecayRule) {
        self.optimizer = Some(kind);
        self.decoupled = Some(rule != DecayRule::CoupledL2);
        self.is_independent_of_rate = matches!(rule, DecayRule::Independent | DecayRule::Constant);
    }

    /// Notes a rate that was stated, or the optimizer's own.
    pub(super) fn set_rate(&mut self, stated: Option<f64>, known: Option<Known>) {
        let default = known.and_then(|known| known.rate).map(Declared::by_default);
        self.rate = stated.map(Declared::stated).or(default);
    }
}
