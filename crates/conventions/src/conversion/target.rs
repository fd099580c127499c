//! What a setting is converted to, as typed: an entry, and what is fixed about it.

use std::str::FromStr;

use crate::ConventionError;
use crate::library::{self, KeyDefault, KeyMeaning, LibraryEntry, Variant};
use crate::quantity::Quantity;
use wd_decay::{Loss, Reduction, names};

/// A target: `optax.adamw`, `torch.AdamW lr=1e-3`, `optimi.AdamW decouple_lr=true`, `torch.SGD
/// reduction=sum`.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The library's entry.
    pub entry: &'static LibraryEntry,
    /// Switches that are fixed; the others are free.
    pub switches: Vec<(String, bool)>,
    /// The peak of the learning rate there; that of the source when absent.
    pub learning_rate: Option<f64>,
    /// How the loss is joined there; as in the source when absent.
    pub reduction: Option<Reduction>,
    /// What a data point contributes there; as in the source when absent.
    pub loss: Option<Loss>,
}

impl Target {
    /// A target with nothing fixed.
    pub const fn new(entry: &'static LibraryEntry) -> Self {
        Target { entry, switches: Vec::new(), learning_rate: None, reduction: None, loss: None }
    }

    /// The variants that the fixed switches leave.
    pub fn variants(&self) -> impl Iterator<Item = &'static Variant> {
        self.entry.variants.iter().filter(|variant| {
            let fits = |(key, on): &(String, bool)| {
                variant.switches.iter().all(|(own, own_on)| own != key || own_on == on)
            };
            self.switches.iter().all(fits)
        })
    }
}

impl FromStr for Target {
    type Err = ConventionError;

    fn from_str(text: &str) -> Result<Self, ConventionError> {
        let mut words = text.split_whitespace();
        let mut target = Target::new(library::find(words.next().unwrap_or_default())?);
        for word in words {
            let refuse = |reason: &str| ConventionError::InvalidSetting {
                key: target.entry.name.clone(),
                given: word.to_owned(),
                reason: reason.to_owned(),
            };
            let (key, value) = word.split_once('=').ok_or_else(|| refuse("write key=value"))?;
            let switches = || {
                target.entry.keys.iter().filter(|key| matches!(key.default, KeyDefault::Switch(_)))
            };
            let rate = target.entry.key(KeyMeaning::LearningRate);
            let is_rate =
                |key: &str| rate.is_some_and(|rate| rate.name == key || key == rate.meaning.name());
            match key {
                "reduction" => {
                    target.reduction = Some(names::find("reduction", value)?);
                }
                "loss" => target.loss = Some(names::find("loss", value)?),
                _ if is_rate(key) => {
                    let rate = value.parse::<Quantity>().ok().map(|rate| rate.value);
                    let rate = rate.filter(|rate| *rate > 0.0 && rate.is_finite());
                    target.learning_rate =
                        Some(rate.ok_or_else(|| refuse("a learning rate is a number above 0"))?);
                }
                _ => {
                    let own = switches().find(|own| own.name == key).ok_or_else(|| {
                        ConventionError::UnknownKey {
                            entry: format!("the target {}", target.entry.name),
                            given: key.to_owned(),
                            nearest: names::nearest(
                                key,
                                switches()
                                    .map(|own| own.name.as_str())
                                    .chain(rate.map(|rate| rate.name.as_str()))
                                    .chain(["reduction", "loss"]),
                            ),
                        }
                    })?;
                    let on = match value.to_lowercase().as_str() {
                        "true" => true,
                        "false" => false,
                        _ => return Err(refuse("a switch is true or false")),
                    };
                    target.switches.push((own.name.clone(), on));
                }
            }
        }
        Ok(target)
    }
}
