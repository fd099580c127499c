//! The compiled half of the Python package `weight_decay`: the command, and what it answers, as
//! Python values.
//!
//! | file | what Python gets of it |
//! |---|---|
//! | `command` | the command itself: `weight_decay.main` |
//! | `question` | what the command answers, as a value and a page |
//! | `page` | a page as HTML, text and Markdown, and its figures as SVG |
//! | `policy` | which tensors decay by which policy, and what a name says of a tensor |
//! | `rule` | a rule's decay of one step, and an optimizer of this project to compare with |
//! | `schedule` | the factors of a schedule |
//! | `run` | a run directory: read, and written by a training that is watched |
//! | `matrix` | λ from the data, of arrays that are in memory |
//! | `failure` | errors as exceptions with the same words |
//! | `background` | long work that Ctrl-C gets through to |

mod background;
mod command;
mod failure;
mod matrix;
mod page;
mod policy;
mod question;
mod rule;
mod run;
mod schedule;

/// The compiled half of `weight_decay`; the package is what should be imported.
#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use super::command::main;
    #[pymodule_export]
    use super::matrix::{Predictor, evidence_of_rows};
    #[pymodule_export]
    use super::page::Page;
    #[pymodule_export]
    use super::policy::{choose, kind_of_name, policies, roles};
    #[pymodule_export]
    use super::question::ask;
    #[pymodule_export]
    use super::rule::{Optimizer, rules, shrink};
    #[pymodule_export]
    use super::run::{RunWriter, columns_of_a_run, read_run};
    #[pymodule_export]
    use super::schedule::{schedule_of_points, schedule_of_words};

    /// The version of the package and of the command.
    #[pymodule_export]
    const __VERSION__: &str = env!("CARGO_PKG_VERSION");
}
