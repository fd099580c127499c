//! How this command was called, and how it calls itself.

use std::ffi::OsString;
use std::process::Command;
use std::sync::{PoisonError, RwLock};

use wd_page::words::quoted;

/// A call of the command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invocation {
    /// The words that start this command again, without those behind its name: the path of `wd`, or
    /// an interpreter and what it is to run.
    pub program: Vec<OsString>,
    /// The words behind the command's name.
    pub words: Vec<OsString>,
}

/// The call under way: one process of Python makes several, one after another.
static CURRENT: RwLock<Option<Invocation>> = RwLock::new(None);

impl Invocation {
    /// The call of this process: its own file, and its own arguments.
    pub fn of_process() -> Invocation {
        let mut words = std::env::args_os();
        let called = words.next();
        let program = std::env::current_exe().map(OsString::from).ok().or(called);
        Invocation { program: program.into_iter().collect(), words: words.collect() }
    }

    /// Makes this the call under way.
    pub(crate) fn remember(&self) {
        *CURRENT.write().unwrap_or_else(PoisonError::into_inner) = Some(self.clone());
    }
}

/// The call under way; that of the process where nobody made one.
fn current() -> Invocation {
    let current = CURRENT.read().unwrap_or_else(PoisonError::into_inner);
    current.clone().unwrap_or_else(Invocation::of_process)
}

/// The command as it was typed, for a page that says how it is made again.
pub(crate) fn own_command() -> String {
    current().words.iter().fold("wd".to_owned(), |command, word| {
        format!("{command} {}", quoted(&word.to_string_lossy()))
    })
}

/// This command, to be started again with other words.
pub(crate) fn program() -> Command {
    let program = current().program;
    let mut command = Command::new(program.first().map_or("wd".as_ref(), OsString::as_os_str));
    command.args(program.iter().skip(1));
    command
}

/// The same as words, for a script.
pub(crate) fn program_words() -> Vec<String> {
    current().program.iter().map(|word| word.to_string_lossy().into_owned()).collect()
}
