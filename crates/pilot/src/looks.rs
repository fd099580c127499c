//! The sequential rule of a study: which seeds are still needed.
//!
//! Looked at are the first n pairs in the order of the study file, for n = 3, 4, …, whatever order
//! they ended in: a look at those that happened to be quick would be another experiment.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use serde::Serialize;
use wd_statistics::sequential::FIRST_LOOK;
use wd_statistics::{Look, LookRule, look};

use crate::PilotError;
use crate::declaration::{Declaration, FILE, Looks};
use crate::trial::ProgramTrial;

/// What is known of a trial's loss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Loss {
    /// It has no result yet.
    Pending,
    /// It has one.
    Is(f64),
    /// It diverged: a result without a number.
    Diverged,
}

/// An arm against its baseline, as the rule sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArmLook {
    /// What the arm has besides λ.
    pub settings: Vec<(String, String)>,
    /// Its λ.
    pub lambda: f64,
    /// Mean difference of the deciding loss to the baseline, over the pairs looked at.
    pub mean_difference: Option<f64>,
    /// The look that decided, or else the last one; absent before the third pair.
    pub look: Option<Look>,
    /// Whole pairs, in the order of the study file, that the rule has seen.
    pub pairs: usize,
    /// Pairs that were trained although the arm was decided.
    pub beyond: usize,
}

impl ArmLook {
    /// Is it decided?
    pub fn is_decided(&self) -> bool {
        self.look.is_some_and(|look| look.is_decided)
    }
}

/// All arms of a study as its rule sees them; none where it has no rule.
pub(crate) fn arms(
    declaration: &Declaration,
    trials: &[ProgramTrial],
    loss: impl Fn(usize) -> Loss,
) -> Vec<ArmLook> {
    let Some(Looks { rule, baseline }) = declaration.looks else { return Vec::new() };
    let mut found = Vec::new();
    for (settings, by_lambda) in groups(declaration, trials) {
        let Some((_, reference)) = by_lambda.iter().find(|(lambda, _)| *lambda == baseline) else {
            continue;
        };
        let comparisons = by_lambda.len() - 1;
        for (lambda, members) in by_lambda.iter().filter(|(lambda, _)| *lambda != baseline) {
            let most = match rule {
                LookRule::Capped(maximum) => usize::try_from(maximum).unwrap_or(usize::MAX),
                LookRule::Anytime => usize::MAX,
            };
            let differences: Vec<f64> = members
                .iter()
                .zip(reference)
                .take(most)
                .map_while(|(one, other)| match (loss(*one), loss(*other)) {
                    (Loss::Pending, _) | (_, Loss::Pending) => None,
                    (Loss::Is(one), Loss::Is(other)) => Some(one - other),
                    _ => Some(f64::NAN),
                })
                .collect();
            found.push(arm(settings.clone(), *lambda, &differences, rule, comparisons));
        }
    }
    found
}

fn arm(
    settings: Vec<(String, String)>,
    lambda: f64,
    differences: &[f64],
    rule: LookRule,
    comparisons: usize,
) -> ArmLook {
    let first = usize::try_from(FIRST_LOOK).unwrap_or(usize::MAX);
    let mut last = None;
    let mut pairs = differences.len();
    for seen in first..=differences.len() {
        let now = look(&differences[..seen], rule, comparisons);
        last = Some(now);
        if now.is_decided {
            pairs = seen;
            break;
        }
    }
    let finite: Vec<f64> =
        differences[..pairs].iter().copied().filter(|value| value.is_finite()).collect();
    let mean = wd_statistics::mean(&finite);
    ArmLook {
        settings,
        lambda,
        mean_difference: Some(mean).filter(|mean| mean.is_finite()),
        look: last,
        pairs,
        beyond: differences.len() - pairs,
    }
}

