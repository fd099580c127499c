//! The answers of the commands as values, for a program that shows them itself.
//!
//! A face other than the terminal asks with the words of the command, so that every option and every
//! default has one home.

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use wd_page::words::printable_lines;
use wd_page::{Context, Page};

use crate::commands::{advise, audit, convert, evidence, explain, report};
use crate::diagnostics::{self, CommandError};
use crate::{Arguments, Command, start_threads};

/// An answer: a value, and the page that says it.
pub struct Answer {
    /// What `--json` prints.
    pub value: Box<dyn erased_serde::Serialize + Send + Sync>,
    /// What the terminal and `--html` show.
    pub page: Page,
}

impl Answer {
    /// A value with its page.
    pub fn new(value: impl serde::Serialize + Send + Sync + 'static, page: Page) -> Answer {
        Answer { value: Box::new(value), page }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What is wrong.
    pub message: String,
    /// What can be done about it, where the message does not say so.
    pub help: Option<String>,
}

impl Failure {
    /// Words that are none of the command's. An option is named as a keyword: whoever asks a
    /// question from a program wrote it as one.
    fn of_words(error: &clap::Error) -> Self {
        let option = |kind| match error.get(kind)? {
            ContextValue::String(option) => {
                let name = option.split_whitespace().next()?.strip_prefix("--")?;
                Some(name.replace('-', "_"))
            }
            _ => None,
        };
        if error.kind() == ErrorKind::UnknownArgument
            && let Some(unknown) = option(ContextKind::InvalidArg)
        {
            let near = option(ContextKind::SuggestedArg);
            return Failure {
                message: format!("there is no option `{}`", printable_lines(&unknown)),
                help: near.map(|near| format!("did you mean `{near}`?")),
            };
        }
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        Failure { message: first.trim_start_matches("error: ").to_owned(), help: None }
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        let help = match &error {
            CommandError::Usage { help, .. } => Some(printable_lines(help)),
            other => diagnostics::spelling(other),
        };
        Failure { message: printable_lines(&error.to_string()), help }
    }
}

/// Answers one question that is asked in the words of the command, such as `explain torch.AdamW
/// weight_decay=0.1`: explain, convert, advise, audit, evidence or report. Nothing is printed, and
/// no file is written.
///
/// # Errors
/// Words that are none of the command's, and whatever the command itself would fail with.
pub fn answer<'a>(
    words: impl IntoIterator<Item = &'a str>,
    context: &Context,
) -> Result<Answer, Failure> {
    start_threads()?;
    let words = std::iter::once("wd").chain(words);
    let arguments = Arguments::try_parse_from(words).map_err(|error| Failure::of_words(&error))?;
    let found = match &arguments.command {
        Command::Explain(arguments) => explain::answer(arguments, context),
        Command::Convert(arguments) => convert::answer(arguments),
        Command::Advise(arguments) => advise::answer(arguments, context),
        Command::Audit(arguments) => audit::answer(arguments, context),
        Command::Evidence(arguments) => evidence::answer(arguments, context),
        Command::Report(arguments) => report::answer(arguments, context),
        _ => Err(CommandError::usage(
            "this command gives no answer that is a value",
            "ask explain, convert, advise, audit, evidence or report",
        )),
    };
    Ok(found?)
}
