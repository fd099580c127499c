//! λ as a prior: the Gaussian it is, what is missing to say so, or why it is none.

use serde::Serialize;

use crate::library::{Convention, Likelihood, Penalty};
use crate::{ConventionError, DeclaredDecay, Prior, PriorUnit};
use wd_decay::{Anchor, DecayRule, Loss, OptimizerKind, Reduction};
use wd_page::number::short;

/// λ read as a prior.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum PriorInterpretation {
    /// It is a Gaussian prior.
    Prior {
        /// The prior.
        #[serde(flatten)]
        prior: Prior,
        /// How it follows, with reduction, ½ and N.
        derivation: Vec<String>,
    },
    /// It is one, but a number is missing.
    Needs {
        /// What to add.
        missing: String,
    },
    /// It is none.
    NoPrior {
        /// Why.
        reason: String,
        /// What can be said instead.
        instead: Vec<String>,
    },
}

impl PriorInterpretation {
    pub(super) fn of(decay: &DeclaredDecay) -> Self {
        match Prior::of(decay) {
            Ok(prior) => {
                PriorInterpretation::Prior { derivation: derivation(decay, &prior), prior }
            }
            Err(ConventionError::Missing { missing, .. }) => PriorInterpretation::Needs { missing },
            Err(ConventionError::NotAPrior { reason, .. }) => {
                PriorInterpretation::NoPrior { reason, instead: instead(decay) }
            }
            Err(other) => {
                PriorInterpretation::NoPrior { reason: other.to_string(), instead: Vec::new() }
            }
        }
    }
}

fn derivation(decay: &DeclaredDecay, prior: &Prior) -> Vec<String> {
    let run = &decay.run;
    let noise = match prior.unit {
        PriorUnit::Weights => "",
        PriorUnit::NoiseStandardDeviation => "/σ_noise²",
    };
    let result = format!(
        "α = 1/σ² = {}{noise}, σ = {}{}",
        short(prior.precision()),
        short(prior.standard_deviation),
        match prior.unit {
            PriorUnit::Weights => "",
            PriorUnit::NoiseStandardDeviation => " σ_noise (noise_std=… gives a number)",
        }
    );
    let (distance, mean) = match decay.anchor {
        Anchor::Zero => ("w", "0"),
        _ => ("w − a", "a"),
    };
    let mut lines = vec![format!(
        "log posterior = −Σ_i ℓ_i − (α/2)‖{distance}‖² + const, the sum over all N data points: w \
         ~ N({mean}, 1/α)"
    )];
    if let Convention::Penalty { penalty, likelihood } = decay.convention {
        lines.extend(of_estimator(decay, penalty, likelihood));
        lines.push(result);
        return lines;
    }
    let lambda = match decay.convention {
        Convention::Step { per_unit: 2.0, .. } => {
            format!(
                "the penalty λ‖w‖² has no ½: its λ counts twice, {}",
                short(decay.coefficient())
            )
        }
        _ => format!(
            "λ w in the gradient is the penalty (λ/2)‖w‖², λ = {}",
            short(decay.coefficient())
        ),
    };
    lines.push(lambda);
    if decay.rule() == Some(DecayRule::Decoupled) && decay.momenta.momentum != 0.0 {
        lines.push(format!(
            "the momentum multiplies the gradient by {} and not the decay: as a penalty it is λ/{} \
             = {}",
            short(decay.momenta.gain()),
            short(decay.momenta.gain()),
            short(decay.coefficient() / decay.momenta.gain())
        ));
    }
    let assumed = if run.reduction.is_none() {
        " (taken for granted: say reduction=sum if it is one)"
    } else {
        ""
    };
    let points = run.data_points.map_or("N".to_owned(), short);
    let of = run.unit.words();
    lines.push(match run.reduction.unwrap_or(Reduction::Mean) {
        Reduction::Mean => format!(
            "the loss is a mean{assumed}: times N = {points} {of} it is the sum, and so is the \
             penalty"
        ),
        Reduction::Sum => format!(
            "the loss is a sum over a batch of {}: times N/B it is the sum over N = {points} {of}",
            run.batch.map_or("B".to_owned(), short)
        ),
    });
    match run.loss {
        Some(Loss::SquaredError) => lines.push(
            "(y − f)² has no ½: a likelihood has (y − f)²/(2σ_noise²), so that α is halved"
                .to_owned(),
        ),
        Some(Loss::HalfSquaredError) => {
            lines.push("½(y − f)² is the negative log likelihood times σ_noise²".to_owned())
        }
        Some(Loss::NegativeLogLikelihood) | None => {}
    }
    lines.push(result);
    if decay
        .optimizer
        .is_some_and(|optimizer| optimizer.is_like_adam() || optimizer == OptimizerKind::Adafactor)
    {
        lines.push(
            "this is the minimum that the run heads for; how fast weights come to it depends on \
             their gradients, not on λ alone"
                .to_owned(),
        );
    }
    lines
}

