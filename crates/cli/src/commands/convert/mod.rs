//! `wd convert`: the same decay in another library.

mod check;
mod problem;

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use wd_conventions::library::{self, LibraryEntry};
use wd_conventions::{ConversionReport, Setting};
use wd_page::Terminal;

use crate::diagnostics::{CommandError, IMPOSSIBLE};
use crate::output;
use crate::{Answer, ExitCode};

/// Carry a weight decay over to another library: exactly, nearly, or not at all, and why
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd convert torch.AdamW weight_decay=0.1 lr=6e-4 --to optax.adamw
  wd convert torch.AdamW weight_decay=0.1 lr=6e-4 --to big_vision.adam
  wd convert torch.AdamW weight_decay=0.1 lr=6e-4 schedule=cosine,warmup=400,floor=0.1 \\
    steps=50000 --to \"timm.AdamW corrected_weight_decay=true\"
  wd convert torch.AdamW weight_decay=0.1 lr=6e-4 --to all
  wd convert torch.SGD weight_decay=1e-4 lr=0.1 momentum=0.9 --to \"torch.AdamW lr=1e-3\"
  wd convert torch.SGD weight_decay=1e-4 data=50000 loss=nll --to prior.Gaussian
  wd convert sklearn.Ridge alpha=3 data=200 --to sklearn.ElasticNet --check
  wd convert torch.SGD weight_decay=5e-4 lr=0.64 batch=64 --to \"torch.SGD reduction=sum\"
  wd convert --list
  wd convert --list torch.Adafactor

A setting is an entry of the library table and key=value: the entry's own keys (--list shows them)
or the common names lr, weight_decay, momentum, beta1, beta2, eps; and of the run around it
schedule, steps, batch, tokens, data, params, loss (nll, mse, half-mse), reduction (mean, sum),
outputs, noise_std, response_std.
Behind --to, a target may fix its learning rate, its switches, its loss and its reduction.

Exact: the trajectory is the same (between objectives: the minimum). --check runs both sides in
Python.
Exit code 4: no number of the target is this decay.")]
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

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    if arguments.list {
        return list(arguments);
    }
    let report = report(arguments)?;
    if arguments.json {
        println!("{}", json!(report));
    } else {
        print!("{}", report.page().terminal(&whole_tables()));
    }
    Ok(match (report.is_refuted(), report.is_impossible()) {
        (true, _) => ExitCode::FAILURE,
        (_, true) => ExitCode::from(IMPOSSIBLE),
        _ => ExitCode::SUCCESS,
    })
}

pub(crate) fn answer(arguments: &Arguments) -> Result<Answer, CommandError> {
    if arguments.list {
        let entries = listed(arguments)?;
        let page = library::page::page(&entries);
        return Ok(Answer::new(entries, page));
    }
    let report = report(arguments)?;
    let page = report.page();
    Ok(Answer::new(report, page))
}

fn report(arguments: &Arguments) -> Result<ConversionReport, CommandError> {
    let setting = Setting::read(&arguments.words)?;
    let mut report = match arguments.to.as_deref() {
        Some(target) if target != "all" => ConversionReport::to_one(setting, target.parse()?)?,
        _ => ConversionReport::to_all(setting),
    };
    if arguments.check {
        check::run(&arguments.python, &mut report)?;
    }
    Ok(report)
}

/// Shows the whole table, the entries of one library, or one entry in full.
fn list(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    let entries = listed(arguments)?;
    if arguments.json {
        println!("{}", json!(entries));
    } else {
        print!("{}", library::page::page(&entries).terminal(&whole_tables()));
    }
    Ok(ExitCode::SUCCESS)
}

fn listed(arguments: &Arguments) -> Result<Vec<&'static LibraryEntry>, CommandError> {
    Ok(match arguments.words.as_slice() {
        [] => library::entries().collect(),
        [name] => library::of_library(name)?,
        [_, extra, ..] => {
            return Err(CommandError::usage(
                format!("--list takes one name, and `{extra}` is one more"),
                "write wd convert --list torch, or wd convert --list torch.AdamW",
            ));
        }
    })
}

/// A library that is asked for should not be hidden behind the first rows of a table.
fn whole_tables() -> Terminal {
    Terminal { rows: usize::MAX, ..output::terminal() }
}
