//! Where the best λ lies, for several models and amounts of data: the study of λ as a prior in deep
//! networks.
//!
//! A [`Surface`] is every trial that differs only in λ, the peak learning rate η and the seed: loss
//! over (η, λ). Of each surface the analysis takes the curve at its best η, finds the optimum seed
//! by seed, and compares with λ = 0 on the same seeds. Surfaces that differ in one setting more
//! (the model, the number of images, the batch, the passes) give ratios of optima and slopes, again
//! seed by seed, so that every number has an interval over paired seeds.
//!
//! | file | question it answers |
//! |---|---|
//! | `finals` | which numbers of a trial are compared? |
//! | `surface` | which trials belong together? |
//! | `optimum` | which λ is best, and by how much? |
//! | `scaling` | how does the best λ move with the data, the batch, the passes? |
//! | `shift` | what does the best λ do on corrupted images? |
//! | `claims` | what follows, in words and numbers? |

mod claims;
mod finals;
mod optimum;
mod scaling;
mod shift;
mod surface;

use serde::Serialize;
use wd_decay::OptimizerKind;

use wd_lab::configuration::flatten;
use wd_lab::study::{Study, Trial};
use wd_lab::{Analysis, AnalysisOptions, LabError, analyse_some};
use wd_page::Claim;

pub use finals::Finals;
pub use optimum::{Censored, Gain, Optimum};
pub use scaling::{Ratio, Scaling};
pub use shift::{Severity, Shift};
pub use surface::{Point, Surface};

/// What a study of models under λ found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VisionAnalysis {
    /// Loss over (η, λ) for each setting of everything else.
    pub surfaces: Vec<Surface>,
    /// The optimum of each surface at its best η, where it has one.
    pub optima: Vec<Option<Optimum>>,
    /// What the best λ gains over λ = 0, at the best η of each surface.
    pub gains: Vec<Option<Gain>>,
    /// Best ηλ of one model over that of another, everything else equal.
    pub ratios: Vec<Ratio>,
    /// Slopes of the best ηλ against the number of images, the batch, the passes and the learning
    /// rate.
    pub scalings: Vec<Scaling>,
    /// How λ acted in each regime of the study, by the verdict of the main job.
    pub regimes: Vec<Regime>,
    /// Models on corrupted images, where their runs were evaluated on such.
    pub shifts: Vec<Shift>,
    /// What follows.
    pub claims: Vec<Claim>,
    /// Trials that have not finished.
    pub unfinished: usize,
}

/// The verdict of the main job on a surface of the study, at its best η.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Regime {
    /// Passes over the training images.
    pub epochs: f64,
    /// Training images.
    pub images: u64,
    /// The model.
    pub model: String,
    /// The optimizer.
    pub optimizer: OptimizerKind,
    /// η.
    pub learning_rate: f64,
    /// Its arms, comparisons and verdict.
    pub analysis: Analysis,
}

/// Is this a study of classifiers, which [`analyse`] is about?
pub fn is_vision(study: &Study) -> bool {
    let kind = |trial: &Trial| flatten(&trial.configuration).ok()?.remove(surface::MODEL_KEY);
    study.trials().first().and_then(kind).is_some_and(|kind| kind != "gpt")
}

/// Analyses a study, as far as it is finished. Where it has one model over many passes and in one
/// pass over as many samples, both also get the verdict that any study of runs gets.
///
/// # Errors
/// [`LabError::NothingToAnalyse`] when no trial has finished; [`LabError::Store`] when a run
/// directory is damaged.
pub fn analyse(study: &Study) -> Result<VisionAnalysis, LabError> {
    let (records, unfinished) = finals::read(study)?;
    if records.is_empty() {
        return Err(LabError::NothingToAnalyse {
            problem: format!("none of the {} trials has finished", study.trials().len()),
            fix: "run the study first; the same command continues what is unfinished".to_owned(),
        });
    }
    let surfaces = surface::gather(records);
    let optima: Vec<Option<Optimum>> = surfaces.iter().map(Optimum::of).collect();
    let gains: Vec<Option<Gain>> = surfaces.iter().map(Gain::of).collect();
    let ratios = scaling::ratios(&surfaces);
    let mut scalings = scaling::slopes(&surfaces);
    scalings.extend(scaling::ridges(&surfaces));
    let mut regimes = Vec::new();
    for (many, once) in both_regimes(&surfaces) {
        for surface in [many, once] {
            regimes.extend(regime(study, surface)?);
        }
    }
    let shifts = shift::read(study, &surfaces, &optima, &gains)?;
    let mut claims = claims::draw(&surfaces, &gains, &ratios, &scalings, &regimes);
    // Where λ = 0 is best there is no best λ to judge.
    let gained = shifts.iter().filter(|shift| {
        let gain = gains[shift.surface].as_ref();
        gain.is_some_and(|gain| gain.test_loss.interval.mean < 0.0)
    });
    claims.extend(gained.map(|shift| shift.claim(&surfaces)));
    Ok(VisionAnalysis {
        surfaces,
        optima,
        gains,
        ratios,
        scalings,
        regimes,
        shifts,
        claims,
        unfinished,
    })
}

/// Passes up to which a run counts as one pass: rounding to whole steps may push it a hair over
/// one.
const ONE_PASS: f64 = 1.001;

/// Each surface of one pass with one of many passes over as many samples, of the same model,
/// optimizer and batch.
fn both_regimes(surfaces: &[Surface]) -> Vec<(&Surface, &Surface)> {
    let once = surfaces.iter().filter(|surface| surface.epochs <= ONE_PASS);
    once.filter_map(|once| {
        let is_same = |many: &&Surface| {
            let ratio = (many.steps * many.batch) as f64 / (once.steps * once.batch) as f64;
            many.epochs > ONE_PASS
                && many.model() == once.model()
                && many.optimizer == once.optimizer
                && many.batch == once.batch
                && (0.95..1.05).contains(&ratio)
        };
        Some((surfaces.iter().find(is_same)?, once))
    })
    .collect()
}

/// The main job's verdict on the trials of a surface at its best η; nothing where nothing can be
/// compared.
fn regime(study: &Study, surface: &Surface) -> Result<Option<Regime>, LabError> {
    let Some(learning_rate) = surface.best_learning_rate() else {
        return Ok(None);
    };
    let is_member = |trial: &Trial| {
        flatten(&trial.configuration).is_ok_and(|configuration| {
            surface::learning_rate(&configuration).is_none_or(|rate| rate == learning_rate)
                && surface::shared(configuration) == surface.configuration
        })
    };
    match analyse_some(study, is_member, &AnalysisOptions::default()) {
        Ok(analysis) => Ok(Some(Regime {
            epochs: surface.epochs,
            images: surface.images,
            model: surface.model().to_owned(),
            optimizer: surface.optimizer,
            learning_rate,
            analysis,
        })),
        Err(LabError::NothingToAnalyse { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
