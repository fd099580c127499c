//! The post, claim by claim: 31 statements about weight decay, each shown, measured or refuted.
//!
//! The post is one that people read to understand weight decay. It tells λ as a Gaussian prior,
//! then as something else in language models, after lecture 3 of Stanford's CS336 and D'Angelo et
//! al. (arXiv 2310.04415). This study takes its statements in their order.
//!
//! | file | what |
//! |---|---|
//! | `claims.toml` | what the post says, what was done, and the command |
//! | `row` | a claim with what was found, and the verdicts there are |
//! | `formulas`, `errata` | claims that are formulas: 1, 3, 5, 9, 11, 30 |
//! | `linear` | claims 6, 8, 10, 14, by the study `prior` |
//! | `images`, `labels` | claims 2, 12, 13, 15 to 17, by the study `vision`, and 7 |
//! | `one_pass`, `effective_rate`, `averaging` | claims 19, 21 to 26, 28, 29, by the study `force` |
//! | `warmup`, `repeated`, `storage` | claims 20, 27 and 31, by runs of this study |
//! | `weights`, `rounding` | claims 4 and 18, and what rounding costs: the final weights of `force` |
//! | `adam_scale`, `factorised` | two controls that are computed here |
//! | `controls` | claims 23 and 26: replayed rates, the corrected rule, cool-downs |
//! | `runs`, `measured` | the finished runs of a study, and their numbers |
//! | `figures`, `page` | the page in the order of the post |
//! | `one_study` | the claims of which a single study tells, for a live page |

mod adam_scale;
mod averaging;
mod controls;
mod effective_rate;
mod errata;
mod factorised;
mod figures;
mod formulas;
mod images;
mod labels;
mod linear;
mod measured;
mod one_pass;
mod one_study;
mod page;
mod repeated;
mod rounding;
mod row;
mod runs;
mod storage;
mod trained;
mod warmup;
mod weights;

use std::path::PathBuf;

use serde::Serialize;
use wd_decay::ScheduleKind;
use wd_lab::{Analysis, AnalysisOptions, Study, analyse};

use crate::StudyError;
use crate::prior::{PriorFindings, shipped_evidence};
use crate::vision::{self, VisionAnalysis};

pub use adam_scale::ScaledGradients;
pub use controls::add_replays;
pub use errata::{ERRATA, Erratum};
pub use factorised::Factorised;
pub use one_study::{of_images, of_language_models, seen_here};
pub use rounding::Rounding;
pub use row::{ClaimRow, Finding, Measure, Part, Verdict};
pub use trained::{Trained, base_of_language_models, base_of_wrong_labels, trained};

use figures::Placed;
use row::Words;
use runs::Runs;

/// What the claims are judged by.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The study of language models that see their data once.
    pub force: &'a Study,
    /// The study of networks on images.
    pub vision: &'a Study,
    /// The study of linear models.
    pub prior: &'a PriorFindings,
    /// More language models: weights in bf16, no warm-up, few tokens seen many times.
    pub language_models: &'a Study,
    /// Networks on images with wrong labels.
    pub wrong_labels: &'a Study,
    /// Language models that runs of `force` are compared with.
    pub controls: &'a Study,
}

/// Every claim with what was found.
#[derive(Debug, Clone, Serialize)]
pub struct ClaimsReport {
    /// The claims in the order of the post.
    pub parts: Vec<Part>,
    /// Slips in the post's formulas.
    pub errata: Vec<Erratum>,
    /// What rounding the final weights costs.
    pub rounding: Vec<Rounding>,
    /// A matrix of two factors under coupled L2 and AdamW.
    pub factorised: Vec<Factorised>,
    /// AdamW on gradients of another size.
    pub scaled_gradients: ScaledGradients,
    /// Each with its claim.
    #[serde(skip)]
    figures: Vec<Placed>,
}

/// Judges every claim by the runs that are there.
///
/// # Errors
/// [`StudyError::Lab`] when no run of a study has finished; a run directory that is damaged.
pub fn report(sources: &Sources<'_>) -> Result<ClaimsReport, StudyError> {
    let evidence = shipped_evidence()?;
    let analysis = analyse(sources.force, &AnalysisOptions::default())?;
    let images = vision::analyse(sources.vision)?;
    let force = Runs::read(sources.force)?;
    let more = Runs::read(sources.language_models)?;
    let noisy = Runs::read(sources.wrong_labels)?;
    let controls = Runs::read(sources.controls)?;
    let found = Judged {
        analysis,
        images,
        evidence,
        cosine: force.under(ScheduleKind::Cosine),
        constant: force.under(ScheduleKind::Constant),
        weights: weights::FinalWeights::of(&force.under(ScheduleKind::Cosine))?,
        repeated: repeated::Repeated::of(&more),
        storages: storage::Storages::of(&more),
        labels: labels::Labels::of(&noisy),
        controls: controls::Controls::of(&controls),
        factorised: Factorised::all()?,
        scaled: ScaledGradients::run()?,
        more: &more,
        prior: sources.prior,
    };
    let mut parts = Vec::new();
    for part in Words::read()?.parts {
        let mut rows = Vec::new();
        for row::ClaimWords { number, says, done, command } in part.claims {
            let finding = found.finding(number)?;
            rows.push(ClaimRow { number, says, done, command, finding });
        }
        parts.push(Part { heading: part.heading, rows });
    }
    Ok(ClaimsReport {
        parts,
        errata: ERRATA.to_vec(),
        rounding: Rounding::all(&found.cosine)?,
        figures: found.figures(),
        factorised: found.factorised,
        scaled_gradients: found.scaled,
    })
}