/// For each trial whether the rule still asks for it.
pub(crate) fn needed(
    declaration: &Declaration,
    trials: &[ProgramTrial],
    loss: impl Fn(usize) -> Loss,
) -> Vec<bool> {
    let Some(Looks { rule, baseline }) = declaration.looks else { return vec![true; trials.len()] };
    let looks = arms(declaration, trials, loss);
    let most = match rule {
        LookRule::Capped(maximum) => usize::try_from(maximum).unwrap_or(usize::MAX),
        LookRule::Anytime => usize::MAX,
    };
    let until = |look: &ArmLook| if look.is_decided() { look.pairs } else { most };
    trials
        .iter()
        .map(|trial| {
            let lambda = lambda(declaration, trial);
            let rest = shared(declaration, trial);
            let mut same = looks.iter().filter(|look| look.settings == rest).peekable();
            if same.peek().is_none() {
                return true;
            }
            let seeds = match lambda == baseline {
                // The baseline is needed for as long as any arm is.
                true => same.map(until).max().unwrap_or(most),
                false => same.find(|look| look.lambda == lambda).map_or(most, until),
            };
            trial.seed_place < seeds
        })
        .collect()
}

/// The trials of one arm in the order of their seeds.
type Members = Vec<usize>;

/// Arms by λ, for each group of settings besides λ and the seed.
type Groups = BTreeMap<Vec<(String, String)>, Vec<(f64, Members)>>;

/// For each group of settings without λ and seed its arms by λ.
fn groups(declaration: &Declaration, trials: &[ProgramTrial]) -> Groups {
    let mut groups = Groups::new();
    // Trials come with the seed slowest, so that those of an arm come in the order of their seeds.
    for (index, trial) in trials.iter().enumerate() {
        let lambda = lambda(declaration, trial);
        let group = groups.entry(shared(declaration, trial)).or_default();
        match group.iter_mut().find(|(known, _)| *known == lambda) {
            Some((_, members)) => members.push(index),
            None => group.push((lambda, vec![index])),
        }
    }
    groups
}

fn shared(declaration: &Declaration, trial: &ProgramTrial) -> Vec<(String, String)> {
    trial.without(&[&declaration.lambda, declaration.seed.as_deref().unwrap_or_default()])
}

fn lambda(declaration: &Declaration, trial: &ProgramTrial) -> f64 {
    // That it is a number was checked when the study file was read.
    trial.setting(&declaration.lambda).and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
}

/// The rule in words.
pub(crate) fn words(looks: Option<&Looks>) -> String {
    match looks {
        None => "no rule".to_owned(),
        Some(Looks { rule: LookRule::Capped(seeds), baseline }) => {
            format!("capped at {seeds} seeds, against λ = {baseline}")
        }
        Some(Looks { rule: LookRule::Anytime, baseline }) => {
            format!("anytime, against λ = {baseline}")
        }
    }
}

/// Fixes the rule before the first trial runs, or finds it as it was fixed.
///
/// # Errors
/// [`PilotError::LooksChanged`].
pub(crate) fn fix(root: &Path, looks: Option<&Looks>) -> Result<(), PilotError> {
    let path = root.join("looks.txt");
    let now = words(looks);
    // Of two pilots that start at once one writes; a file that is torn is written again.
    match OpenOptions::new().write(true).create_new(true).open(&path) {
        Ok(mut file) => writeln!(file, "{now}").map_err(PilotError::io("write", &path)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let fixed = fs::read_to_string(&path).map_err(PilotError::io("read", &path))?;
            let Some(fixed) = fixed.strip_suffix('\n') else {
                return Ok(wd_store::write_file(&path, format!("{now}\n").as_bytes())?);
            };
            match fixed == now {
                true => Ok(()),
                false => Err(PilotError::LooksChanged {
                    path: root.join(FILE),
                    now,
                    fixed: fixed.to_owned(),
                }),
            }
        }
        Err(error) => Err(PilotError::io("write", &path)(error)),
    }
}
