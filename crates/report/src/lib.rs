//! Figures and self-contained HTML reports: what a study or a run found, drawn and in words.
//!
//! | item | what it is |
//! |---|---|
//! | [`study_report`] | a study as one HTML page: verdict, figures, tables, commands |
//! | [`study_summary`] | the same verdict as plain text for a terminal |
//! | [`run_report`] | one run as a page: losses, schedules, norms by role, the plan |
//! | [`evidence_report`] | a linear or generalised linear model whose λ the data chose |
//! | [`figure`] | the figures themselves, as SVG |

mod error;
mod evidence;
pub mod figure;
mod markup;
mod number;
mod page;
mod run;
mod study;

pub use error::ReportError;
pub use evidence::{
    Calibration, CalibrationKind, CalibrationPoint, Coefficient, CoefficientPath, Convention,
    EvidenceAnalysis, evidence_report,
};
pub use run::run_report;
pub use study::{ReportContext, study_report, study_summary};