/// The run directories whose final weights are to be rounded, for [`Rounding`].
///
/// # Errors
/// [`StudyError::Lab`] when a run directory is damaged.
pub fn runs_to_round(force: &Study) -> Result<Vec<PathBuf>, StudyError> {
    let runs = Runs::read(force)?;
    let cosine = runs.under(ScheduleKind::Cosine);
    let arms = cosine.main().into_iter().chain(cosine.baseline());
    Ok(arms.flat_map(|arm| arm.runs.values()).map(|run| run.directory.clone()).collect())
}

/// Everything that findings are made from.
struct Judged<'a> {
    analysis: Analysis,
    images: VisionAnalysis,
    evidence: wd_evidence::gaussian::Evidence,
    cosine: runs::Family<'a>,
    constant: runs::Family<'a>,
    weights: Option<weights::FinalWeights>,
    repeated: repeated::Repeated<'a>,
    storages: storage::Storages<'a>,
    labels: labels::Labels<'a>,
    controls: controls::Controls<'a>,
    factorised: Vec<Factorised>,
    scaled: ScaledGradients,
    more: &'a Runs,
    prior: &'a PriorFindings,
}

impl Judged<'_> {
    fn finding(&self, number: u32) -> Result<Finding, StudyError> {
        let Judged { analysis, images, evidence, prior, cosine, constant, .. } = self;
        let linear = || linear::effective_parameters(evidence);
        let no_weights =
            || Finding::missing("no pair of runs under a cosine has finished", "`wd reproduce`");
        Ok(match number {
            1 => formulas::objective()?,
            2 => images::prevents_over_fitting(images, &linear()),
            3 => formulas::larger_in_language_models(),
            4 => self.weights.as_ref().map_or_else(no_weights, weights::FinalWeights::gaussian),
            5 => formulas::likelihood()?,
            6 => linear::shifted(prior),
            7 => self.labels.finding(),
            8 => linear::normaliser(evidence),
            9 => formulas::prior_formula()?,
            10 => linear::equivalence(prior),
            11 => formulas::adamw(&self.factorised)?,
            12 => images::too_large(images, &formulas::diverges()?),
            13 => images::too_small(images, &formulas::does_nothing()?),
            14 => linear::valley(&prior.curve),
            15 => images::more_data(images),
            16 => images::vit_needs_more(images),
            17 => images::much_data(images),
            18 => match &self.weights {
                Some(weights) => weights.narrows(&linear()),
                None => no_weights(),
            },
            19 => one_pass::sees_data_once(analysis),
            20 => warmup::warm_up(self.more),
            21 => effective_rate::gradient_fades(cosine),
            22 => one_pass::crosses(analysis),
            23 => self.controls.about_the_effective_rate(
                cosine,
                effective_rate::gradient_drives(cosine, &self.scaled),
            ),
            24 => one_pass::gap_stays(analysis),
            25 => one_pass::only_hurts_at_a_constant_rate(analysis),
            26 => averaging::only_a_prior(constant, cosine, &self.controls),
            27 => self.repeated.finding(),
            28 => one_pass::two_views(analysis, images, &self.repeated.finding()),
            29 => effective_rate::gradient_is_preserved(cosine),
            30 => formulas::sources(),
            31 => self.storages.finding(),
            _ => Finding::missing("there is no such claim", "`wd reproduce claims`"),
        })
    }

    fn figures(&self) -> Vec<Placed> {
        let drawn = [
            self.weights.as_ref().and_then(figures::kurtosis),
            figures::labels(&self.labels),
            Some(figures::valley(&self.prior.curve)),
            figures::gradients(&self.analysis, &self.cosine),
            figures::harms(&averaging::harms(&self.constant)),
            figures::repeated(&self.repeated),
            figures::storages(&self.storages),
        ];
        drawn.into_iter().flatten().collect()
    }
}
