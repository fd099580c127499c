//! Weighing a run against the range in which a law was established.

use wd_decay::{OptimizerKind, ScheduleKind, Unit};

use crate::{Answer, PlannedRun, Range, words};

/// What was found so far: departures from a law's range, and departures within it.
#[derive(Debug, Default)]
pub(crate) struct Check {
    why: Vec<String>,
    caveats: Vec<String>,
    meaningless: bool,
}

impl Check {
    /// A run that leaves the range unless `holds`; not worth saying of a run of another kind.
    pub(crate) fn require(&mut self, holds: bool, why: impl FnOnce() -> String) -> &mut Self {
        if !holds && !self.meaningless {
            self.why.push(why());
        }
        self
    }

    /// A run of another kind than the law is about, unless `holds`: its formula then gives no
    /// number at all.
    pub(crate) fn same_kind(&mut self, holds: bool, why: impl FnOnce() -> String) -> &mut Self {
        if !holds {
            if !self.meaningless {
                self.why.clear();
            }
            self.meaningless = true;
            self.why.push(why());
        }
        self
    }

    /// Something to know although the law applies.
    pub(crate) fn mention(&mut self, caveat: impl Into<String>) -> &mut Self {
        self.caveats.push(caveat.into());
        self
    }

    /// A law of AdamW, trained from scratch under a learning rate that falls.
    pub(crate) fn adamw_from_scratch(&mut self, run: &PlannedRun) -> &mut Self {
        self.same_kind(run.optimizer == OptimizerKind::Adamw, || {
            format!("it was established for AdamW, and this run uses {}", run.optimizer.title())
        })
        .no_fine_tuning(run)
        .falling(run)
    }

    /// A law of training from random weights.
    pub(crate) fn no_fine_tuning(&mut self, run: &PlannedRun) -> &mut Self {
        self.same_kind(!run.fine_tuning, || {
            "it was established for training from scratch, and this run starts from trained weights"
                .to_owned()
        })
    }

    /// A law of a learning rate that falls from its peak.
    pub(crate) fn falling(&mut self, run: &PlannedRun) -> &mut Self {
        self.same_kind(!run.is_constant(), || {
            "the learning rate is constant, and no law was fitted there (in one pass over text, \
             decay then only raised the training loss)"
                .to_owned()
        });
        if run.schedule.is_none() {
            self.mention("no schedule was given: a learning rate that falls is assumed");
        }
        self
    }

    /// A law of text.
    pub(crate) fn tokens(&mut self, run: &PlannedRun) -> &mut Self {
        self.same_kind(run.unit == Unit::Token, || {
            format!("it was established on text, and this run counts {}", run.unit.words())
        })
    }

    /// A law of one pass over the data.
    pub(crate) fn one_pass(&mut self, run: &PlannedRun) -> &mut Self {
        // Windows drawn with replacement and a last partial shard make a pass a little longer than
        // 1.
        self.require(run.epochs <= 1.01, || {
            format!(
                "it was established for one pass over the data, and this run makes {}",
                words::short(run.epochs)
            )
        })
    }

    /// A quantity that must lie between two values.
    pub(crate) fn within(&mut self, what: &str, value: f64, low: f64, high: f64) -> &mut Self {
        self.require((low..=high).contains(&value), || {
            format!(
                "{} {what}; it was established for {}",
                words::short(value),
                words::between(low, high)
            )
        })
    }

    /// The refusal of a run that has left the range already, whatever else is known of it.
    pub(crate) fn refused(&self) -> Option<Answer> {
        (!self.why.is_empty()).then(|| Answer::OutsideRange { why: self.why.clone(), lambda: None })
    }

    /// The refusal of a run that has left the range already; else the inputs of `named` that are
    /// missing.
    pub(crate) fn without(&self, named: &[(&str, Option<f64>)]) -> Answer {
        self.refused().unwrap_or_else(|| Answer::Needs {
            what: named
                .iter()
                .filter(|(_, value)| value.is_none())
                .map(|(name, _)| (*name).to_owned())
                .collect(),
        })
    }

    /// The answer, once all is checked.
    pub(crate) fn answer(self, lambda: f64, range: Range, working: String) -> Answer {
        if self.why.is_empty() {
            Answer::Applies { lambda, range, working, caveats: self.caveats }
        } else {
            Answer::OutsideRange {
                why: self.why,
                lambda: (lambda.is_finite() && !self.meaningless).then_some(lambda),
            }
        }
    }
}

/// How a schedule is named in caveats.
pub(crate) fn schedule_words(kind: ScheduleKind, floor: f64) -> String {
    match floor {
        0.0 => format!("{kind} to zero"),
        floor => format!("{kind} to {} %", words::short(100.0 * floor)),
    }
}
