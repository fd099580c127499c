//! What the table says of one entry.

use serde::Serialize;

use wd_decay::{DecayRule, Given};

/// One optimizer, regularizer or estimator of a library.
#[derive(Debug, PartialEq, Serialize)]
pub struct LibraryEntry {
    /// As users type it: `torch.AdamW`.
    pub name: &'static str,
    /// Other names for the same thing.
    pub aliases: &'static [&'static str],
    /// What forms the direction u_t that decay stands beside, or that it is an estimator.
    pub optimizer: Optimizer,
    /// The meanings that its switches choose between; the first is the default.
    pub variants: &'static [Variant],
    /// The keys it takes that matter here, with its defaults.
    pub keys: &'static [Key],
    /// Which tensors decay when nobody says otherwise.
    pub decays: &'static str,
    /// How the above was established, and at which version.
    pub checked: Checked,
    /// Whether ε is added to √v before its bias correction (the ε̂ of Kingma & Ba 2015, section 2).
    pub epsilon_before_correction: bool,
    /// Where the library behaves otherwise than its documentation or than people expect.
    pub quirks: &'static [&'static str],
}

impl LibraryEntry {
    /// The part of the name behind the library: `AdamW`.
    pub fn class(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(_, class)| class)
    }

    /// The key with this meaning.
    pub fn key(&self, meaning: KeyMeaning) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.meaning == meaning)
    }

    /// The variant that these switches choose; a switch that was not typed has its default.
    pub fn variant(&self, typed: &[(&str, bool)]) -> Option<&'static Variant> {
        let state = |name: &str| {
            let set = typed.iter().find(|(key, _)| *key == name).map(|(_, on)| *on);
            set.or_else(|| {
                self.keys.iter().find(|key| key.name == name).and_then(|key| match key.default {
                    KeyDefault::Switch(on) => Some(on),
                    _ => None,
                })
            })
        };
        self.variants
            .iter()
            .find(|variant| variant.switches.iter().all(|(key, on)| state(key) == Some(*on)))
    }

    /// Whether norm gains and biases decay when nobody excludes them.
    pub fn decays_norms_and_biases(&self) -> bool {
        let all = ["every tensor", "every trainable variable", "every float"];
        all.iter().any(|all| self.decays.starts_with(all)) && self.optimizer != Optimizer::Muon
    }

    /// Whether a step stores the shrunk weights before it adds the update to them; otherwise it adds
    /// η(u + λw) at once, as the signs in the equation show.
    pub fn stores_shrunk_weights(&self) -> bool {
        !["optax.", "big_vision.", "nanochat.", "modded_nanogpt.", "llm_c."]
            .iter()
            .any(|library| self.name.starts_with(library))
    }

    /// Whether the update, and not the decay, is divided by a width multiplier.
    pub fn scales_update_by_width(&self) -> bool {
        self.name.starts_with("mup.")
    }

    /// Whether the intercept (the bias) is penalised when nobody excludes it; `None` where the entry
    /// leaves that open.
    pub fn penalizes_intercept(&self) -> Option<bool> {
        if self.decays.contains("not the intercept") {
            Some(false)
        } else if self.decays.contains("that of the intercept included")
            || self.decays_norms_and_biases()
        {
            Some(true)
        } else {
            None
        }
    }

    /// Whether token embeddings decay when nobody excludes them.
    pub fn decays_embeddings(&self) -> bool {
        self.decays_norms_and_biases()
            || self.decays.contains("embeddings decay")
            || self.decays.contains("both embeddings")
            || self.decays.starts_with("all but 1-D")
    }

    /// Whether it trains by steps, so that λ belongs to a step; otherwise it minimises an objective.
    pub fn has_steps(&self) -> bool {
        self.optimizer != Optimizer::Estimator
    }
}

/// What forms the direction beside the decay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Optimizer {
    /// Gradient descent, with or without momentum.
    Sgd,
    /// Adam and AdamW.
    Adam,
    /// Adam with Nesterov momentum.
    NAdam,
    /// Rectified Adam.
    RAdam,
    /// Adafactor.
    Adafactor,
    /// Sign of an average of gradients.
    Lion,
    /// Orthogonalised momentum.
    Muon,
    /// Any optimizer: the entry is a penalty added to the loss.
    Any,
    /// None: a model fitted to its minimum.
    Estimator,
}

/// One meaning of λ.
#[derive(Debug, PartialEq, Serialize)]
pub struct Variant {
    /// The switches that choose it, as (key, value); empty for the only or default meaning.
    pub switches: &'static [(&'static str, bool)],
    /// What λ does.
    pub convention: Convention,
    /// The same in the library's own symbols.
    pub equation: &'static str,
    /// A call to paste; `{key}` stands for the value of that key.
    pub call: &'static str,
}

impl Variant {
    /// The keys whose values the call has room for.
    pub fn holes(&self) -> impl Iterator<Item = &'static str> {
        self.call.split('{').skip(1).filter_map(|part| {
            let (name, _) = part.split_once('}')?;
            let identifier =
                |character: char| character.is_ascii_alphanumeric() || character == '_';
            (!name.is_empty() && name.chars().all(identifier)).then_some(name)
        })
    }
}

/// What λ does: one step's decay, or a penalty on an objective.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Convention {
    /// A step decays by `rule` with the coefficient `per_unit` · λ.
    Step {
        /// The rule.
        rule: DecayRule,
        /// Coefficient of the rule per unit of the library's number: 1, 2 for a penalty without ½, or 0
        /// where the library reads the number and applies nothing.
        per_unit: f64,
        /// Whether only coordinates decay whose update agrees in sign with the weight.
        cautious: bool,
    },
    /// An objective gets a penalty.
    Penalty {
        /// How it is weighed.
        penalty: Penalty,
        /// What the penalty stands beside.
        likelihood: Likelihood,
    },
}

