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
        let help = [fault.help(), by_command(fault).map(str::to_owned)];
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
            let help = spelling(other);
            handler.render_report(&mut out, &Plain::new(&other.to_string(), help.as_deref()))
        }
    };
    if rendered.is_err() {
        out = printable_lines(&error.to_string());
    }
    output::eprint_styled(&format!("{}\n", out.trim_end()));
    ExitCode::FAILURE
}

/// How the options that an error of the data names are spelt on this command line.
pub(crate) fn spelling(error: &CommandError) -> Option<String> {
    match error {
        CommandError::Table(error) => {
            let options: Vec<&str> = error.options().iter().map(flag).collect();
            (!options.is_empty()).then(|| options.join(", "))
        }
        CommandError::Import(ImportError::NoLog { path }) => {
            let path = quoted(&path.display().to_string());
            Some(format!("a table of measurements is for wd evidence {path} --target COLUMN"))
        }
        CommandError::Import(error) => {
            let option = error.option()?.replace('_', "-");
            Some(format!("`{}` is --{option}", option.replace('-', "_")))
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

fn flag(option: &TableOption) -> &'static str {
    match option {
        TableOption::Drop => "`drop` is --drop",
        TableOption::Categorical => "`categorical` is --categorical",
        TableOption::Classes => "`classes` are for --family logistic or softmax",
        TableOption::ImputeMean => "`impute_mean` is --impute mean",
        TableOption::Dates => "`dates` is --dates days or year-month",
        TableOption::Delimiter => "`delimiter` is --delimiter",
        TableOption::Header => "`header` is switched off by --no-header",
        TableOption::Decimal => "`decimal` is --decimal ,",
        TableOption::Thousands => "`thousands` is --thousands ,",
        TableOption::ThousandsPoint => "`thousands` is --thousands .",
        TableOption::ThousandsApostrophe => "`thousands` is --thousands \\'",
        TableOption::ThousandsBlank => "`thousands` is --thousands ' '",
        TableOption::Strip => "`strip` is --strip '$,%,€'",
        TableOption::Missing => "`missing` is --missing CODES",
        TableOption::Comment => "`comment` is --comment '#'",
        TableOption::Encoding => "`encoding` is --encoding latin1 or utf-16",
        TableOption::DropMissingRows => "`drop_missing_rows` is --drop-missing-rows",
        TableOption::Unseen => "`unseen` is --unseen baseline or missing",
        TableOption::StandardInput => "- in place of the file reads standard input",
        _ => "see the options of the command",
    }
}

fn handler() -> GraphicalReportHandler {
    use std::io::IsTerminal;
    let plain = std::env::var_os("NO_COLOR").is_some() || !std::io::stderr().is_terminal();
    let theme = if plain { GraphicalTheme::unicode_nocolor() } else { GraphicalTheme::unicode() };
    GraphicalReportHandler::new_themed(theme).with_width(100)
}
