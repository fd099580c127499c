//! `wd`: train small models under weight decay, and see what λ did.
//!
//! The command as a library, for the two faces that have it: the program `wd` ([`main_from`]), and
//! the Python package, which besides asks for its answers as values ([`answer`]).

// First, since its macros hold in what follows.
#[macro_use]
mod output;

mod answer;
mod commands;
mod diagnostics;
mod exit_code;
mod foreign;
mod interrupt;
mod invocation;
mod launch;
mod progress;
mod run_argument;
mod study_progress;

use std::ffi::OsString;
use std::sync::OnceLock;

use clap::{Parser, Subcommand};

pub use answer::{Answer, Failure, answer};
pub(crate) use exit_code::ExitCode;
pub use invocation::Invocation;

use crate::commands::{
    advise, audit, bench, completions, convert, data, evaluate, evidence, explain, export, import,
    metrics, plan, predict, report, reproduce, sample, study, sweep, train,
};
#[cfg(feature = "serve")]
use crate::commands::{serve, top};
use crate::diagnostics::CommandError;

/// Weight decay, measured: what λ means, whether it is applied, and what it does.
#[derive(Debug, Parser)]
#[command(name = "wd", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Reproduce(reproduce::Arguments),
    Evidence(Box<evidence::Arguments>),
    Predict(predict::Arguments),
    Train(train::Arguments),
    Sweep(sweep::Arguments),
    #[command(subcommand)]
    Study(study::Command),
    Report(Box<report::Arguments>),
    #[cfg(feature = "serve")]
    Serve(serve::Arguments),
    #[cfg(feature = "serve")]
    Top(top::Arguments),
    Import(Box<import::Arguments>),
    Evaluate(evaluate::Arguments),
    Sample(sample::Arguments),
    Metrics(metrics::Arguments),
    Plan(plan::Arguments),
    Explain(explain::Arguments),
    Convert(convert::Arguments),
    Advise(Box<advise::Arguments>),
    Audit(Box<audit::Arguments>),
    #[command(subcommand)]
    Data(data::Command),
    Export(export::Arguments),
    Bench(bench::Arguments),
    Completions(completions::Arguments),
}

impl Command {
    /// Whether the work is done on the threads of the whole process; a run has its own.
    fn shares_threads(&self) -> bool {
        matches!(
            self,
            Command::Evidence(_) | Command::Predict(_) | Command::Evaluate(_) | Command::Data(_)
        )
    }
}

/// Runs the command, and gives the code that the process is to exit with.
pub fn main_from(invocation: Invocation) -> u8 {
    invocation.remember();
    interrupt::begin();
    interrupt::outlive_the_limit_of_files();
    let words = std::iter::once(OsString::from("wd")).chain(invocation.words);
    match Arguments::try_parse_from(words) {
        Ok(arguments) => run(arguments).into(),
        Err(error) => {
            // Where standard error is closed there is nobody to tell.
            let _closed = error.print();
            u8::try_from(error.exit_code()).unwrap_or(u8::MAX)
        }
    }
}

/// Starts the threads that all work shares. It is to be called before the first work; further calls
/// change nothing.
///
/// # Errors
/// The system has no more threads to give, or this process was forked from one that had them.
pub fn start_threads() -> Result<(), Failure> {
    Ok(shared_threads()?)
}

fn shared_threads() -> Result<(), CommandError> {
    static STARTED_BY: OnceLock<u32> = OnceLock::new();
    let process = std::process::id();
    if *STARTED_BY.get_or_init(|| process) != process {
        return Err(CommandError::usage(
            "this process was forked from one whose threads it does not have",
            "start processes by `spawn` or `forkserver`, or ask the first question in them",
        ));
    }
    Ok(wd_train::start_threads()?)
}

fn run(arguments: Arguments) -> ExitCode {
    if arguments.command.shares_threads()
        && let Err(error) = shared_threads()
    {
        return diagnostics::show(&error);
    }
    let outcome = match arguments.command {
        Command::Reproduce(arguments) => reproduce::run(&arguments),
        Command::Evidence(arguments) => evidence::run(&arguments),
        Command::Predict(arguments) => predict::run(&arguments),
        Command::Train(arguments) => train::run(&arguments),
        Command::Sweep(arguments) => sweep::run(&arguments),
        Command::Study(command) => study::run(&command),
        Command::Report(arguments) => report::run(&arguments),
        #[cfg(feature = "serve")]
        Command::Serve(arguments) => serve::run(&arguments),
        #[cfg(feature = "serve")]
        Command::Top(arguments) => top::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(&arguments),
        Command::Sample(arguments) => sample::run(&arguments),
        Command::Metrics(arguments) => metrics::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Convert(arguments) => convert::run(&arguments),
        Command::Advise(arguments) => advise::run(&arguments),
        Command::Audit(arguments) => audit::run(&arguments),
        Command::Data(command) => data::run(&command),
        Command::Export(arguments) => export::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Completions(arguments) => completions::run::<Arguments>(&arguments),
    };
    outcome.unwrap_or_else(|error| diagnostics::show(&error))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// Longer lines break on a terminal where nobody meant them to.
    #[test]
    fn no_line_behind_a_help_is_longer_than_a_hundred_columns() {
        let mut open = vec![Arguments::command()];
        while let Some(command) = open.pop() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in help.lines() {
                assert!(line.chars().count() <= 100, "wd {}: {line}", command.get_name());
            }
            open.extend(command.get_subcommands().cloned());
        }
    }
}
