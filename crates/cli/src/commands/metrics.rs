//! `wd metrics`: the numbers of a run, for a person or a program.

use std::{
    collections::BTreeSet,
    io::{BufWriter, Write},
    path::PathBuf,
};

use clap::Args;
use wd_page::{Content, Page, Section, Table, Terminal, number};

use crate::{ExitCode, diagnostics::CommandError, output, run_argument::open_run};

/// Print the metrics of a run
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd metrics runs/first         # the run's columns, thinned out to read
  wd metrics runs/first --columns step,train_loss,learning_rate --csv
  wd metrics runs/first --columns step,weight_norm/role:matrix,relative_update/role:embedding --json
  wd metrics runs/first --list  # every column there is

A tensor's measures are columns MEASURE/PATH; MEASURE/role:ROLE combines the tensors of a role.
Cells that were not measured at a step are empty (null in JSON).")]
pub(crate) struct Arguments {
    /// The run
    #[arg(value_name = "RUN_DIR")]
    run: PathBuf,

    /// Columns, separated by commas
    #[arg(long, value_delimiter = ',')]
    columns: Vec<String>,

    /// Comma-separated values, every row
    #[arg(long, conflicts_with = "json")]
    csv: bool,

    /// One JSON object a row, every row
    #[arg(long)]
    json: bool,

    /// List the columns
    #[arg(long)]
    list: bool,
}

/// Columns of a run that are shown when none are asked for.
const DEFAULT_COLUMNS: [&str; 8] = [
    "step",
    "train_loss",
    "validation_loss",
    "train_eval_loss",
    "learning_rate",
    "lambda",
    "shrink",
    "gradient_norm",
];

/// And these, where the run has them.
const FURTHER_COLUMNS: [&str; 7] = [
    "test_accuracy",
    "calibration_error",
    "negative_log_likelihood",
    "shifted_loss",
    "shifted_accuracy",
    "average_loss",
    "average_accuracy",
];

/// Rows of the table for a person.
const TABLE_ROWS: usize = 40;

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    let directory = open_run(&arguments.run)?;
    let reader = directory.metrics()?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    if arguments.list {
        for column in reader.columns() {
            writeln!(out, "{}", column.name)?;
        }
        // The runs of other programs have no plan.
        let tensors = directory.read_plan().map(|plan| plan.tensors).unwrap_or_default();
        let roles: BTreeSet<&str> = tensors.iter().map(|tensor| tensor.role.name()).collect();
        for measure in wd_store::ROLE_MEASURES {
            for role in &roles {
                writeln!(out, "{measure}/role:{role}")?;
            }
        }
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let is_recorded = reader.has_column(wd_lab::record::RECORDED_STEP);
    let names: Vec<String> = if arguments.columns.is_empty() && is_recorded {
        // Of another program: its own step, and all its curves.
        let columns = reader.columns().iter().map(|column| column.name.clone());
        columns.filter(|name| name != "step").collect()
    } else if arguments.columns.is_empty() {
        let further = FURTHER_COLUMNS.iter().filter(|name| reader.has_column(name));
        DEFAULT_COLUMNS.iter().chain(further).map(ToString::to_string).collect()
    } else {
        // What `wd train` calls the loss on test images.
        let column = |name: &String| match name.as_str() {
            "test_loss" => "validation_loss".to_owned(),
            _ => name.clone(),
        };
        arguments.columns.iter().map(column).collect()
    };
    let mut columns = Vec::new();
    for name in &names {
        columns.push(match name.split_once("/role:") {
            Some((measure, role)) => {
                let role = role.parse().map_err(|error: wd_decay::DecayError| {
                    CommandError::usage(error.to_string(), "`--list` names the roles of this run")
                })?;
                reader.role_column(measure, role, &directory.read_plan()?)?
            }
            None => reader.column(name)?,
        });
    }
    let rows = reader.rows();
    if arguments.csv {
        writeln!(out, "{}", names.join(","))?;
        for row in 0..rows {
            let cells: Vec<String> = columns
                .iter()
                .map(|column| cell(column[row], |value| format!("{value}")))
                .collect();
            writeln!(out, "{}", cells.join(","))?;
        }
    } else if arguments.json {
        for row in 0..rows {
            // Not-a-number has no JSON form: it becomes null.
            let object: serde_json::Map<String, serde_json::Value> = names
                .iter()
                .zip(&columns)
                .map(|(name, column)| (name.clone(), serde_json::json!(column[row])))
                .collect();
            writeln!(out, "{}", serde_json::Value::Object(object))?;
        }
    } else {
        let header: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut table = Table::new(&header, 0);
        table.rows.extend(
            thinned(rows, &columns)
                .into_iter()
                .map(|row| columns.iter().map(|column| cell(column[row], number::short)).collect()),
        );
        let shown = table.rows.len();
        let page = Page {
            sections: vec![Section::terminal(vec![Content::Table(table)])],
            ..Page::default()
        };
        write!(out, "{}", page.terminal(&Terminal { rows: shown, ..output::terminal() }))?;
        if shown < rows {
            writeln!(
                out,
                "{} of {}; --csv or --json prints all",
                shown,
                number::counted(rows as u64, "row")
            )?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn cell(value: f64, show: impl Fn(f64) -> String) -> String {
    if value.is_nan() { String::new() } else { show(value) }
}

/// Rows spread over the run; where a column is mostly empty, those at which it is not.
fn thinned(rows: usize, columns: &[Vec<f64>]) -> Vec<usize> {
    if rows <= TABLE_ROWS {
        return (0..rows).collect();
    }
    let full: Vec<usize> =
        (0..rows).filter(|&row| columns.iter().all(|column| !column[row].is_nan())).collect();
    let from: Vec<usize> = if full.len() >= 8 { full } else { (0..rows).collect() };
    let count = from.len().min(TABLE_ROWS);
    (0..count).map(|i| from[i * (from.len() - 1) / (count - 1).max(1)]).collect()
}
