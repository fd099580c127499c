//! What is explained: one λ, the optimizer that applies it, and the run around it.

use std::collections::BTreeMap;

use crate::library::{Convention, KeyMeaning, Penalty};
use crate::{ConventionError, Setting};
use wd_decay::norm::coupled_adam_mean_square;
use wd_decay::shrink::{PenaltyPath, shrink};
use wd_decay::{
    Anchor, DecayRule, Declared, LearningRate, Momenta, MuonScale, OptimizerKind, PeakLearningRate,
    Role, Run, Spared, Unit, UpdateNoise,
};
use wd_page::number::short;

/// Steps beyond which a trajectory is not computed: a typing slip rather than a run.
const MOST_STEPS: u64 = 10_000_000;

/// One declared decay with everything that its explanation needs.
///
/// Made from a [`Setting`] by `From`, or by hand for a run that no library's name stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredDecay {
    /// What it is called: `torch.AdamW`, or a file.
    pub name: String,
    /// The equation in the library's own symbols; absent where there is no library.
    pub library_equation: Option<String>,
    /// What forms the direction beside the decay; absent for an estimator, and where any may do it.
    pub optimizer: Option<OptimizerKind>,
    /// What λ does.
    pub convention: Convention,
    /// The number that says how strong the decay is, as written: λ, `alpha`, `C` …
    pub lambda: Declared,
    /// What the library calls that number.
    pub lambda_name: String,
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
    pub run: Run,
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

impl DecayedTensors {
    /// Those of a model: the role of each of its tensors, and whether it decays by `policy`.
    pub fn of(tensors: impl IntoIterator<Item = (Role, bool)>, policy: &str) -> Self {
        // Role → tensors that decay, tensors in all.
        let mut counts = BTreeMap::<Role, (usize, usize)>::new();
        for (role, decays) in tensors {
            let (decayed, all) = counts.entry(role).or_default();
            *decayed += usize::from(decays);
            *all += 1;
        }
        counts.retain(|_, (decayed, _)| *decayed > 0);
        let words: Vec<String> = (counts.iter())
            .map(|(role, (decayed, all))| format!("{decayed} of {all} {role} tensors"))
            .collect();
        let words = if words.is_empty() { "nothing".to_owned() } else { words.join(", ") };
        DecayedTensors {
            description: format!("{words} (policy {policy})"),
            norms_and_biases: counts.contains_key(&Role::Norm) || counts.contains_key(&Role::Bias),
            embeddings: counts.contains_key(&Role::Embedding),
        }
    }

    /// Those that a library decays, less those that the run spares.
    fn of_setting(setting: &Setting) -> Self {
        let Setting { entry, run, .. } = setting;
        let of_text = entry.decays_embeddings && run.unit == Unit::Token;
        let (description, norms_and_biases, embeddings) = match run.spares {
            None => (entry.decays.clone(), entry.decays_norms, of_text),
            Some(Spared::Norms) => {
                ("all but norm gains and biases, as given".to_owned(), false, of_text)
            }
            Some(Spared::NormsAndEmbeddings) => {
                ("all but norm gains, biases and embeddings, as given".to_owned(), false, false)
            }
        };
        DecayedTensors { description, norms_and_biases, embeddings }
    }
}

impl From<&Setting> for DeclaredDecay {
    fn from(setting: &Setting) -> Self {
        let run = &setting.run;
        DeclaredDecay {
            name: setting.entry.name.clone(),
            library_equation: Some(format!(
                "{}, {} = {}",
                setting.variant.equation,
                setting.entry.lambda_name(),
                short(setting.lambda.value)
            )),
            optimizer: setting.entry.optimizer,
            convention: setting.variant.convention,
            lambda: setting.lambda,
            lambda_name: setting.entry.lambda_name().to_owned(),
            momenta: setting.momenta(),
            muon_scale: run.width.map(|fan_in| MuonScale::Shape { fan_in }),
            l1_ratio: setting.value(KeyMeaning::L1Ratio).map_or(0.0, |ratio| ratio.value),
            anchor: Anchor::Zero,
            decayed: DecayedTensors::of_setting(setting),
            stores_shrunk_weights: setting.entry.stores_shrunk_weights,
            run: run.clone(),
            remarks: setting.entry.quirks.clone(),
        }
    }
}

impl DeclaredDecay {
    /// The rule of its steps; absent for an estimator.
    pub fn rule(&self) -> Option<DecayRule> {
        self.convention.rule()
    }

    /// Whether only coordinates decay whose update agrees in sign with the weight.
    pub fn cautious(&self) -> bool {
        matches!(self.convention, Convention::Step { cautious: true, .. })
    }

    /// The coefficient of [`DeclaredDecay::rule`]: λ, doubled where the library's penalty lacks the
    /// ½.
    pub fn coefficient(&self) -> f64 {
        self.convention.coefficient(self.lambda.value)
    }

