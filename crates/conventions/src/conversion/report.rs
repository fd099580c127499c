//! One setting carried over to one target or to all: what `wd convert` answers.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::convert::convert;
use super::outcome::{Conversion, Fidelity};
use super::target::Target;
use super::verdict::Verdict;
use crate::library::{self, KeyMeaning};
use crate::{ConventionError, Setting};
use wd_page::number::short;

/// A setting and its conversions.
#[derive(Debug, Clone, PartialEq)]
pub struct ConversionReport {
    /// What is converted.
    pub setting: Setting,
    /// Where to, and what came of it.
    pub conversions: Vec<TargetConversion>,
    /// Whether every entry of the table was asked, and not one target alone.
    pub to_all: bool,
}

/// A target, and its conversion or what that lacks.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetConversion {
    /// Where to.
    pub target: Target,
    /// The conversion.
    pub outcome: Result<Conversion, ConventionError>,
    /// What running both sides found, where they were run.
    pub check: Option<Verdict>,
}

impl ConversionReport {
    /// The setting in every other entry of the table.
    pub fn to_all(setting: Setting) -> Self {
        let conversions = library::entries()
            .filter(|entry| entry.name != setting.entry.name)
            .map(|entry| TargetConversion::of(&setting, Target::new(entry)))
            .collect();
        ConversionReport { setting, conversions, to_all: true }
    }

    /// The setting in one target.
    ///
    /// # Errors
    /// What [`convert`] refuses.
    pub fn to_one(setting: Setting, target: Target) -> Result<Self, ConventionError> {
        let outcome = Ok(convert(&setting, &target)?);
        let conversions = vec![TargetConversion { outcome, target, check: None }];
        Ok(ConversionReport { setting, conversions, to_all: false })
    }

    /// Whether a conversion that claims to be exact was found not to be.
    pub fn is_refuted(&self) -> bool {
        self.conversions.iter().filter_map(|one| one.check.as_ref()).any(Verdict::refutes)
    }

    /// Whether one target was asked for and no number there is this decay.
    pub fn is_impossible(&self) -> bool {
        let is_impossible = |one: &TargetConversion| {
            one.outcome.as_ref().is_ok_and(|found| found.fidelity == Fidelity::Impossible)
        };
        !self.to_all && self.conversions.iter().all(is_impossible)
    }

    /// What nobody stated and the answer rests on, in words.
    pub(super) fn defaults(&self) -> Option<String> {
        let Setting { entry, lambda, run, .. } = &self.setting;
        let mut words = Vec::new();
        if lambda.default {
            words.push(format!("{}={}", entry.lambda_name(), short(lambda.value)));
        }
        // A penalty has no learning rate, and needs none.
        let rate = KeyMeaning::LearningRate;
        let rate_matters = self.conversions.iter().any(|one| one.target.entry.key(rate).is_some());
        if let Some(peak) = run.peak_learning_rate.filter(|peak| peak.default && rate_matters) {
            let name = entry.key(rate).map_or(rate.name(), |key| &key.name);
            words.push(format!("{name}={}", short(peak.value)));
        }
        let words = (!words.is_empty()).then(|| words.join(" and "))?;
        Some(format!("with {}'s own {words}, which was not given", entry.name))
    }
}

impl TargetConversion {
    fn of(setting: &Setting, target: Target) -> Self {
        TargetConversion { outcome: convert(setting, &target), target, check: None }
    }
}

impl Serialize for ConversionReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Setting { entry, variant, lambda, values, run } = &self.setting;
        let mut report = serializer.serialize_struct("ConversionReport", 7)?;
        report.serialize_field("entry", &entry.name)?;
        report.serialize_field("equation", &variant.equation)?;
        report.serialize_field("rule", &self.setting.rule())?;
        report.serialize_field("lambda", lambda)?;
        report.serialize_field("values", values)?;
        report.serialize_field("run", run)?;
        report.serialize_field("conversions", &self.conversions)?;
        report.end()
    }
}

impl Serialize for TargetConversion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_struct("TargetConversion", 6)?;
        row.serialize_field("target", &self.target.entry.name)?;
        match &self.outcome {
            Ok(conversion) => {
                row.serialize_field("answer", &conversion.fidelity)?;
                row.serialize_field("keys", &Keys(conversion))?;
                row.serialize_field("call", &conversion.call)?;
                row.serialize_field("reasons", &conversion.reasons)?;
            }
            Err(error) => {
                row.serialize_field("answer", "needs more")?;
                row.serialize_field("reasons", &[error.to_string()])?;
            }
        }
        if let Some(check) = &self.check {
            row.serialize_field("check", check)?;
        }
        row.end()
    }
}

/// The keys of a conversion, by name.
struct Keys<'a>(&'a Conversion);

impl Serialize for Keys<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.keys.iter().map(|(name, value)| (name, value)))
    }
}
