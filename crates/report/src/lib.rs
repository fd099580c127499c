//! Figures and self-contained HTML reports: what a study or a run found, drawn and in words.
//!
//! | item | what it is |
//! |---|---|
//! | [`study_report`] | a study as one HTML page: verdict, figures, tables, commands |
//! | [`study_summary`] | the same verdict as plain text for a terminal |
//! | [`run_report`] | one run as a page: losses, schedules, norms by role, the plan |
//! | [`explanation_page`], [`explanation_figure`] | what follows from one setting, as a page and as a figure |
//! | [`advice_page`] | which λ the published laws give for a run, and why |
//! | [`evidence_report`] | a linear or generalised linear model whose λ the data chose |
//! | [`prior_report`] | what a Gaussian prior does, over many draws |
//! | [`vision_report`] | where the best λ lies for each model and amount of data |
//! | [`figure`] | the figures themselves, as SVG |

mod advice;
mod error;
mod evidence;
mod explanation;
pub mod figure;
mod markup;
mod number;
mod page;
mod prior;
mod run;
mod study;
mod vision;

pub use advice::{advice_figure, advice_page};
pub use error::ReportError;
pub use evidence::{
    Calibration, CalibrationKind, CalibrationPoint, Coefficient, CoefficientPath, Convention,
    EvidenceAnalysis, evidence_report,
};
pub use explanation::{explanation_figure, explanation_page};
pub use prior::{
    Chosen, CurvePoint, ErrorCurve, FourWays, PriorFindings, Recovery, Rival, RuleErrors,
    SampleSize, Way, prior_report,
};
pub use run::run_report;
pub use study::{ReportContext, study_report, study_summary};
pub use vision::{vision_report, vision_summary};
