//! `--check`: both sides of a conversion, run by their own libraries.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::{Value as Json, json};
use wd_conventions::conversion::{Side, TargetConversion, Value, Verdict};
use wd_conventions::library::KeyMeaning;
use wd_conventions::{Conversion, ConversionReport, Fidelity, LibraryEntry, Setting};
use wd_decay::{Loss, OptimizerKind, Reduction};

use super::problem::{DATA_POINTS, data, steps};
use crate::diagnostics::CommandError;

const SCRIPT: &str = include_str!("check.py");

/// What the script answers.
#[derive(Debug, Deserialize)]
struct Reply {
    sides: Vec<Side>,
}

/// Runs the source once and every convertible target, and compares: a verdict for each conversion.
///
/// # Errors
/// When the interpreter cannot be started or the script fails as a whole.
pub(super) fn run(python: &Path, report: &mut ConversionReport) -> Result<(), CommandError> {
    let setting = &report.setting;
    for one in &mut report.conversions {
        one.check = without_running(setting, one);
    }
    // Steps and fits are different problems: the source is run on each that a target needs.
    for fits in [false, true] {
        let chosen: Vec<&mut TargetConversion> = (report.conversions.iter_mut())
            .filter(|one| one.check.is_none() && needs_fit(setting, one.target.entry) == fits)
            .collect();
        let Some(first) = chosen.first() else {
            continue;
        };
        let mut sides = vec![source_side(setting, first)];
        sides.extend(chosen.iter().map(|one| target_side(setting, one)));
        let request = json!({
            "steps": if fits { Json::Null } else { steps(setting) },
            "data": if fits { data(setting) } else { Json::Null },
            "sides": sides,
        });
        let reply = ask(python, &request)?;
        if reply.sides.len() != sides.len() {
            return Err(failed(python, "it answered for another number of sides"));
        }
        for (one, target) in chosen.into_iter().zip(&reply.sides[1..]) {
            let exact = one.outcome.as_ref().is_ok_and(|found| found.fidelity == Fidelity::Exact);
            one.check = Some(Verdict::on(&reply.sides[0], target, exact));
        }
    }
    Ok(())
}

fn target_side(setting: &Setting, one: &TargetConversion) -> Json {
    let (loss, reduction) = coded_loss(setting, one);
    json!({
        "entry": one.target.entry.name,
        "keys": one.outcome.as_ref().ok().map(|found| runnable_keys(setting, found)),
        "loss": loss.name(),
        "reduction": reduction.name(),
    })
}

/// The verdicts that need no interpreter.
fn without_running(setting: &Setting, answer: &TargetConversion) -> Option<Verdict> {
    let conversion = match &answer.outcome {
        Err(error) => return Some(Verdict::not_run(error.to_string())),
        Ok(conversion) => conversion,
    };
    if conversion.fidelity == Fidelity::Impossible {
        return Some(Verdict::not_run("there is no conversion to run"));
    }
    let is_nan = |value: &Value| matches!(value, Value::Number(number) if number.is_nan());
    if let Some((key, _)) = conversion.keys.iter().find(|(_, value)| is_nan(value)) {
        return Some(Verdict::not_run(format!("{key} is no number")));
    }
    let fits = needs_fit(setting, conversion.entry);
    let penalty =
        [setting.entry, conversion.entry].iter().any(|entry| entry.is_penalty_on_any_loss());
    let momentum = setting.value(KeyMeaning::Momentum).is_some_and(|number| number.value != 0.0);
    let plain = |entry: &LibraryEntry| {
        entry.optimizer == Some(OptimizerKind::Sgd) || entry.is_penalty_on_any_loss()
    };
    if penalty && !(plain(setting.entry) && plain(conversion.entry) && !momentum) {
        return Some(Verdict::not_run(
            "a penalty is run under SGD without momentum, and the other side is another optimizer",
        ));
    }
    if answer.target.learning_rate.is_some() && !fits {
        return Some(Verdict::not_run("both sides are run at the same learning rate"));
    }
    let own_loss = answer.target.loss.is_some() || answer.target.reduction.is_some();
    if !fits && own_loss {
        return Some(Verdict::not_run(
            "both sides are run with the same gradients, hence the same loss",
        ));
    }
    if fits && setting.run.outputs.is_some_and(|outputs| outputs != 1) {
        return Some(Verdict::not_run("fits are compared with one output"));
    }
    let (_, reduction) = coded_loss(setting, answer);
    if fits && reduction == Reduction::Sum && setting.run.batch.is_some() {
        return Some(Verdict::not_run("fits are compared on the whole data, without a batch"));
    }
    let points = setting.run.data_points.unwrap_or(DATA_POINTS);
    if fits && !((4.0..=1e5).contains(&points) && points.fract() == 0.0) {
        return Some(Verdict::not_run("fits are compared on 4 to 100,000 data points"));
    }
    None
}

