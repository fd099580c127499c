//! The program `wd`.

use std::process::ExitCode;

fn main() -> ExitCode {
    wd::main_from(wd::Invocation::of_process()).into()
}
