//! Which studies lie below the folders.
//!
//! | file | what |
//! |---|---|
//! | `find` | looks through the folders |
//! | `inside` | keeps every file that is read within them |
//! | `page` | the list of studies |

mod find;
mod inside;
pub(crate) mod page;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::ServeError;
use crate::server::{Problem, missing};
use crate::study::LiveStudy;
pub(crate) use find::{Found, Kind};
pub(crate) use inside::Roots;

/// So long a look through the folders stands, or so many times as long as it took.
const STANDS: Duration = Duration::from_secs(3);
const SLOWNESS: u32 = 10;

/// The studies below the folders, looked for again from time to time.
pub(crate) struct Index {
    roots: Arc<Roots>,
    found: Mutex<Looked>,
}

struct Looked {
    at: Option<Instant>,
    took: Duration,
    studies: Vec<Arc<LiveStudy>>,
    by_id: HashMap<String, Arc<LiveStudy>>,
}

impl Index {
    /// Of some folders and files.
    ///
    /// # Errors
    /// [`ServeError::Path`] for one that is not there.
    pub(crate) fn of(paths: &[PathBuf]) -> Result<Self, ServeError> {
        let roots = Arc::new(Roots::of(paths)?);
        let found =
            Looked { at: None, took: Duration::ZERO, studies: Vec::new(), by_id: HashMap::new() };
        Ok(Index { roots, found: Mutex::new(found) })
    }

    /// Every study.
    pub(crate) fn studies(&self) -> Vec<Arc<LiveStudy>> {
        let mut found = self.found.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let stands = STANDS.max(SLOWNESS * found.took);
        if found.at.is_none_or(|at| at.elapsed() > stands) {
            let begun = Instant::now();
            let studies = find::look(&self.roots).into_iter().map(|one| {
                // What is known of a study that is still there is kept.
                match found.by_id.get(&one.id) {
                    Some(known) if *known.found() == one => Arc::clone(known),
                    _ => Arc::new(LiveStudy::new(one, Arc::clone(&self.roots))),
                }
            });
            found.studies = studies.collect();
            let by_id = found.studies.iter().map(|one| (one.found().id.clone(), Arc::clone(one)));
            found.by_id = by_id.collect();
            found.took = begun.elapsed();
            found.at = Some(Instant::now());
        }
        found.studies.clone()
    }

    /// The study of this name in addresses. It is looked up; no name is ever made a path.
    pub(crate) fn study(&self, id: &str) -> Result<Arc<LiveStudy>, Problem> {
        let known = |index: &Index| {
            let found = index.found.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            found.by_id.get(id).cloned()
        };
        if let Some(study) = known(self) {
            return Ok(study);
        }
        self.studies();
        known(self).ok_or_else(|| {
            missing("There is no such study: its folder may have been moved or deleted.")
        })
    }

    /// The folders.
    pub(crate) fn roots(&self) -> &Roots {
        &self.roots
    }
}
