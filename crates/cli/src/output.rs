//! What commands print, where the reader may be gone.
//!
//! The standard library's `print!` and `eprint!` panic when `| head` has closed the pipe. The
//! macros here have their names and stand in their place in the whole crate, so that nobody has to
//! remember it: a reader that has seen enough is no failure, and a disk that is full is one.

use std::fmt::Arguments;
use std::io::{IsTerminal, Write};

use clap::Args;
use wd_page::Terminal;
use wd_page::words::printable_lines;

use crate::diagnostics::{self, CommandError};

macro_rules! print {
    ($($words:tt)*) => {
        $crate::output::print(format_args!($($words)*))
    };
}

macro_rules! println {
    ($($words:tt)*) => {
        $crate::output::print(format_args!("{}\n", format_args!($($words)*)))
    };
}

macro_rules! eprintln {
    ($($words:tt)*) => {
        $crate::output::eprint(format_args!("{}\n", format_args!($($words)*)))
    };
}

/// Writes to standard output; where that cannot be, the command ends.
pub(crate) fn print(words: Arguments<'_>) {
    if let Err(error) = std::io::stdout().write_fmt(words) {
        let is_closed = error.kind() == std::io::ErrorKind::BrokenPipe;
        diagnostics::show(&CommandError::Output(error));
        std::process::exit(if is_closed { 0 } else { 1 });
    }
}

/// Writes to standard error, without what a terminal would obey. Where that is closed there is
/// nobody to tell, and no reason to end the work.
pub(crate) fn eprint(words: Arguments<'_>) {
    let _closed = std::io::stderr().write_all(printable_lines(&words.to_string()).as_bytes());
}

/// Writes an error with its styles to standard error; the words in it are printable already.
pub(crate) fn eprint_styled(text: &str) {
    let _closed = std::io::stderr().write_all(text.as_bytes());
}

/// How pages are written to standard output: as wide as it is, in colour where it is a terminal.
pub(crate) fn terminal() -> Terminal {
    let is_terminal = std::io::stdout().is_terminal();
    Terminal {
        colour: is_terminal && std::env::var_os("NO_COLOR").is_none(),
        width: match terminal_size::terminal_size() {
            Some((width, _)) if is_terminal => usize::from(width.0).clamp(60, 120),
            _ => Terminal::plain().width,
        },
        ..Terminal::plain()
    }
}

/// How a study's findings are printed.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Printed {
    /// Print what was found about each claim, with its numbers
    #[arg(long, conflicts_with = "json")]
    explain: bool,

    /// Print the analysis as JSON instead of the verdict
    #[arg(long)]
    pub(crate) json: bool,
}

impl Printed {
    /// The page of some findings, or the findings themselves.
    pub(crate) fn text(self, page: &wd_page::Page, findings: &impl serde::Serialize) -> String {
        match self.json {
            true => format!("{}\n", serde_json::json!(findings)),
            false => page.terminal(&Terminal { reasons: self.explain, ..terminal() }),
        }
    }
}

/// Writes a file that was asked for, and says so.
pub(crate) fn write_file(path: &std::path::Path, text: &str) -> Result<(), CommandError> {
    wd_store::write_file(path, text.as_bytes())?;
    eprintln!("→ {}", path.display());
    Ok(())
}