/// How an estimator's number becomes the strength P beside Σ_i ℓ_i.
fn of_estimator(decay: &DeclaredDecay, penalty: Penalty, likelihood: Likelihood) -> Vec<String> {
    let value = short(decay.lambda.value);
    let points = decay.run.data_points.map_or("N".to_owned(), short);
    let mut lines = vec![match penalty {
        Penalty::Summed | Penalty::SummedL1 => format!(
            "the loss is a sum over the data: beside Σ_i ℓ_i the penalty is (P/2)‖w‖², P = {value}"
        ),
        Penalty::Mean => format!(
            "the loss is a mean: times N = {points} it is the sum, and the penalty (P/2)‖w‖² with \
             P = N × {value} (1 − r), r the share of L1"
        ),
        Penalty::MeanPerBatch => format!(
            "the loss is a mean over the B rows of a batch, and the penalty is divided by B too: \
             times N = {points} it is the sum, and the penalty (P/2)‖w‖² with P = N/B × {value}"
        ),
        Penalty::MeanScaledResponse => format!(
            "the loss is a mean, of a response scaled to unit variance: times N = {points} it is \
             the sum, and P = N × {value} (1 − r)/std(y), r the share of L1"
        ),
        Penalty::Inverse => format!(
            "the number multiplies the loss: divided by it, the penalty is (P/2)‖w‖² beside Σ_i \
             ℓ_i, P = (1 − r)/{value}, r the share of L1"
        ),
        Penalty::PriorPrecision => {
            format!("the number is the prior's precision itself: α = {value}")
        }
        Penalty::PriorStd => format!("the number is the prior's σ itself: {value}"),
    }];
    let is_prior = matches!(penalty, Penalty::PriorPrecision | Penalty::PriorStd);
    if likelihood == Likelihood::Squared && !is_prior {
        lines.push(
            "here ℓ = ½(y − f)², which is the negative log likelihood times σ_noise²: α = \
             P/σ_noise²"
                .to_owned(),
        );
    }
    lines
}

/// What can be said of a decay that is no prior.
fn instead(decay: &DeclaredDecay) -> Vec<String> {
    let mut lines = Vec::new();
    let (Some(rate), Some(shrink)) = (decay.peak_learning_rate(), decay.peak_shrink()) else {
        return lines;
    };
    if shrink == 0.0 || !decay.optimizer.is_some_and(OptimizerKind::is_like_adam) {
        return lines;
    }
    let lambda = shrink / rate;
    let run = &decay.run;
    lines.push(match decay.rule() {
        Some(DecayRule::Decoupled) => format!(
            "each coordinate has its own precision, α_i = λ N √v_i with λ = {}: strong where \
             gradients are large, and it moves with them",
            short(lambda)
        ),
        _ => format!(
            "each coordinate has its own precision, α_i = (s/η) N √v_i with s/η = {} at the peak: \
             strong where gradients are large, and it moves with them",
            short(lambda)
        ),
    });
    if let Some(points) = run.data_points {
        if let Some(gradient) = run.gradient_rms {
            let precision = lambda * points * gradient;
            lines.push(format!(
                "for the typical √v = {}: α = {}, σ = {}",
                short(gradient),
                short(precision),
                short(precision.sqrt().recip())
            ));
        }
        lines.push(format!(
            "read as if it were a penalty, 1/√(N s/η) = {} would be its σ: not what it does",
            short((lambda * points).sqrt().recip())
        ));
    }
    lines
}
