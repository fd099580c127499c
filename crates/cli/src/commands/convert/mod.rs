//! `wd convert`: the same decay in another library.

mod check;
mod list;
mod problem;
mod verdict;

use std::{fmt::Write, path::PathBuf, process::ExitCode};

use clap::Args;
use serde_json::json;
use wd_conventions::ConventionError;
use wd_conventions::library::{self, Convention, Key, KeyDefault, KeyMeaning, Method};
use wd_conventions::{Conversion, LibraryEntry, Setting, Target, conversion::Value, convert};

use crate::{diagnostics::CommandError, text};
use verdict::Verdict;

/// Carry a weight decay over to another library: exactly, nearly, or not at all, and why
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd convert torch.AdamW weight_decay=0.1 lr=6e-4 --to optax.adamw
  wd convert torch.AdamW weight_decay=0.1 lr=6e-4 --to big_vision.adam
  wd convert torch.AdamW weight_decay=0.1 lr=6e-4 schedule=cosine,warmup=400,floor=0.1 \\
    steps=50000 --to \"timm.AdamW corrected_weight_decay=true\"
  wd convert torch.AdamW weight_decay=0.1 lr=6e-4 --to all
  wd convert torch.SGD weight_decay=1e-4 data=50000 loss=nll --to prior.Gaussian
  wd convert sklearn.Ridge alpha=3 data=200 --to sklearn.ElasticNet --check
  wd convert torch.SGD weight_decay=5e-4 lr=0.64 batch=64 --to \"torch.SGD reduction=sum\"
  wd convert --list
  wd convert --list torch.Adafactor

A setting is an entry of the library table and key=value: the entry's own keys (--list shows them) or the
common names lr, weight_decay, momentum, beta1, beta2, eps; and of the run around it schedule, steps, batch,
tokens, data, params, loss (nll, mse, half-mse), reduction (mean, sum), outputs, noise_std, response_std.
Behind --to, a target may fix its switches, its loss and its reduction.

Exact: the trajectory is the same (between objectives: the minimum). --check runs both sides in Python.")]
pub(crate) struct Arguments {
    /// Library entry, then key=value; with --list, a library or an entry
    #[arg(value_name = "SETTING")]
    words: Vec<String>,

    /// Where to: an entry, or `all`
    #[arg(long, value_name = "TARGET", required_unless_present = "list", conflicts_with = "list")]
    to: Option<String>,

    /// Show the library table, or one entry of it in full
    #[arg(long)]
    list: bool,

    /// Run both sides where their libraries are installed, and compare
    #[arg(long, conflicts_with = "list")]
    check: bool,

