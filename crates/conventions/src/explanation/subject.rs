//! What is explained: one λ, the optimizer that it stands in, and the run around it.

use crate::library::{Convention, KeyMeaning, Optimizer};
use crate::{ConventionError, Setting};
use wd_decay::{
    Anchor, Application, DecayRule, Given, LearningRate, Momenta, MuonScale, PeakLearningRate,
    RunShape, Schedule, UpdateNoise,
};
use wd_page::number::short;

/// Steps beyond which a course is not computed: a typing slip rather than a run.
const MOST_STEPS: u64 = 10_000_000;

/// One declared decay with everything that its explanation needs.
///
/// Made from a [`Setting`] by `From`, or by hand for a run that no library's name stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// What it is called: `torch.AdamW`, or a file.
    pub name: String,
    /// The equation in the library's own symbols; absent where there is no library.
    pub library_equation: Option<String>,
    /// What forms the direction beside the decay.
    pub optimizer: Optimizer,
    /// What λ does.
    pub convention: Convention,
    /// λ, as written.
    pub lambda: Given<f64>,
    /// Factor on λ over the run; absent: 1 throughout.
    pub lambda_schedule: Option<Schedule>,
    /// The optimizer's own numbers.
    pub momenta: Momenta,
    /// What Muon multiplies an orthogonal matrix by; absent where it depends on an unknown width.
    pub muon_scale: Option<MuonScale>,
    /// Share of L1 in an estimator's penalty.
    pub l1_ratio: f64,
    /// What the weights decay to.
    pub anchor: Anchor,
    /// Which tensors decay.
    pub decayed: DecayedTensors,
    /// Are the shrunk weights stored, and rounded, before the update is added?
    pub stores_shrunk_weights: bool,
    /// The run around it.
    pub run: RunShape,
    /// What the library does otherwise than people expect.
    pub remarks: Vec<String>,
}

/// Which tensors decay, as far as it matters to a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecayedTensors {
    /// In words.
    pub description: String,
    /// Do norm gains or biases decay?
    pub norms_and_biases: bool,
    /// Do token embeddings decay? Where nobody says, they do whenever the run is one over text.
    pub embeddings: bool,
}

impl From<&Setting> for Subject {
    fn from(setting: &Setting) -> Self {
        let number = |meaning, absent| setting.value(meaning).map_or(absent, |given| given.value);
        let run = &setting.run;
        Subject {
            name: setting.entry.name.to_owned(),
            library_equation: Some(format!(
                "{}, {} = {}",
                setting.variant.equation,
                setting.entry.key(KeyMeaning::WeightDecay).map_or("λ", |key| key.name),
                short(setting.lambda.value)
            )),
            optimizer: setting.entry.optimizer,
            convention: setting.variant.convention,
            lambda: setting.lambda,
            lambda_schedule: None,
            momenta: setting.momenta(),
            muon_scale: run.width.map(|fan_in| MuonScale::Shape { fan_in }),
            l1_ratio: number(KeyMeaning::L1Ratio, 0.0),
            anchor: Anchor::Zero,
            decayed: DecayedTensors {
                description: setting.entry.decays.to_owned(),
                norms_and_biases: setting.entry.decays_norms_and_biases(),
                embeddings: setting.entry.decays_embeddings() && run.unit == wd_decay::Unit::Token,
            },
            stores_shrunk_weights: setting.entry.stores_shrunk_weights(),
            run: run.clone(),
            remarks: setting.entry.quirks.iter().map(|quirk| (*quirk).to_owned()).collect(),
        }
    }
}

impl Subject {
    /// The rule of its steps; absent for an estimator.
    pub fn rule(&self) -> Option<DecayRule> {
        match self.convention {
            Convention::Step { rule, .. } => Some(rule),
            Convention::Penalty { .. } => None,
        }
    }

    /// Is only decayed where update and weight agree?
    pub fn cautious(&self) -> bool {
        matches!(self.convention, Convention::Step { cautious: true, .. })
    }

