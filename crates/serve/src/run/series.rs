//! A series of a run as bytes, thinned so that no spike is lost.
//!
//! Little-endian: the number of points as u32, then the steps as f64, then the least, the largest
//! and the mean of the stretch that begins at each step, as f32. NaN where nothing was measured.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, Mutex};

use super::pyramid::Pyramid;
use crate::query::Query;
use crate::server::{Problem, missing};
use crate::study::LiveStudy;

/// The most points of an answer.
const MOST_POINTS: usize = 4000;
/// Memory for series that are looked at: it only saves reading them again.
const MOST_BYTES: usize = 96 << 20;

type Key = (String, String, String, u64);

type Kept = VecDeque<(Key, Arc<Pyramid>)>;

/// The series that were looked at last, the newest at the end.
static KEPT: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);

/// The series `name` of a run, from step `from` to step `to`, in about `points` points.
pub(crate) fn series(study: &LiveStudy, run: &str, query: &Query) -> Result<Vec<u8>, Problem> {
    let name = query.get("name").ok_or_else(|| missing("Which series? Add name=…"))?;
    let number = |name: &str, usual: f64| query.number(name).unwrap_or(usual);
    let most = number("points", 800.0).clamp(4.0, MOST_POINTS as f64) as usize;
    let pyramid = pyramid(study, run, name)?;
    let points = pyramid.between(number("from", 0.0), number("to", f64::MAX), most);
    let mut out = Vec::with_capacity(4 + 20 * points.len());
    out.extend((points.len() as u32).to_le_bytes());
    points.iter().for_each(|(step, _)| out.extend((*step as f64).to_le_bytes()));
    points.iter().for_each(|(_, stretch)| out.extend(stretch.low.to_le_bytes()));
    points.iter().for_each(|(_, stretch)| out.extend(stretch.high.to_le_bytes()));
    points.iter().for_each(|(_, stretch)| out.extend(stretch.mean.to_le_bytes()));
    Ok(out)
}

fn pyramid(study: &LiveStudy, run: &str, name: &str) -> Result<Arc<Pyramid>, Problem> {
    let state = study.now();
    let found = state.runs.named(run).ok_or_else(|| missing("There is no such run."))?;
    let key = (study.found().id.clone(), run.to_owned(), name.to_owned(), state.runs.version());
    let kept = || KEPT.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some((_, known)) = kept().iter().find(|(known, _)| *known == key) {
        return Ok(Arc::clone(known));
    }
    let series = found.record.series().map_err(|error| missing(&error.to_string()))?;
    if !series.names().iter().any(|known| known == name) {
        return Err(missing("This run has no series of that name."));
    }
    let curve = series.curve(name);
    let pyramid = Arc::new(Pyramid::of(curve.steps, &curve.values));
    let mut all = kept();
    all.push_back((key, Arc::clone(&pyramid)));
    while all.iter().map(|(_, one)| one.size()).sum::<usize>() > MOST_BYTES && all.len() > 1 {
        all.pop_front();
    }
    Ok(pyramid)
}
