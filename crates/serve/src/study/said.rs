//! What is said of λ, by the finished runs of a study.

use std::cell::RefCell;
use std::path::PathBuf;

use wd_lab::{Analysis, Record, Study};
use wd_page::Section;
use wd_store::Status;
use wd_studies::claims::{of_language_models, seen_here};

/// Of more runs than this the claims are left to `wd reproduce claims`: each one's curves are read.
const MOST_RUNS: usize = 200;

/// The section on claims, and the finished runs that it is about: those do not change.
#[derive(Default)]
pub(super) struct Said(RefCell<Option<(Vec<PathBuf>, Option<Section>)>>);

impl Said {
    /// The section; nothing where the study is about something else, or where its runs are damaged,
    /// which the page says elsewhere.
    pub(super) fn about<'a>(
        &self,
        study: &Study,
        analysis: &Analysis,
        records: impl Iterator<Item = &'a Record>,
    ) -> Option<Section> {
        let finished = records.filter(|one| matches!(one.status, Status::Finished { .. }));
        let finished: Vec<PathBuf> =
            finished.filter_map(|one| Some(one.directory()?.to_owned())).collect();
        if finished.len() > MOST_RUNS {
            return None;
        }
        let mut known = self.0.borrow_mut();
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
