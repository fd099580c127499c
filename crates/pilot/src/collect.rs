//! What a trial recorded, read from what it left: the numbers that decide how it ended.

use std::collections::BTreeMap;
use std::path::Path;

use wd_import::find::{self, ReadOptions};
use wd_import::formats::{metric_lines, text};
use wd_import::save::{read_curves, write_curves};
use wd_import::{Format, Run, roles};
use wd_lab::Recording;
use wd_lab::record::Curve;

use crate::PilotError;
use crate::attempt::{Attempt, End, Outcome};
use crate::declaration::{Declaration, Source};
use crate::process::Exit;
use crate::trial::ProgramTrial;

/// The signals with which terminals and batch systems ask a program to end: POSIX gives the numbers.
const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

/// What was found, and what its names mean.
struct Found {
    curves: BTreeMap<String, Curve>,
    recording: Recording,
}

/// The curves of an attempt, those that it continues included; the message says why there are none.
fn found(
    declaration: &Declaration,
    trial: &ProgramTrial,
    attempt: &Attempt,
) -> Result<Found, String> {
    let sources: &[Source] = match &declaration.metrics.source {
        Source::Auto => &[Source::RunDirectory, Source::Lines, FILES, Source::Log],
        one => std::slice::from_ref(one),
    };
    let before = read_curves(&attempt.before_path()).unwrap_or_default();
    let mut problems = Vec::new();
    for source in sources {
        let understood = read(*source, declaration, attempt).and_then(|curves| {
            let curves = continued(&before, curves);
            let recording = understand(declaration, trial, &curves)?;
            Ok(Found { curves, recording })
        });
        match understood {
            Ok(found) => return Ok(found),
            Err(problem) => problems.push(problem),
        }
    }
    problems.retain(|problem| !problem.is_empty());
    problems.dedup();
    Err(match problems.is_empty() {
        true => "it left no numbers: no JSON lines, no log of a known program".to_owned(),
        false => problems.join("; "),
    })
}

/// Stands for any format in [`Source::Auto`]; the format itself is recognised.
const FILES: Source = Source::Files(Format::Text);

/// The curves of one source; an empty message where there is nothing of it.
fn read(
    source: Source,
    declaration: &Declaration,
    attempt: &Attempt,
) -> Result<BTreeMap<String, Curve>, String> {
    let say = |error: wd_import::ImportError| error.to_string();
    let nothing = || Err(String::new());
    match source {
        Source::RunDirectory => {
            let files = attempt.files();
            let here = files.join("metrics.bin").is_file().then(|| files.clone());
            let below = || {
                let entries = std::fs::read_dir(&files).ok()?;
                let mut folders = entries.filter_map(|entry| Some(entry.ok()?.path()));
                folders.find(|folder| folder.join("metrics.bin").is_file())
            };
            match here.or_else(below) {
                Some(folder) => read_curves(&folder).map_err(say),
                None => nothing(),
            }
        }
        Source::Lines => {
            for path in [attempt.metrics_path(), attempt.lines_path()] {
                let curves = match path.is_file() {
                    true => metric_lines::read(&path).map_err(say)?.curves,
                    false => continue,
                };
                if !curves.is_empty() {
                    return Ok(curves);
                }
            }
            nothing()
        }
        Source::Log => {
            let path = attempt.log_path();
            let known = text::KNOWN.map(str::to_owned);
            let regex = match declaration.metrics.regex.as_slice() {
                [] => known.as_slice(),
                given => given,
            };
            let expressions = text::compile(regex).map_err(say)?;
            if !path.is_file() {
                return nothing();
            }
            only(text::read(&path, &expressions).map_err(say)?)
        }
        Source::Auto | Source::Files(_) => {
            let is_any = declaration.metrics.source == Source::Auto;
            let format = match source {
                Source::Files(format) if !is_any => Some(format),
                _ => None,
            };
            let wanted = [&declaration.metrics.train, &declaration.metrics.validation];
            let options = ReadOptions {
                format,
                curves: wanted.into_iter().flatten().cloned().collect(),
                ..ReadOptions::default()
            };
            match find::read(&[attempt.files()], &options) {
                Ok((_, runs)) => only(runs),
                // That nothing is there is no news where every source is tried.
                Err(wd_import::ImportError::Unknown { .. }) if is_any => nothing(),
                Err(error) => Err(say(error)),
            }
        }
    }
}

/// The one run of a folder. Programs spread a run over several folders: those with different curves
/// are one.
fn only(runs: Vec<Run>) -> Result<BTreeMap<String, Curve>, String> {
    let mut curves: BTreeMap<String, Curve> = BTreeMap::new();
    let mut names = Vec::new();
    for run in runs.into_iter().filter(|run| !run.curves.is_empty()) {
        names.push(run.name.clone());
        for (tag, curve) in run.curves {
            if curves.insert(tag.clone(), curve).is_some() {
                return Err(format!(
                    "its folder holds several runs with a curve `{tag}` ({}), and one trial is one \
                     run",
                    names.join(", ")
                ));
            }
        }
    }
    if curves.is_empty() { Err(String::new()) } else { Ok(curves) }
}

