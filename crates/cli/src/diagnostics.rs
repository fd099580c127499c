//! How errors reach a person: the place and the fix on standard error, and an exit code that a
//! script can read.

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource};
use thiserror::Error;
use wd_data::table::{TableError, TableOption};
use wd_data::text::TextError;
use wd_import::ImportError;
use wd_page::words::{printable, printable_lines, quoted};
use wd_train::{ConfigError, ConfigFault, TrainError};

use crate::ExitCode;
use crate::output;

/// Exit code of a run whose loss or gradient was not finite.
pub(crate) const DIVERGED: u8 = 3;
/// Exit code where no number of the target is the decay that was to be converted.
pub(crate) const IMPOSSIBLE: u8 = 4;
/// Exit code of a run that was asked to stop, as a shell reports SIGINT.
pub(crate) const INTERRUPTED: u8 = 130;

/// Whatever a command can fail with.
#[derive(Debug, Error)]
pub(crate) enum CommandError {
    #[error(transparent)]
    Train(#[from] TrainError),
    #[error(transparent)]
    Conventions(#[from] wd_conventions::ConventionError),
    #[error(transparent)]
    Advise(#[from] wd_advise::AdviseError),
    #[error(transparent)]
    Text(#[from] TextError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Store(#[from] wd_store::StoreError),
    #[error(transparent)]
    Lab(#[from] wd_lab::LabError),
    #[error(transparent)]
    Fit(Box<wd_evidence::fit::FitError>),
    #[error(transparent)]
    Studies(#[from] wd_studies::StudyError),
    #[error(transparent)]
    Audit(#[from] wd_audit::AuditError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error(transparent)]
    Pilot(#[from] wd_pilot::PilotError),
    #[cfg(feature = "serve")]
    #[error(transparent)]
    Serve(#[from] wd_serve::ServeError),
    #[error("cannot write the output: {0}")]
    Output(#[from] std::io::Error),
    #[error("cannot write {path}: {source}")]
    Write { path: std::path::PathBuf, source: std::io::Error },
    #[error("{message}")]
    Usage { message: String, help: String },
}

impl CommandError {
    pub(crate) fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        CommandError::Usage { message: message.into(), help: help.into() }
    }

    /// Whether the reader has seen enough: `wd metrics … | head` closes the pipe.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, CommandError::Output(source)
            if source.kind() == std::io::ErrorKind::BrokenPipe)
    }
}

/// A configuration error with its source text and its words, for miette.
#[derive(Debug, Error)]
#[error("{2}")]
struct Located<'a>(&'a ConfigError, NamedSource<String>, String);

impl Diagnostic for Located<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        let fault = &self.0.fault;
        let name = &self.0.name;
        let is_other = matches!(fault, ConfigFault::Syntax { .. }) && !name.contains(".toml");
        let other = is_other.then(|| {
            format!("{name} is no configuration, which is TOML, as in studies/first.toml")
        });
        let help = [fault.help(), by_command(fault).map(str::to_owned), other];
        let help: Vec<String> = help.into_iter().flatten().collect();
        (!help.is_empty())
            .then(|| Box::new(printable_lines(&help.join("; "))) as Box<dyn std::fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.1)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.0.span.clone()?;
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(Some("here".to_owned()), span))))
    }
}

/// What a command does about a fault; the library knows no commands.
fn by_command(fault: &ConfigFault) -> Option<&'static str> {
    match fault {
        ConfigFault::Syntax { message }
            if message.starts_with("invalid type: string") && message.ends_with("number") =>
        {
            Some(
                "a number has a decimal point, as in 0.3; several values of a sweep are 0,0.1,0.3 or \
                 0..2 or log(0.01..1,5)",
            )
        }
        ConfigFault::NoSwitch { .. } => Some("on the command line it is --set decay.lambda=1"),
        ConfigFault::Weights { .. } => Some("`wd export` writes such a file"),
        ConfigFault::Policy(_) => Some("`wd plan` without overrides lists every tensor's path"),
        ConfigFault::Model(_) | ConfigFault::Schedule { .. } => {
            Some("`wd plan` shows what follows from a configuration")
        }
        _ => None,
    }
}

/// A plain error, for miette.
#[derive(Debug, Error)]
#[error("{message}")]
struct Plain {
    message: String,
    help: Option<String>,
}

impl Plain {
    /// Words of files and command lines among them, without what a terminal would obey.
    fn new(message: &str, help: Option<&(impl AsRef<str> + ?Sized)>) -> Self {
        Plain {
            message: printable_lines(message),
            help: help.map(|help| printable_lines(help.as_ref())),
        }
    }
}

impl Diagnostic for Plain {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn std::fmt::Display>)
    }
}