    /// λ itself: of a step the coefficient of its rule, of an estimator the precision of the
    /// prior or, with P the λ of it, that of Σ_i ℓ_i + (P/2)‖w‖². Absent where it needs a number
    /// that was not given, such as the number of data points.
    pub fn lambda_itself(&self) -> Option<f64> {
        match self.convention {
            Convention::Step { .. } => Some(self.coefficient()),
            Convention::Penalty { penalty: Penalty::PriorPrecision, .. } => Some(self.lambda.value),
            Convention::Penalty { penalty: Penalty::PriorStd, .. } => {
                Some(self.lambda.value.powi(-2))
            }
            Convention::Penalty { penalty, likelihood } => {
                let strengths =
                    penalty.strengths(self.lambda.value, self.l1_ratio, likelihood, &self.run);
                strengths.ok().map(|(quadratic, _)| quadratic)
            }
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
        self.rate(self.run.schedule.as_ref().map_or(1.0, |schedule| schedule.factor(step)))
    }

    /// The part s_t that a step takes off the weights when no gradient comes in between; absent
    /// where the learning rate is unknown, or where that depends on gradients that are not known
    /// (see [`shrink`]). Under Adam with a penalty in the gradient it depends on the RMS of the
    /// weights.
    pub fn shrink(&self, step: u64, weight_rms: f64) -> Option<f64> {
        let own = self.run.lambda_schedule.as_ref();
        let lambda = own.map_or(1.0, |schedule| schedule.factor(step));
        self.shrink_at(self.learning_rate(step)?, lambda, weight_rms)
    }

    /// The shrink at the peak of learning rate and λ, of weights that have settled there.
    pub fn peak_shrink(&self) -> Option<f64> {
        self.shrink_at(self.peak_learning_rate()?, 1.0, self.settled_rms())
    }

    fn shrink_at(&self, rate: f64, lambda_factor: f64, weight_rms: f64) -> Option<f64> {
        let peak = PeakLearningRate(self.peak_learning_rate()?);
        let path = self.penalty_path(weight_rms);
        let lambda = self.coefficient() * lambda_factor;
        shrink(self.rule()?, lambda, LearningRate(rate), peak, &path).share()
    }

    fn penalty_path(&self, weight_rms: f64) -> PenaltyPath {
        PenaltyPath {
            optimizer: self.optimizer,
            momenta: self.momenta,
            gradient_rms: self.run.gradient_rms,
            weight_rms,
        }
    }

    /// Does Adam divide a penalty in the gradient by the root mean square of their sum?
    pub(crate) fn rescales_its_penalty(&self) -> bool {
        use OptimizerKind::{Adam, Adamw, Radam};
        self.rule() == Some(DecayRule::CoupledL2)
            && matches!(self.optimizer, Some(Adam | Adamw | Radam))
    }

    /// RMS of weights that have settled at the peak rate, where a shrink depends on it; else 0.
    pub(crate) fn settled_rms(&self) -> f64 {
        let known = self.peak_learning_rate().zip(self.run.gradient_rms);
        match known.filter(|_| self.rescales_its_penalty()) {
            Some((rate, gradient)) => {
                coupled_adam_mean_square(rate, self.coefficient(), gradient).sqrt()
            }
            None => 0.0,
        }
    }

    /// The gradient's share of what Adam divides by, at a step: 1 but where a penalty is divided
    /// with it.
    pub(crate) fn gradient_share(&self, step: Option<u64>, weight_rms: f64) -> f64 {
        if !self.rescales_its_penalty() {
            return 1.0;
        }
        let own = self.run.lambda_schedule.as_ref().zip(step);
        let factor = own.map_or(1.0, |(schedule, step)| schedule.factor(step));
        let denominator = self.penalty_path(weight_rms).denominator(self.coefficient() * factor);
        self.run.gradient_rms.zip(denominator).map_or(1.0, |(gradient, all)| gradient / all)
    }

    /// The random part of the optimizer's update, where there is theory for it and its numbers are
    /// known.
    pub fn noise(&self) -> Option<UpdateNoise> {
        let Momenta { momentum, nesterov, beta1, beta2, .. } = self.momenta;
        match self.optimizer? {
            OptimizerKind::Adam | OptimizerKind::Adamw | OptimizerKind::Radam => {
                Some(UpdateNoise::Adam { beta1 })
            }
            OptimizerKind::Lion => Some(UpdateNoise::Lion { beta1, beta2 }),
            OptimizerKind::Muon => {
                Some(UpdateNoise::Muon { momentum, nesterov, scale: self.muon_scale? })
            }
            OptimizerKind::Sgd => Some(UpdateNoise::Sgd {
                momentum,
                nesterov,
                gradient_mean_square: (self.run.gradient_rms? * self.momenta.intake()).powi(2),
            }),
            OptimizerKind::Nadam | OptimizerKind::Adafactor => None,
        }
    }

    /// The steps of the run, where a trajectory can be computed.
    ///
    /// # Errors
    /// More steps than any run has.
    pub(crate) fn steps(&self) -> Result<Option<u64>, ConventionError> {
        match self.run.steps {
            Some(steps) if steps > MOST_STEPS => Err(ConventionError::InvalidSetting {
                key: "steps".to_owned(),
                given: steps.to_string(),
                reason: format!(
                    "a trajectory is computed step by step, for at most {MOST_STEPS}; \
                     are these data points, or is the batch too small?"
                ),
            }),
            other => Ok(other),
        }
    }
}
