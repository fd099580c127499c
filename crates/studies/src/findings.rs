//! What a study of runs found, whichever study it is.

use serde::Serialize;
use wd_lab::{Analysis, AnalysisOptions, LabError, Study};
use wd_page::{Context, Page};

use crate::vision::{self, VisionAnalysis};

/// What a study found: a value, and a page.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Findings {
    /// Of classifiers of images.
    Vision(Box<VisionAnalysis>),
    /// Of any other runs.
    Runs(Box<Analysis>),
}

impl Findings {
    /// Reads and analyses the run directories of a study, as far as they are finished.
    ///
    /// # Errors
    /// [`LabError::NothingToAnalyse`] when no trial has finished; [`LabError::Store`] when a run
    /// directory is damaged.
    pub fn read(study: &Study) -> Result<Self, LabError> {
        Ok(match vision::is_vision(study) {
            true => Findings::Vision(Box::new(vision::analyse(study)?)),
            false => Findings::Runs(Box::new(wd_lab::analyse(study, &AnalysisOptions::default())?)),
        })
    }

    /// The findings as a page.
    pub fn page(&self, context: &Context) -> Page {
        match self {
            Findings::Vision(analysis) => analysis.page(context),
            Findings::Runs(analysis) => analysis.page(context),
        }
    }
}