/// The loss of an estimator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Likelihood {
    /// Squared error.
    Squared,
    /// Logistic or multinomial cross-entropy.
    Logistic,
    /// That of counts, whose log mean is linear.
    Poisson,
    /// Whichever the model has.
    Any,
}

/// How an objective weighs its penalty.
///
/// The common form is Σ_i ℓ_i + (P/2)‖w‖² + L‖w‖₁, with ℓ = ½(y − f)² or a negative log likelihood;
/// r is the share of L1 (`l1_ratio`) and v the number that is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Penalty {
    /// P = v(1 − r), L = vr. Σ(y − f)² + v‖w‖² is this too: both terms lack their ½.
    Summed,
    /// P = Nv(1 − r), L = Nvr: a mean loss.
    Mean,
    /// P = Nv(1 − r)/std(y), L = Nvr: a mean loss whose response was first scaled to unit variance.
    MeanScaledResponse,
    /// P = 0, L = v.
    SummedL1,
    /// P = (1 − r)/v, L = r/v: v multiplies the loss.
    Inverse,
    /// P = v for a likelihood, P = vσ² with the noise σ of a regression: v is the prior's precision.
    PriorPrecision,
    /// P = 1/v² for a likelihood, P = σ²/v² for a regression: v is the prior's standard deviation.
    PriorStd,
}

/// A key of an entry.
#[derive(Debug, PartialEq, Serialize)]
pub struct Key {
    /// As the library spells it.
    pub name: &'static str,
    /// What it sets.
    pub meaning: KeyMeaning,
    /// What it is when nobody sets it.
    pub default: KeyDefault,
}

/// What a key sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyMeaning {
    /// λ, as the library writes it.
    WeightDecay,
    /// The learning rate; its peak where there is a schedule.
    LearningRate,
    /// Momentum of SGD or Muon.
    Momentum,
    /// Share of the gradient that momentum leaves out.
    Dampening,
    /// Nesterov momentum.
    Nesterov,
    /// Decay of the first moment.
    Beta1,
    /// Decay of the second moment.
    Beta2,
    /// Added to the denominator of Adam.
    Epsilon,
    /// Share of L1 in a mixed penalty.
    L1Ratio,
    /// A switch between variants.
    Switch,
    /// Decay only where update and weight agree in sign; also a switch.
    Cautious,
}

impl Optimizer {
    /// The name in sentences.
    pub const fn name(self) -> &'static str {
        match self {
            Optimizer::Sgd => "SGD",
            Optimizer::Adam => "Adam",
            Optimizer::NAdam => "NAdam",
            Optimizer::RAdam => "RAdam",
            Optimizer::Adafactor => "Adafactor",
            Optimizer::Lion => "Lion",
            Optimizer::Muon => "Muon",
            Optimizer::Any => "any optimizer",
            Optimizer::Estimator => "an estimator",
        }
    }
}

impl KeyMeaning {
    /// The common name, which every library's own name may be replaced by.
    pub const fn name(self) -> &'static str {
        match self {
            KeyMeaning::WeightDecay => "weight_decay",
            KeyMeaning::LearningRate => "lr",
            KeyMeaning::Momentum => "momentum",
            KeyMeaning::Dampening => "dampening",
            KeyMeaning::Nesterov => "nesterov",
            KeyMeaning::Beta1 => "beta1",
            KeyMeaning::Beta2 => "beta2",
            KeyMeaning::Epsilon => "eps",
            KeyMeaning::L1Ratio => "l1_ratio",
            KeyMeaning::Switch => "switch",
            KeyMeaning::Cautious => "cautious",
        }
    }
}

/// The default of a key.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum KeyDefault {
    /// There is none: it must be given.
    Required,
    /// A number.
    Number(f64),
    /// A switch.
    Switch(bool),
}

/// How an entry was established.
#[derive(Debug, PartialEq, Serialize)]
pub struct Checked {
    /// Version or commit.
    pub version: &'static str,
    /// How.
    pub method: Method,
    /// What was read: a file of the library, a page.
    pub source: &'static str,
}

/// Whether the library was run or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Its own trajectory (or fitted coefficients) is followed by our rule, as a test.
    Golden,
    /// Its source was read; nothing was run.
    Source,
}

/// Values of an entry's keys, by meaning.
pub type Values = std::collections::BTreeMap<KeyMeaning, Given<f64>>;

/// The step of `rule` with the library's own number as coefficient.
pub(super) const fn step(rule: DecayRule) -> Convention {
    Convention::Step { rule, per_unit: 1.0, cautious: false }
}

/// The same, on the coordinates alone where update and weight agree in sign.
pub(super) const fn cautious_step(rule: DecayRule) -> Convention {
    Convention::Step { rule, per_unit: 1.0, cautious: true }
}

/// A key with a number as its default.
pub(super) const fn number(name: &'static str, meaning: KeyMeaning, default: f64) -> Key {
    Key { name, meaning, default: KeyDefault::Number(default) }
}

/// A key without a default.
pub(super) const fn required(name: &'static str, meaning: KeyMeaning) -> Key {
    Key { name, meaning, default: KeyDefault::Required }
}

/// A switch.
pub(super) const fn switch(name: &'static str, meaning: KeyMeaning, default: bool) -> Key {
    Key { name, meaning, default: KeyDefault::Switch(default) }
}
