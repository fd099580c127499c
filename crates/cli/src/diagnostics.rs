//! How errors reach a person: the place and the fix on standard error, and an exit code that a script can read.

use std::process::ExitCode;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource};
use thiserror::Error;
use wd_train::{ConfigError, TrainError};

/// Exit code of a run whose loss or gradient was not finite.
pub(crate) const DIVERGED: u8 = 3;
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
    Data(#[from] wd_data::DataError),
    #[error(transparent)]
    Store(#[from] wd_store::StoreError),
    #[error(transparent)]
    Lab(#[from] wd_lab::LabError),
    #[error(transparent)]
    Fit(Box<wd_evidence::fit::FitError>),
    #[error(transparent)]
    Studies(#[from] wd_studies::StudyError),
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
}

/// A configuration error with its source text, for miette.
#[derive(Debug, Error)]
#[error("{}", .0.message)]
struct Located<'a>(&'a ConfigError, NamedSource<String>);

impl Diagnostic for Located<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.0.help.as_ref().map(|help| Box::new(help) as Box<dyn std::fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.1)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.0.span.clone()?;
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(Some("here".to_owned()), span))))
    }
}

/// A plain error, for miette.
#[derive(Debug, Error)]
#[error("{message}")]
struct Plain {
    message: String,
    help: Option<String>,
}

impl Diagnostic for Plain {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn std::fmt::Display>)
    }
}

/// Shows an error on standard error and gives the exit code.
pub(crate) fn show(error: &CommandError) -> ExitCode {
    // `wd metrics … | head` closes the pipe: that is no failure of ours.
    if let CommandError::Output(source) = error
        && source.kind() == std::io::ErrorKind::BrokenPipe
    {
        return ExitCode::SUCCESS;
    }
    let mut out = String::new();
    let handler = handler();
    let rendered = match error {
        CommandError::Train(TrainError::Config(config)) => {
            let source = NamedSource::new(&config.name, config.text.clone());
            handler.render_report(&mut out, &Located(config, source))
        }
        CommandError::Usage { message, help } => handler
            .render_report(&mut out, &Plain { message: message.clone(), help: Some(help.clone()) }),
        other => handler.render_report(&mut out, &Plain { message: other.to_string(), help: None }),
    };
    if rendered.is_err() {
        out = error.to_string();
    }
    eprintln!("{}", out.trim_end());
    ExitCode::FAILURE
}

fn handler() -> GraphicalReportHandler {
    use std::io::IsTerminal;
    let plain = std::env::var_os("NO_COLOR").is_some() || !std::io::stderr().is_terminal();
    let theme = if plain { GraphicalTheme::unicode_nocolor() } else { GraphicalTheme::unicode() };
    GraphicalReportHandler::new_themed(theme).with_width(100)
}