    /// The coefficient of [`Subject::rule`]: λ, doubled where the library's penalty lacks the ½.
    pub fn coefficient(&self) -> f64 {
        match self.convention {
            Convention::Step { per_unit, .. } => per_unit * self.lambda.value,
            Convention::Penalty { .. } => self.lambda.value,
        }
    }

    /// η_max.
    pub fn peak_learning_rate(&self) -> Option<f64> {
        self.run.peak_learning_rate.map(|given| given.value)
    }

    /// η of a step whose schedule's factor is `factor`.
    fn rate(&self, factor: f64) -> Option<f64> {
        Some(self.peak_learning_rate()? * factor)
    }

    /// η_t; without a schedule the rate is constant.
    pub fn learning_rate(&self, step: u64) -> Option<f64> {
        self.rate(self.run.schedule.map_or(1.0, |schedule| schedule.factor(step)))
    }

    /// The part s_t that a step takes off the weights when no gradient comes in between; absent
    /// where the learning rate is unknown, or where that depends on gradients that are not known.
    ///
    /// | rule and optimizer | s_t |
    /// |---|---|
    /// | a rule that shrinks | its shrink |
    /// | coupled L2 under SGD | η_tλ/(1 − μ): the penalty's gradient goes through the momentum μ |
    /// | coupled L2 under Adam | η_tλ/√E\[g²\]: divided like any gradient; needs its RMS |
    pub fn shrink(&self, step: u64) -> Option<f64> {
        let lambda = self.lambda_schedule.map_or(1.0, |schedule| schedule.factor(step));
        self.shrink_at(self.learning_rate(step)?, lambda)
    }

    /// The shrink at the peak of learning rate and λ.
    pub fn peak_shrink(&self) -> Option<f64> {
        self.shrink_at(self.peak_learning_rate()?, 1.0)
    }

    fn shrink_at(&self, rate: f64, lambda_factor: f64) -> Option<f64> {
        let lambda = self.coefficient() * lambda_factor;
        let peak = PeakLearningRate(self.peak_learning_rate()?);
        match self.rule()?.apply(lambda, LearningRate(rate), peak) {
            Application::Shrink(shrink) => Some(shrink.0),
            Application::Gradient(0.0) => Some(0.0),
            // A held norm shrinks by what its update added, not by a fixed share.
            Application::Sphere => None,
            Application::Gradient(lambda) => match self.optimizer {
                Optimizer::Sgd => Some(rate * lambda * self.momenta.gain()),
                Optimizer::Adam | Optimizer::RAdam => Some(rate * lambda / self.run.gradient_rms?),
                _ => None,
            },
        }
    }

    /// The random part of the optimizer's update, where there is theory for it and its numbers are
    /// known.
    pub fn noise(&self) -> Option<UpdateNoise> {
        let Momenta { momentum, nesterov, beta1, beta2, .. } = self.momenta;
        match self.optimizer {
            Optimizer::Adam | Optimizer::RAdam => Some(UpdateNoise::Adam { beta1 }),
            Optimizer::Lion => Some(UpdateNoise::Lion { beta1, beta2 }),
            Optimizer::Muon => {
                Some(UpdateNoise::Muon { momentum, nesterov, scale: self.muon_scale? })
            }
            Optimizer::Sgd => Some(UpdateNoise::Sgd {
                momentum,
                nesterov,
                gradient_mean_square: (self.run.gradient_rms? * self.momenta.intake()).powi(2),
            }),
            Optimizer::NAdam | Optimizer::Adafactor | Optimizer::Any | Optimizer::Estimator => None,
        }
    }

    /// The steps of the run, where a course can be computed.
    ///
    /// # Errors
    /// More steps than any run has.
    pub(super) fn steps(&self) -> Result<Option<u64>, ConventionError> {
        match self.run.steps {
            Some(steps) if steps > MOST_STEPS => Err(ConventionError::InvalidSetting {
                key: "steps".to_owned(),
                given: steps.to_string(),
                reason: format!(
                    "a course is computed step by step, for at most {MOST_STEPS}; \
                     are these data points, or is the batch too small?"
                ),
            }),
            other => Ok(other),
        }
    }
}
