//! Where the best λ lies, for several models and amounts of data: the study of λ as a prior in deep networks.
//!
//! A [`Surface`] is every trial that differs only in λ, the peak learning rate η and the seed: loss over (η, λ). Of each
//! surface the analysis takes the curve at its best η, finds the optimum seed by seed, and compares with λ = 0 on the same
//! seeds. Surfaces that differ in one setting more (the model, the number of images, the batch, the passes) give ratios
//! of optima and slopes, again seed by seed, so that every number has an interval over paired seeds.
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

use crate::study::Study;
use crate::verdict::VerdictLine;
use crate::{Analysis, AnalysisOptions, LabError};

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
    /// Slopes of the best ηλ against the number of images, the batch and the passes.
    pub scalings: Vec<Scaling>,
    /// How λ acted in each regime of the study, by the verdict of the main job.
    pub regimes: Vec<Regime>,
    /// Models on corrupted images; empty until somebody has tested them.
    pub shifts: Vec<Shift>,
    /// What follows.
    pub claims: Vec<VerdictLine>,
    /// Trials that have not finished.
    pub unfinished: usize,
}

/// The verdict of the main job on some surfaces of the study.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Regime {
    /// Passes over the training images.
    pub epochs: f64,
    /// The model.
    pub model: String,
    /// Its arms, comparisons and verdict.
    pub analysis: Analysis,
}

/// Analyses a study, as far as it is finished. Each of `regimes` names trials that are judged besides as the main job judges its
/// own: some λ of one model, at one number of passes.
///
/// # Errors
/// [`LabError::NothingToAnalyse`] when no trial has finished; [`LabError::Store`] when a run directory is damaged.
pub fn analyse(study: &Study, regimes: &[Vec<String>]) -> Result<VisionAnalysis, LabError> {
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
    let ratios = scaling::ratios(&surfaces, &optima, &gains);
    let scalings = scaling::slopes(&surfaces, &optima);
    let regimes = regimes
        .iter()
        .map(|names| regime(study, names))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect::<Vec<_>>();
    let claims = claims::draw(&surfaces, &optima, &gains, &ratios, &scalings, &regimes);
    Ok(VisionAnalysis {
        surfaces,
        optima,
        gains,
        ratios,
        scalings,
        regimes,
        shifts: Vec::new(),
        claims,
        unfinished,
    })
}

/// The main job's verdict on the named trials; nothing while none of them has finished.
fn regime(study: &Study, names: &[String]) -> Result<Option<Regime>, LabError> {
    let analysis = crate::analysis::analyse_some(
        study,
        |trial| names.contains(&trial.name),
        &AnalysisOptions::default(),
    );
    match analysis {
        Ok(analysis) => Ok(analysis.arms.first().map(|arm| Regime {
            epochs: arm.epochs,
            model: arm
                .settings
                .iter()
                .find(|(key, _)| key == surface::MODEL_KEY)
                .map_or_else(String::new, |(_, model)| model.clone()),
            analysis: analysis.clone(),
        })),
        Err(LabError::NothingToAnalyse { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