/// Whether a side is fitted rather than stepped, and with it the other.
fn needs_fit(setting: &Setting, target: &LibraryEntry) -> bool {
    !setting.entry.has_steps() || !target.has_steps()
}

/// The loss that a step of this conversion is taken on.
fn coded_loss(setting: &Setting, answer: &TargetConversion) -> (Loss, Reduction) {
    let loss = setting.run.loss.or(answer.target.loss).unwrap_or(Loss::NegativeLogLikelihood);
    let reduction = setting.run.reduction.or(answer.target.reduction).unwrap_or(Reduction::Mean);
    (loss, reduction)
}

/// The keys of a conversion; a learning rate that it leaves open is the source's, as in the steps
/// run.
fn runnable_keys(setting: &Setting, conversion: &Conversion) -> serde_json::Map<String, Json> {
    let given = conversion.keys.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
    let mut keys: serde_json::Map<String, Json> = given.collect();
    let own = conversion.entry.key(KeyMeaning::LearningRate);
    if let (Some(own), Some(rate)) = (own, setting.run.peak_learning_rate) {
        keys.entry(own.name.as_str()).or_insert_with(|| json!(rate.value));
    }
    keys
}

fn source_side(setting: &Setting, answer: &TargetConversion) -> Json {
    let mut keys = serde_json::Map::new();
    for key in &setting.entry.keys {
        let switch = setting.variant.switches.iter().find(|(name, _)| *name == key.name);
        let value = match key.meaning {
            KeyMeaning::WeightDecay => Some(json!(setting.lambda.value)),
            KeyMeaning::LearningRate => {
                setting.run.peak_learning_rate.map(|rate| json!(rate.value))
            }
            KeyMeaning::Nesterov => setting.value(key.meaning).map(|on| json!(on.value != 0.0)),
            _ => switch
                .map(|(_, on)| json!(on))
                .or_else(|| setting.value(key.meaning).map(|number| json!(number.value))),
        };
        if let Some(value) = value {
            keys.insert(key.name.clone(), value);
        }
    }
    let (loss, reduction) = coded_loss(setting, answer);
    json!({ "entry": setting.entry.name, "keys": keys, "loss": loss.name(), "reduction": reduction.name() })
}

fn ask(python: &Path, request: &Json) -> Result<Reply, CommandError> {
    let mut child = Command::new(python)
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(python, &error.to_string()))?;
    // An interpreter that dies at once closes the pipe; its own message says why.
    if let Some(mut input) = child.stdin.take() {
        let _closed_early = input.write_all(request.to_string().as_bytes());
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        let last = message.trim().lines().last().unwrap_or("it failed without a word").to_owned();
        return Err(failed(python, &last));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| failed(python, &format!("its answer is no JSON: {error}")))
}

fn failed(python: &Path, message: &str) -> CommandError {
    CommandError::usage(
        format!("--check cannot run {}: {message}", python.display()),
        "give a Python 3 that has numpy and the libraries to compare: --python venv/bin/python",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use wd_conventions::{Target, convert};

    #[test]
    fn a_rate_that_is_left_open_is_the_sources() {
        let setting = Setting::read(&["torch.AdamW", "weight_decay=0.1", "lr=6e-4"]).unwrap();
        let keys = |target: &str| {
            let target: Target = target.parse().unwrap();
            let conversion = convert(&setting, &target).unwrap();
            (conversion.keys.len(), runnable_keys(&setting, &conversion))
        };
        let (open, runnable) = keys("optax.lion");
        assert_eq!((open + 1, &runnable["learning_rate"]), (runnable.len(), &json!(6e-4)));
        let (given, runnable) = keys("optax.adamw");
        assert_eq!(given, runnable.len());
    }
}
