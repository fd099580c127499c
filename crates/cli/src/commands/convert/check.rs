//! `--check`: both sides of a conversion, run by their own libraries.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use serde::Deserialize;
use serde_json::{Value as Json, json};
use wd_conventions::library::{KeyMeaning, Optimizer};
use wd_conventions::{Conversion, Fidelity, LibraryEntry, Setting};
use wd_decay::{Loss, Reduction};

use super::problem::{DATA_POINTS, data, steps};
use super::verdict::{Side, Verdict, compare};
use super::{Answer, key_values};
use crate::diagnostics::CommandError;

const SCRIPT: &str = include_str!("check.py");

/// What the script answers.
#[derive(Debug, Deserialize)]
struct Reply {
    sides: Vec<Side>,
}

/// Runs the source once and every convertible target, and compares; one verdict an answer.
///
/// # Errors
/// When the interpreter cannot be started or the script fails as a whole.
pub(super) fn run(
    python: &Path,
    setting: &Setting,
    answers: &[Answer],
) -> Result<Vec<Verdict>, CommandError> {
    let mut verdicts: Vec<Option<Verdict>> =
        answers.iter().map(|answer| without_running(setting, answer)).collect();
    // Steps and fits are different problems: the source is run on each that a target needs.
    for fits in [false, true] {
        let chosen: Vec<(usize, &Conversion)> = answers
            .iter()
            .enumerate()
            .filter(|(index, _)| verdicts[*index].is_none())
            .filter_map(|(index, answer)| Some((index, answer.outcome.as_ref().ok()?)))
            .filter(|(_, conversion)| needs_fit(setting, conversion.entry) == fits)
            .collect();
        if chosen.is_empty() {
            continue;
        }
        let mut sides = vec![source_side(setting, &answers[chosen[0].0])];
        for (index, conversion) in &chosen {
            let (loss, reduction) = coded_loss(setting, &answers[*index]);
            sides.push(json!({
                "entry": conversion.entry.name,
                "keys": runnable_keys(setting, conversion),
                "loss": loss.name(),
                "reduction": reduction.name(),
            }));
        }
        let request = json!({
            "steps": if fits { Json::Null } else { steps(setting) },
            "data": if fits { data(setting) } else { Json::Null },
            "sides": sides,
        });
        let reply = ask(python, &request)?;
        if reply.sides.len() != sides.len() {
            return Err(failed(python, "it answered for another number of sides"));
        }
        for ((index, conversion), target) in chosen.iter().zip(&reply.sides[1..]) {
            let exact = conversion.fidelity == Fidelity::Exact;
            verdicts[*index] = Some(compare(&reply.sides[0], target, exact));
        }
    }
    Ok(verdicts
        .into_iter()
        .map(|verdict| verdict.unwrap_or_else(|| Verdict::not_run("there is no run of it")))
        .collect())
}

/// The verdicts that need no interpreter.
fn without_running(setting: &Setting, answer: &Answer) -> Option<Verdict> {
    let conversion = match &answer.outcome {
        Err(error) => return Some(Verdict::not_run(error.to_string())),
        Ok(conversion) => conversion,
    };
    if conversion.fidelity == Fidelity::Impossible {
        return Some(Verdict::not_run("there is no conversion to run"));
    }
    if let Some((key, _)) = conversion.keys.iter().find(|(_, value)| matches!(value, wd_conventions::conversion::Value::Number(number) if number.is_nan())) {
        return Some(Verdict::not_run(format!("{key} is no number")));
    }
    let fits = needs_fit(setting, conversion.entry);
    let penalty =
        [setting.entry, conversion.entry].iter().any(|entry| entry.optimizer == Optimizer::Any);
    let momentum = setting.value(KeyMeaning::Momentum).is_some_and(|given| given.value != 0.0);
    let plain = |entry: &LibraryEntry| matches!(entry.optimizer, Optimizer::Sgd | Optimizer::Any);
    if penalty && !(plain(setting.entry) && plain(conversion.entry) && !momentum) {
        return Some(Verdict::not_run(
            "a penalty is run under SGD without momentum, and the other side is another optimizer",
        ));
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
fn coded_loss(setting: &Setting, answer: &Answer) -> (Loss, Reduction) {
    let loss = setting.run.loss.or(answer.target.loss).unwrap_or(Loss::NegativeLogLikelihood);
    let reduction = setting.run.reduction.or(answer.target.reduction).unwrap_or(Reduction::Mean);
    (loss, reduction)
}

/// The keys of a conversion; a learning rate that it leaves open is the source's, as in the steps run.
fn runnable_keys(setting: &Setting, conversion: &Conversion) -> serde_json::Map<String, Json> {
    let mut keys = key_values(conversion);
    let own = conversion.entry.key(KeyMeaning::LearningRate);
    if let (Some(own), Some(rate)) = (own, setting.run.peak_learning_rate) {
        keys.entry(own.name).or_insert_with(|| json!(rate.value));
    }
    keys
}

fn source_side(setting: &Setting, answer: &Answer) -> Json {
    let mut keys = serde_json::Map::new();
    for key in setting.entry.keys {
        let switch = setting.variant.switches.iter().find(|(name, _)| *name == key.name);
        let value = match key.meaning {
            KeyMeaning::WeightDecay => Some(json!(setting.lambda.value)),
            KeyMeaning::LearningRate => {
                setting.run.peak_learning_rate.map(|rate| json!(rate.value))
            }
            KeyMeaning::Nesterov => setting.value(key.meaning).map(|on| json!(on.value != 0.0)),
            _ => switch
                .map(|(_, on)| json!(on))
                .or_else(|| setting.value(key.meaning).map(|given| json!(given.value))),
        };
        if let Some(value) = value {
            keys.insert(key.name.to_owned(), value);
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
            (key_values(&conversion), runnable_keys(&setting, &conversion))
        };
        let (open, runnable) = keys("optax.lion");
        assert_eq!(open.get("learning_rate"), None);
        assert_eq!(runnable["learning_rate"], 6e-4);
        let (given, runnable) = keys("optax.adamw");
        assert_eq!(given, runnable);
    }
}
