//! What a study shows now.
//!
//! | file | what |
//! |---|---|
//! | `runs` | its runs, of which only what has changed is read again |
//! | `stamp` | what changes on disk when a run goes on |
//! | `choice` | which runs, and which baseline, a visitor wants to see |
//! | `findings` | the same analysis and page as a report |
//! | `said` | what is said of λ, by these runs |
//! | `page` | the page |

mod choice;
pub(crate) mod findings;
pub(crate) mod page;
mod runs;
mod said;
mod stamp;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use wd_lab::progress::State;

use crate::index::{Found, Kind, Roots};
use crate::view::View;
pub(crate) use choice::{Choice, option, varied};
pub(crate) use runs::{LiveRun, Runs};

/// Pages of a study that are kept: as many as people look at side by side.
const KEPT: usize = 12;
/// A page stands for so many times as long as making it took: a study of many runs that go on
/// leaves most of the machine to the runs.
const SLOWNESS: u32 = 3;

/// A study that is looked at again and again.
pub(crate) struct LiveStudy {
    found: Found,
    roots: Arc<Roots>,
    state: Mutex<Known>,
}

/// What is known of it.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) runs: Runs,
    /// The newest pages.
    views: Vec<Kept>,
}

/// A page that was made.
struct Kept {
    /// Which one.
    key: String,
    /// Of which version of the runs.
    version: u64,
    made: Instant,
    took: Duration,
    view: Arc<View>,
}

impl Kept {
    /// Whether it is new enough for somebody who asked then.
    fn stands(&self, asked: Instant) -> bool {
        self.made >= asked || self.made.elapsed() < SLOWNESS * self.took
    }
}

impl LiveStudy {
    /// A study that nobody has looked at yet.
    pub(crate) fn new(found: Found, roots: Arc<Roots>) -> Self {
        LiveStudy { found, roots, state: Mutex::default() }
    }

    /// What it is and where.
    pub(crate) fn found(&self) -> &Found {
        &self.found
    }

    /// The folders.
    pub(crate) fn roots(&self) -> &Roots {
        &self.roots
    }

    /// Its page's address.
    pub(crate) fn path(&self) -> String {
        format!("/s/{}", self.found.id)
    }

    /// How its runs stand, for a list; nothing where that takes long or somebody is reading them.
    pub(crate) fn glance(&self) -> Option<Vec<(State, usize)>> {
        let is_quick = matches!(self.found.kind, Kind::Study | Kind::Runs);
        let mut state = self.state.try_lock().ok()?;
        if is_quick {
            state.runs.refresh(&self.found, &self.roots);
        }
        let mut counts: BTreeMap<State, usize> = BTreeMap::new();
        for run in &state.runs.runs {
            *counts.entry(State::of(&run.record.status)).or_default() += 1;
        }
        (!counts.is_empty()).then(|| counts.into_iter().collect())
    }

    /// What is known of it, as new as it need be.
    pub(crate) fn now(&self) -> MutexGuard<'_, Known> {
        let mut state = self.lock();
        state.runs.refresh(&self.found, &self.roots);
        state
    }

    /// A page: the one that is kept, or else what `make` makes of the runs. Visitors who ask while
    /// it is being made wait for it, and get what was found.
    pub(crate) fn view(&self, key: &str, make: impl FnOnce(&mut Runs) -> View) -> Arc<View> {
        let asked = Instant::now();
        let mut state = self.lock();
        let known = state.views.iter().position(|kept| kept.key == key);
        if let Some(kept) = known.map(|place| &state.views[place])
            && kept.stands(asked)
        {
            return Arc::clone(&kept.view);
        }
        let begun = Instant::now();
        state.runs.refresh(&self.found, &self.roots);
        let version = state.runs.version();
        if let Some(place) = known {
            if state.views[place].version == version {
                return Arc::clone(&state.views[place].view);
            }
            state.views.remove(place);
        }
        let view = Arc::new(make(&mut state.runs));
        if state.views.len() >= KEPT {
            state.views.remove(0);
        }
        let (key, made) = (key.to_owned(), Instant::now());
        let took = made - begun;
        state.views.push(Kept { key, version, made, took, view: Arc::clone(&view) });
        view
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