/// Curves of earlier attempts, up to where the new ones begin.
fn continued(
    before: &BTreeMap<String, Curve>,
    new: BTreeMap<String, Curve>,
) -> BTreeMap<String, Curve> {
    let begins = new.values().filter_map(|curve| curve.steps.first().copied()).min();
    let Some(begins) = begins else { return before.clone() };
    let mut joined = before.clone();
    for curve in joined.values_mut() {
        let kept = curve.steps.partition_point(|step| *step < begins);
        curve.steps.truncate(kept);
        curve.values.truncate(kept);
    }
    for (tag, curve) in new {
        let whole = joined.entry(tag).or_default();
        whole.steps.extend(curve.steps);
        whole.values.extend(curve.values);
    }
    joined.retain(|_, curve| !curve.steps.is_empty());
    joined
}

/// Which curves decide.
fn understand(
    declaration: &Declaration,
    trial: &ProgramTrial,
    curves: &BTreeMap<String, Curve>,
) -> Result<Recording, String> {
    let mut run = Run::new(trial.name.clone(), &trial.folder);
    run.settings = trial.settings.iter().cloned().collect();
    run.curves = curves.clone();
    roles::assign(Format::JsonLines, &[run], &declaration.roles())
        .map_err(|error| error.to_string())
}

/// How an attempt ended, from its exit and its numbers. Its curves are written into its folder,
/// read once: what an orphan writes later never enters a result.
pub(crate) fn conclude(
    declaration: &Declaration,
    trial: &ProgramTrial,
    attempt: &Attempt,
    exit: &Exit,
    resumed_from: Option<u32>,
) -> Result<End, PilotError> {
    let mut end = End {
        outcome: Outcome::Failed,
        reason: String::new(),
        code: exit.code,
        signal: exit.signal,
        seconds: exit.seconds,
        step: None,
        training: None,
        validation: None,
        resumed_from,
        reused_from: None,
    };
    let found = found(declaration, trial, attempt);
    let mut is_finite = true;
    let mut missing = String::new();
    match &found {
        Err(problem) => missing.clone_from(problem),
        Ok(Found { curves, recording }) => {
            let last = |tag: &Option<String>| {
                let curve = curves.get(tag.as_ref()?)?;
                Some((*curve.steps.last()?, *curve.values.last()?))
            };
            let (training, validation) = (last(&recording.training), last(&recording.validation));
            is_finite = [training, validation].iter().flatten().all(|(_, loss)| loss.is_finite());
            let finite = |end: Option<(u64, f64)>| Some(end?.1).filter(|loss| loss.is_finite());
            (end.training, end.validation) = (finite(training), finite(validation));
            end.step = validation.or(training).map(|(step, _)| step);
            if let (Some(last), step) = (declaration.metrics.last_step, end.step.unwrap_or(0))
                && step < last
            {
                missing = format!("the deciding loss ends at step {step} of {last}");
            }
        }
    }
    (end.outcome, end.reason) = match exit {
        Exit { code: Some(3), .. } => {
            (Outcome::Diverged, "the program ended with exit status 3".to_owned())
        }
        Exit { code: Some(0), .. } if !is_finite => {
            (Outcome::Diverged, "the last loss is not finite".to_owned())
        }
        Exit { code: Some(0), .. } if missing.is_empty() => (Outcome::Finished, String::new()),
        Exit { reason: Some(_), .. } => (Outcome::Failed, exit.words()),
        Exit { was_stopped: true, .. } => (Outcome::Interrupted, "asked to stop".to_owned()),
        Exit { code: Some(0), .. } => (Outcome::Incomplete, missing),
        Exit { code: Some(code @ (130 | 143)), .. } => {
            (Outcome::Interrupted, format!("the program ended with exit status {code}"))
        }
        // A batch system asks every process of a job to end, the program before its pilot.
        Exit { signal: Some(signal @ (SIGINT | SIGTERM)), .. } => {
            (Outcome::Interrupted, format!("the program was ended by signal {signal}"))
        }
        _ => (Outcome::Failed, exit.words()),
    };
    if let Ok(Found { curves, .. }) = &found {
        write_curves(&attempt.record_path(), curves)?;
    }
    Ok(end)
}

/// Keeps what an attempt recorded that ended, or was left by its pilot, for the one that continues
/// it. What cannot be read is not kept: the new attempt's own numbers decide.
pub(crate) fn keep_for(
    declaration: &Declaration,
    trial: &ProgramTrial,
    earlier: &Attempt,
    later: &Attempt,
) -> Result<(), PilotError> {
    let curves = match read_curves(&earlier.record_path()) {
        Ok(curves) => curves,
        Err(_) => match found(declaration, trial, earlier) {
            Ok(found) => found.curves,
            Err(_) => return Ok(()),
        },
    };
    Ok(write_curves(&later.before_path(), &curves)?)
}

/// The curves of the attempt that counts.
pub(crate) fn recorded(attempt: &Path) -> BTreeMap<String, Curve> {
    read_curves(attempt).unwrap_or_default()
}
