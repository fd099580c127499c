//! `wd audit`: what files prove about the weight decay of a training.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use wd_audit::bytes::Access;
use wd_audit::finding::Severity;
use wd_audit::output::{Baseline, annotations, sarif};
use wd_audit::{Audit, Request, rules};
use wd_page::Context;

use crate::diagnostics::{self, CommandError};
use crate::invocation::own_command;
use crate::output;
use crate::{Answer, ExitCode};

/// Exit code where there is a finding that counts.
const FINDINGS: u8 = 1;
/// Exit code where the audit could not be made.
const FAILED: u8 = 2;

/// Prove from checkpoints and configurations what weight decay was applied
///
/// Reads checkpoints, optimizer states and configurations as they are, without executing anything
/// in them; says what was declared, judges it, and where two checkpoints allow it proves what was
/// applied.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd audit ckpt.pt                             what is declared, and what may be wrong
  wd audit ckpt-1000.pt --against ckpt-1001.pt what was applied, from two steps in a row
  wd audit output/checkpoint-500 --config train.yaml
  wd audit run-1500.pt run-1600.safetensors --rates lr.json --html audit.html
  wd audit ckpt.pt --fail-on warning --sarif audit.sarif
  wd audit --explain S02
  wd audit --list

Read are PyTorch files of every age (.pt .pth .bin .ckpt), safetensors, PyTorch's distributed
checkpoints, folders of the Hugging Face Trainer, DeepSpeed, Megatron, OLMo and others, and run
directories of this program. Rates are a JSON list (the k-th number is the rate of step k), a JSON
table or a CSV file of step and rate.

Exit codes: 0 no finding at or above --fail-on, 1 findings, 2 the audit could not be made.")]
pub(crate) struct Arguments {
    /// Checkpoints, folders of checkpoints, configurations
    #[arg(value_name = "PATH", required_unless_present_any = ["explain", "list"])]
    paths: Vec<PathBuf>,

    /// Configuration that the training was started with
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Another checkpoint of the same training: what changed proves what was applied
    #[arg(long, value_name = "PATH")]
    against: Option<PathBuf>,

    /// Learning rates by step: JSON or CSV
    #[arg(long, value_name = "FILE")]
    rates: Option<PathBuf>,

    /// Rules to use: identifiers, names or beginnings of identifiers (may be repeated)
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    select: Vec<String>,

    /// Rules not to use
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    ignore: Vec<String>,

    /// Least severity that makes the exit code 1
    #[arg(long, value_name = "SEVERITY", default_value = "error")]
    fail_on: FailOn,

    /// Print the audit as JSON
    #[arg(long, conflicts_with = "github")]
    json: bool,

    /// Print the findings as annotations of a GitHub workflow
    #[arg(long)]
    github: bool,

    /// Write the findings as SARIF 2.1.0
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,

    /// Write the audit with its figures as one HTML file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Known findings, which do not count
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// Write the findings of today as a baseline
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,

    /// Compare checksums too
    #[arg(long)]
    verify: bool,

    /// Read files whole: for network disks, where a file may shrink while it is read
    #[arg(long)]
    no_mmap: bool,

    /// Explain a rule: what it finds, why, and how to mend it
    #[arg(long, value_name = "RULE", conflicts_with_all = ["paths", "list"])]
    explain: Option<String>,

    /// List the rules
    #[arg(long, conflicts_with = "paths")]
    list: bool,
}

/// The least severity that counts for the exit code.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Note,
}

impl From<FailOn> for Severity {
    fn from(least: FailOn) -> Self {
        match least {
            FailOn::Error => Severity::Error,
            FailOn::Warning => Severity::Warning,
            FailOn::Note => Severity::Note,
        }
    }
}

/// Every failure of the audit itself has a code of its own, so that a script can tell it from a
/// finding.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    match audit(arguments) {
        Err(error) if !error.is_closed_pipe() => {
            diagnostics::show(&error);
            Ok(ExitCode::from(FAILED))
        }
        outcome => outcome,
    }
}

fn audit(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    if let Some(name) = &arguments.explain {
        print!("{}", rules::find(name)?.page().terminal(&output::terminal()));
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.list {
        print!("{}", rules::list().terminal(&output::terminal()));
        return Ok(ExitCode::SUCCESS);
    }
    let audit = Audit::of(&request(arguments))?;
    let commands = vec![own_command()];
    let page = audit.page(&Context { commands, ..Context::default() });
    if let Some(path) = &arguments.html {
        output::write_file(path, &page.html())?;
    }
    if let Some(path) = &arguments.sarif {
        output::write_file(path, &format!("{:#}\n", sarif(&audit)))?;
    }
    if let Some(path) = &arguments.write_baseline {
        output::write_file(path, &Baseline::of(&audit.findings).text())?;
    }
    if arguments.json {
        println!("{}", serde_json::json!(audit));
    } else if arguments.github {
        print!("{}", annotations(&audit));
    } else {
        print!("{}", page.terminal(&output::terminal()));
    }
    let counts = audit.worst() >= Some(Severity::from(arguments.fail_on));
    Ok(if counts { ExitCode::from(FINDINGS) } else { ExitCode::SUCCESS })
}

pub(crate) fn answer(arguments: &Arguments, context: &Context) -> Result<Answer, CommandError> {
    let audit = Audit::of(&request(arguments))?;
    let page = audit.page(context);
    Ok(Answer::new(audit, page))
}

fn request(arguments: &Arguments) -> Request {
    Request {
        paths: arguments.paths.clone(),
        config: arguments.config.clone(),
        against: arguments.against.clone(),
        rates: arguments.rates.clone(),
        select: arguments.select.clone(),
        ignore: arguments.ignore.clone(),
        baseline: arguments.baseline.clone(),
        verify: arguments.verify,
        access: if arguments.no_mmap { Access::Read } else { Access::Map },
    }
}
