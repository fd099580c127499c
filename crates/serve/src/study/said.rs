//! What is said of λ, by the finished runs of a study.

use std::sync::Mutex;

use wd_lab::{Analysis, Record, Study};
use wd_page::Section;
use wd_store::Status;
use wd_studies::claims::{of_language_models, seen_here};

/// Of more runs than this the claims are left to `wd reproduce claims`: each one's curves are read.
const MOST_RUNS: usize = 200;

/// The section on claims, as long as no other run has ended: finished runs do not change.
#[derive(Default)]
pub(super) struct Said(Mutex<Option<(usize, Option<Section>)>>);

impl Said {
    /// The section; nothing where the study is about something else, or where its runs are damaged,
    /// which the page says elsewhere.
    pub(super) fn about<'a>(
        &self,
        study: &Study,
        analysis: &Analysis,
        records: impl Iterator<Item = &'a Record>,
    ) -> Option<Section> {
        let finished =
            records.filter(|record| matches!(record.status, Status::Finished { .. })).count();
        if finished > MOST_RUNS {
            return None;
        }
        let mut known = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some((of, section)) = &*known
            && *of == finished
        {
            return section.clone();
        }
        let section = of_language_models(study, analysis).ok().and_then(|rows| seen_here(&rows));
        *known = Some((finished, section.clone()));
        section
    }
}