    /// The Python interpreter of --check
    #[arg(long, value_name = "PATH", default_value = "python3", requires = "check")]
    python: PathBuf,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One row: a target, and its conversion or what that lacks.
struct Answer {
    target: Target,
    outcome: Result<Conversion, ConventionError>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    if arguments.list {
        return list::show(&arguments.words, arguments.json);
    }
    let setting = Setting::read(&arguments.words)?;
    let to = arguments.to.as_deref().unwrap_or("all");
    let everywhere = to == "all";
    let answers: Vec<Answer> = if everywhere {
        library::entries()
            .filter(|entry| entry.name != setting.entry.name)
            .map(|entry| answer(&setting, Target::new(entry)))
            .collect()
    } else {
        let answer = answer(&setting, to.parse()?);
        match answer.outcome {
            Ok(_) => vec![answer],
            Err(error) => return Err(error.into()),
        }
    };
    let verdicts = if arguments.check {
        check::run(&arguments.python, &setting, &answers)?
    } else {
        Vec::new()
    };
    if arguments.json {
        println!("{}", document(&setting, &answers, &verdicts));
    } else if everywhere {
        print!("{}", overview(&setting, &answers, &verdicts));
    } else {
        print!("{}", describe(&setting, &answers[0], verdicts.first()));
    }
    let refuted = verdicts.iter().any(Verdict::refutes);
    Ok(if refuted { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn answer(setting: &Setting, target: Target) -> Answer {
    Answer { outcome: convert(setting, &target), target }
}

/// `weight_decay=0.1`, with the switches that are not as the library has them.
fn keys(conversion: &Conversion) -> String {
    let shown = |key: &Key, value: &Value| match (key.default, value) {
        (KeyDefault::Switch(default), Value::Switch(on)) => {
            key.meaning != KeyMeaning::Nesterov && *on != default
        }
        _ => key.meaning == KeyMeaning::WeightDecay,
    };
    let keys = conversion.entry.keys.iter();
    let words: Vec<String> = keys
        .filter_map(|key| {
            conversion
                .keys
                .iter()
                .find(|(name, _)| *name == key.name)
                .map(|(_, value)| (key, value))
        })
        .filter(|(key, value)| shown(key, value))
        .map(|(key, value)| format!("{}={value}", key.name))
        .collect();
    words.join(" ")
}

fn describe(setting: &Setting, answer: &Answer, verdict: Option<&Verdict>) -> String {
    let mut out = String::new();
    let Ok(conversion) = &answer.outcome else {
        return out;
    };
    let mut lines = vec![
        ("from", format!("{}: {}", setting.entry.name, setting.variant.equation)),
        ("to", format!("{}: {}", conversion.entry.name, conversion.variant.equation)),
        ("answer", conversion.fidelity.name().to_owned()),
    ];
    for reason in &conversion.reasons {
        lines.push(("", reason.clone()));
    }
    if let Some(call) = &conversion.call {
        lines.push(("paste", call.clone()));
        if let Some(given) = defaults(setting, std::slice::from_ref(answer)) {
            lines.push(("", given));
        }
        lines.push(("decays here", setting.entry.decays.to_owned()));
        lines.push(("decays there", conversion.entry.decays.to_owned()));
    }
    for (index, quirk) in conversion.entry.quirks.iter().enumerate() {
        lines.push((if index == 0 { "mind" } else { "" }, (*quirk).to_owned()));
    }
    lines.push(("known from", list::checked(conversion.entry)));
    if let Some(verdict) = verdict {
        lines.push(("checked", verdict.to_string()));
    }
    for (name, value) in lines {
        let pad = " ".repeat(13usize.saturating_sub(name.len()));
        let _infallible = writeln!(out, "{name}{pad}{value}");
    }
    out
}

/// What nobody typed and the answer rests on.
fn defaults(setting: &Setting, answers: &[Answer]) -> Option<String> {
    let name =
        |meaning: KeyMeaning| setting.entry.key(meaning).map_or(meaning.name(), |key| key.name);
    let mut words = Vec::new();
    if setting.lambda.default {
        words.push(format!(
            "{}={}",
            name(KeyMeaning::WeightDecay),
            wd_page::number::short(setting.lambda.value)
        ));
    }
    // A penalty has no learning rate, and needs none.
    let rate_matters =
        answers.iter().any(|answer| answer.target.entry.key(KeyMeaning::LearningRate).is_some());
    if let Some(rate) = setting.run.peak_learning_rate.filter(|rate| rate.default && rate_matters) {
        words.push(format!(
            "{}={}",
            name(KeyMeaning::LearningRate),
            wd_page::number::short(rate.value)
        ));
    }
    (!words.is_empty()).then(|| {
        format!("with {}'s own {}, which was not given", setting.entry.name, words.join(" and "))
    })
}

fn overview(setting: &Setting, answers: &[Answer], verdicts: &[Verdict]) -> String {
    let mut rows = Vec::new();
    for (index, answer) in answers.iter().enumerate() {
        let (fidelity, keys, reason) = match &answer.outcome {
            Ok(conversion) => (
                conversion.fidelity.name(),
                keys(conversion),
                conversion.reasons.last().cloned().unwrap_or_default(),
            ),
            Err(error) => ("needs more", String::new(), error.to_string()),
        };
        let mut row = vec![answer.target.entry.name.to_owned(), fidelity.to_owned(), keys];
        if !verdicts.is_empty() {
            row.push(verdicts.get(index).map(Verdict::brief).unwrap_or_default());
        }
        row.push(shortened(&reason));
        rows.push(row);
    }
    let header: &[&str] = if verdicts.is_empty() {
        &["to", "answer", "write", "because"]
    } else {
        &["to", "answer", "write", "checked", "because"]
    };
    let mut out = format!("{}: {}\n\n", setting.entry.name, setting.variant.equation);
    if let Some(given) = defaults(setting, answers) {
        let _infallible = writeln!(out, "{given}\n");
    }
    out.push_str(&text::table(header, &rows, &[]));
    out.push_str("\n--to NAME gives the whole reason, and a call to paste.\n");
    out
}

/// At most 72 characters, cut between words.
fn shortened(sentence: &str) -> String {
    const WIDTH: usize = 72;
    if sentence.chars().count() <= WIDTH {
        return sentence.to_owned();
    }
    let cut: String = sentence.chars().take(WIDTH).collect();
    let end = cut.rfind(' ').unwrap_or(cut.len());
    format!("{} …", cut[..end].trim_end_matches([',', ':', ';']))
}

fn document(setting: &Setting, answers: &[Answer], verdicts: &[Verdict]) -> serde_json::Value {
    let conversions: Vec<serde_json::Value> = answers
        .iter()
        .enumerate()
        .map(|(index, answer)| {
            let mut row = match &answer.outcome {
                Ok(conversion) => json!({
                    "target": conversion.entry.name,
                    "answer": conversion.fidelity,
                    "keys": key_values(conversion),
                    "call": conversion.call,
                    "reasons": conversion.reasons,
                }),
                Err(error) => json!({
                    "target": answer.target.entry.name,
                    "answer": "needs more",
                    "reasons": [error.to_string()],
                }),
            };
            if let Some(verdict) = verdicts.get(index) {
                row["check"] = json!(verdict);
            }
            row
        })
        .collect();
    json!({
        "entry": setting.entry.name,
        "equation": setting.variant.equation,
        "rule": setting.rule(),
        "lambda": setting.lambda,
        "values": setting.values,
        "run": setting.run,
        "conversions": conversions,
    })
}

/// The keys of a conversion as JSON, which has no infinity.
fn key_values(conversion: &Conversion) -> serde_json::Map<String, serde_json::Value> {
    let value = |value: &Value| match value {
        Value::Number(number) if number.is_infinite() => json!("inf"),
        value => json!(value),
    };
    conversion.keys.iter().map(|(name, given)| ((*name).to_owned(), value(given))).collect()
}