/// Shows an error on standard error and gives the exit code.
pub(crate) fn show(error: &CommandError) -> ExitCode {
    if error.is_closed_pipe() {
        return ExitCode::SUCCESS;
    }
    let mut out = String::new();
    let handler = handler();
    let rendered = match error {
        CommandError::Train(TrainError::Config(config)) => {
            let source = NamedSource::new(printable(&config.name), printable_lines(&config.text));
            let said = printable_lines(&config.fault.to_string());
            handler.render_report(&mut out, &Located(config, source, said))
        }
        CommandError::Usage { message, help } => {
            handler.render_report(&mut out, &Plain::new(message, Some(help)))
        }
        other => {
            let (message, help) = (as_typed(other), spelling(other));
            handler.render_report(&mut out, &Plain::new(&message, help.as_deref()))
        }
    };
    if rendered.is_err() {
        out = printable_lines(&error.to_string());
    }
    output::eprint_styled(&format!("{}\n", out.trim_end()));
    ExitCode::FAILURE
}

/// An error in words, with the options that it names as they are typed on this command line.
fn as_typed(error: &CommandError) -> String {
    let mut message = error.to_string();
    match error {
        CommandError::Table(error) => {
            for (name, flag) in error.options().iter().filter_map(flag) {
                message = message.replace(&format!("`{name}`"), &format!("`{flag}`"));
            }
        }
        CommandError::Import(error) => {
            let others = ["lambda_from", "rate_from", "seed_from", "settings", "regex"];
            for name in error.option().into_iter().chain(others) {
                let flag = format!("--{}", name.replace('_', "-"));
                message = message.replace(&format!("`{name}`"), &flag);
            }
        }
        _ => {}
    }
    message
}

/// What a command can do about an error, which the library that made it does not know.
pub(crate) fn spelling(error: &CommandError) -> Option<String> {
    match error {
        CommandError::Table(error) if error.options().contains(&TableOption::StandardInput) => {
            Some("- in place of the file reads standard input".to_owned())
        }
        CommandError::Table(error) if error.options().contains(&TableOption::Classes) => {
            Some("classes are for --family logistic or softmax".to_owned())
        }
        CommandError::Import(ImportError::NoLog { path }) => {
            let path = quoted(&path.display().to_string());
            Some(format!("a table of measurements is for wd evidence {path} --target COLUMN"))
        }
        CommandError::Text(error) | CommandError::Train(TrainError::Text(error)) => {
            let help = match error {
                TextError::NotACorpus { .. } => "`wd data prepare` makes a corpus of text",
                TextError::Damaged { .. } | TextError::OtherCorpus { .. } => {
                    "`force` is --force of `wd data prepare`"
                }
                TextError::SingleDocument => "`separator` is --separator of `wd data prepare`",
                _ => return None,
            };
            Some(help.to_owned())
        }
        CommandError::Train(error) => {
            let help = match error {
                TrainError::OtherRun { .. } => "--run-dir names another directory",
                TrainError::Exists { .. } => "--resume auto continues it",
                TrainError::NothingToResume { .. } => "--resume auto would start at step 0",
                TrainError::OtherConfig { .. } => "--force replaces it",
                TrainError::LastCheckpoint { older, .. } if !older.is_empty() => {
                    "`wd train` with the same configuration and --run-dir continues the run; --step \
                     gives a step"
                }
                TrainError::Orphans { .. } => "--run-dir names another directory",
                TrainError::OnText { .. } => {
                    "--round 4 judges weights rounded to few bits; `wd sample` lets them write"
                }
                TrainError::NoAverage { .. } => "wd train --set run.average=0.999 keeps one",
                _ => return None,
            };
            Some(help.to_owned())
        }
        _ => None,
    }
}

/// The name of an option in the library, and how it is typed.
fn flag(option: &TableOption) -> Option<(&'static str, &'static str)> {
    Some(match option {
        TableOption::Drop => ("drop", "--drop"),
        TableOption::Categorical => ("categorical", "--categorical"),
        TableOption::ImputeMean => ("impute_mean", "--impute mean"),
        TableOption::Dates => ("dates", "--dates days|year-month"),
        TableOption::Delimiter => ("delimiter", "--delimiter"),
        TableOption::Header => ("header", "--no-header"),
        TableOption::Decimal => ("decimal", "--decimal ,"),
        TableOption::Thousands => ("thousands", "--thousands ,"),
        TableOption::ThousandsPoint => ("thousands", "--thousands ."),
        TableOption::ThousandsApostrophe => ("thousands", "--thousands \\'"),
        TableOption::ThousandsBlank => ("thousands", "--thousands ' '"),
        TableOption::Strip => ("strip", "--strip '$,%,€'"),
        TableOption::Missing => ("missing", "--missing CODES"),
        TableOption::Comment => ("comment", "--comment '#'"),
        TableOption::Encoding => ("encoding", "--encoding latin1|utf-16"),
        TableOption::DropMissingRows => ("drop_missing_rows", "--drop-missing-rows"),
        TableOption::Unseen => ("unseen", "--unseen baseline|missing"),
        _ => return None,
    })
}

fn handler() -> GraphicalReportHandler {
    use std::io::IsTerminal;
    let plain = std::env::var_os("NO_COLOR").is_some() || !std::io::stderr().is_terminal();
    let theme = if plain { GraphicalTheme::unicode_nocolor() } else { GraphicalTheme::unicode() };
    // An option is one word: it is not parted at its hyphens.
    GraphicalReportHandler::new_themed(theme)
        .with_width(100)
        .with_word_splitter(textwrap::WordSplitter::NoHyphenation)
}
