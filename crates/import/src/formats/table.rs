//! Tables of any program: CSV, JSON lines and Parquet, in one of three layouts.
//!
//! | layout | a row is | recognised by |
//! |---|---|---|
//! | long | one number: run, step, metric, value | columns `metric` and `value` |
//! | a row a step | the numbers of one step of one run | a column `step` |
//! | a row a run | the settings and final numbers of one run | neither |
//!
//! In a table with a row a step, a column whose value never changes within any run is a setting,
//! and every other column of numbers a curve.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use wd_data::table::{Cell, parquet_rows};

use crate::files::Lines;
use crate::find::ReadOptions;
use crate::names::{is_lambda, is_measure, is_rate, is_run, is_seed, is_step, whole};
use crate::run::{Run, spelled};
use crate::{ImportError, lenient};

/// The most columns of a table: a row of a damaged file may have more.
const MOST_COLUMNS: usize = 100_000;

/// A row: each column that has a value, with the value as text or number.
type Row<'a> = Vec<(&'a str, Cell<'a>)>;

/// Reads a CSV (or a file whose columns are parted by semicolons or tabs).
///
/// # Errors
/// [`ImportError::Io`], [`ImportError::Damaged`] when it is no table.
pub fn read_csv(path: &Path, options: &ReadOptions<'_>) -> Result<Vec<Run>, ImportError> {
    let damaged = |error: csv::Error| ImportError::damaged(path, error);
    let first = Lines::open(path)?.next()?.map(<[u8]>::to_vec).unwrap_or_default();
    let count = |byte: u8| first.iter().filter(|found| **found == byte).count();
    let delimiter = [b',', b'\t', b';'].into_iter().max_by_key(|byte| count(*byte)).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_path(path)
        .map_err(damaged)?;
    let header: Vec<String> = reader
        .byte_headers()
        .map_err(damaged)?
        .iter()
        .map(|name| String::from_utf8_lossy(name).trim().to_owned())
        .collect();
    let mut table = Table::new(path, options, header.iter().map(String::as_str))?;
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(damaged)? {
        let cells: Vec<_> = record.iter().map(String::from_utf8_lossy).collect();
        let filled = header.iter().zip(&cells).filter(|(_, cell)| !cell.trim().is_empty());
        let row: Row<'_> =
            filled.map(|(name, cell)| (name.as_str(), Cell::Text(cell.trim()))).collect();
        table.row(&row)?;
    }
    table.runs()
}

/// Reads JSON lines: one object a line, nested keys joined by dots.
///
/// # Errors
/// [`ImportError::Io`], [`ImportError::Damaged`] when no line is an object.
pub fn read_json_lines(path: &Path, options: &ReadOptions<'_>) -> Result<Vec<Run>, ImportError> {
    // The columns first: they decide the layout.
    let mut names = BTreeSet::new();
    let mut lines = Lines::open(path)?;
    while let Some(line) = lines.next()? {
        for (name, _) in object(line) {
            if names.len() < MOST_COLUMNS {
                names.insert(name);
            }
        }
    }
    let mut table = Table::new(path, options, names.iter().map(String::as_str))?;
    let mut lines = Lines::open(path)?;
    while let Some(line) = lines.next()? {
        let members = object(line);
        let row: Row<'_> =
            members.iter().map(|(name, text)| (name.as_str(), Cell::Text(text.as_str()))).collect();
        if !row.is_empty() {
            table.row(&row)?;
        }
    }
    table.runs()
}

/// The members of an object with their values as text; none of another line.
fn object(line: &[u8]) -> Vec<(String, String)> {
    let mut run = Run::default();
    if let Ok(Value::Object(members)) = lenient::json(line) {
        for (key, value) in members {
            match lenient::number(&value) {
                Some(number) => drop(run.settings.insert(key, number.to_string())),
                None => run.set(&key, &value),
            }
        }
    }
    run.settings.into_iter().collect()
}

/// Reads a Parquet file.
///
/// # Errors
/// [`ImportError::Table`] when it cannot be read.
pub fn read_parquet(path: &Path, options: &ReadOptions<'_>) -> Result<Vec<Run>, ImportError> {
    let mut table: Option<Table<'_>> = None;
    let mut failure = None;
    parquet_rows(path, &mut |names, cells| {
        let outcome = (|| {
            let table = match &mut table {
                Some(table) => table,
                None => table.insert(Table::new(path, options, names.iter().map(String::as_str))?),
            };
            let named = names.iter().zip(cells);
            let row: Row<'_> =
                named.filter_map(|(name, cell)| Some((name.as_str(), (*cell)?))).collect();
            table.row(&row)
        })();
        outcome.map_err(|error| failure = Some(error)).is_ok()
    })?;
    match (failure, table) {
        (Some(error), _) => Err(error),
        (None, Some(table)) => table.runs(),
        (None, None) => Err(ImportError::damaged(path, "it has no rows")),
    }
}

enum Layout {
    Long { step: Option<String>, metric: String, value: String },
    Steps { step: String },
    Runs,
}

/// A table as its rows come.
struct Table<'a> {
    path: &'a Path,
    layout: Layout,
    /// The columns that tell the runs apart.
    run_columns: Vec<String>,
    runs: BTreeMap<Vec<String>, Growing>,
    rows: u64,
    /// Columns that change within a run, or hold no text: curves. The others are settings.
    changing: BTreeSet<String>,
    /// The curves that were asked for by name.
    wanted: Vec<String>,
}

/// A run as its rows come.
#[derive(Default)]
struct Growing {
    order: u64,
    points: BTreeMap<String, Vec<(u64, f64)>>,
    first: BTreeMap<String, String>,
}

impl<'a> Table<'a> {
    fn new<'b>(
        path: &'a Path,
        options: &ReadOptions<'_>,
        names: impl Iterator<Item = &'b str>,
    ) -> Result<Self, ImportError> {
        let names: Vec<&str> = names.collect();
        if names.len() > MOST_COLUMNS {
            return Err(ImportError::damaged(path, "it has too many columns"));
        }
        let find = |is_one: fn(&str) -> bool| names.iter().find(|name| is_one(name));
        let exact = |wanted: &[&str]| {
            names.iter().find(|name| wanted.contains(&name.to_ascii_lowercase().as_str()))
        };
        let step = match &options.step {
            Some(step) if names.contains(&step.as_str()) => Some(step.clone()),
            Some(step) => {
                let problem = format!("{} has no column `{step}`", path.display());
                let list = names.iter().map(|name| (*name).to_owned()).collect();
                return Err(ImportError::Role { option: "step", problem, list });
            }
            None => find(is_step).map(|name| (*name).to_owned()),
        };
        let metric = exact(&["metric", "tag", "key", "metric_name", "variable"]);
        let layout = match (metric, exact(&["value", "metric_value"]), step) {
            (Some(metric), Some(value), step) => {
                Layout::Long { step, metric: (*metric).to_owned(), value: (*value).to_owned() }
            }
            (_, _, Some(step)) => Layout::Steps { step },
            _ => Layout::Runs,
        };
        let run_columns = match options.run_from.as_slice() {
            [] => match find(is_run) {
                Some(column) => vec![(*column).to_owned()],
                None => {
                    let tells = |name: &&&str| is_lambda(name) || is_rate(name) || is_seed(name);
                    names.iter().filter(tells).map(|name| (*name).to_owned()).collect()
                }
            },
            asked => asked.to_vec(),
        };
        Ok(Table {
            path,
            layout,
            run_columns,
            runs: BTreeMap::new(),
            rows: 0,
            changing: BTreeSet::new(),
            wanted: options.curves.clone(),
        })
    }

    fn row(&mut self, row: &Row<'_>) -> Result<(), ImportError> {
        self.rows += 1;
        let key: Vec<String> = match self.layout {
            Layout::Runs if self.run_columns.iter().all(|name| !is_run(name)) => {
                vec![self.rows.to_string()]
            }
            _ => {
                let columns = self.run_columns.iter();
                columns.map(|name| cell_of(row, name).map_or_else(String::new, text)).collect()
            }
        };
        let order = self.rows;
        let run = self.runs.entry(key).or_insert_with(|| Growing { order, ..Growing::default() });
        match &self.layout {
            Layout::Long { step, metric, value } => run.number(row, step.as_deref(), metric, value),
            Layout::Steps { step } => run.step(row, step, &mut self.changing),
            Layout::Runs => run.whole(row, &self.wanted),
        }
        Ok(())
    }

    fn runs(self) -> Result<Vec<Run>, ImportError> {
        if self.rows == 0 {
            return Err(ImportError::damaged(self.path, "it has no rows"));
        }
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let is_by_step = matches!(self.layout, Layout::Steps { .. });
        let mut growing: Vec<(Vec<String>, Growing)> = self.runs.into_iter().collect();
        growing.sort_by_key(|(_, run)| run.order);
        let changing = &self.changing;
        let is_curve = |name: &str, wanted: &[String]| {
            !is_by_step || changing.contains(name) || wanted.iter().any(|known| known == name)
        };
        let mut runs = Vec::new();
        for (key, grown) in growing {
            let name = match key.join(" ").trim() {
                "" => stem.clone(),
                name => name.to_owned(),
            };
            let mut run = Run::new(name, self.path);
            for (tag, mut points) in grown.points {
                if is_curve(&tag, &self.wanted) {
                    points.sort_by_key(|(step, _)| *step);
                    for (step, value) in points {
                        run.push(&tag, step, value);
                    }
                }
            }
            // The name of the run is no setting of it.
            let is_setting = |name: &String| {
                let is_name = self.run_columns.contains(name) && is_run(name);
                !is_name && (!is_by_step || !changing.contains(name))
            };
            run.settings = grown.first;
            run.settings.retain(|name, _| is_setting(name) && !run.curves.contains_key(name));
            runs.push(run);
        }
        Ok(runs)
    }
}

impl Growing {
    /// A row of the long layout: one number.
    fn number(&mut self, row: &Row<'_>, step: Option<&str>, metric: &str, value: &str) {
        let at = step.and_then(|name| cell_of(row, name)).and_then(number).and_then(whole);
        let (tag, number) = (cell_of(row, metric), cell_of(row, value).and_then(number));
        let (Some(tag), Some(number)) = (tag.map(text), number) else { return };
        let points = self.points.entry(tag).or_default();
        let at = if step.is_some() { at } else { Some(points.len() as u64) };
        points.extend(at.map(|at| (at, number)));
        let is_other = |name: &str| name != metric && name != value && Some(name) != step;
        for (name, cell) in row.iter().filter(|(name, _)| is_other(name)) {
            if !self.first.contains_key(*name) {
                self.first.insert((*name).to_owned(), spelled(&text(*cell)));
            }
        }
    }

    /// A row of numbers of one step. Columns that change are put into `changing`.
    fn step(&mut self, row: &Row<'_>, step: &str, changing: &mut BTreeSet<String>) {
        let Some(at) = cell_of(row, step).and_then(number).and_then(whole) else { return };
        for (name, cell) in row.iter().filter(|(name, _)| *name != step) {
            if !changing.contains(*name) {
                let spelt = spelled(&text(*cell));
                match self.first.get(*name) {
                    None => drop(self.first.insert((*name).to_owned(), spelt)),
                    Some(first) if *first != spelt => drop(changing.insert((*name).to_owned())),
                    Some(_) => {}
                }
            }
            if let Some(number) = number(*cell) {
                match self.points.get_mut(*name) {
                    Some(points) => points.push((at, number)),
                    None => drop(self.points.insert((*name).to_owned(), vec![(at, number)])),
                }
            }
        }
    }

    /// A row that is a whole run.
    fn whole(&mut self, row: &Row<'_>, wanted: &[String]) {
        for (name, cell) in row {
            let is_wanted = wanted.iter().any(|wanted| wanted == name);
            match number(*cell) {
                Some(number) if is_wanted || is_measure(name) => {
                    self.points.entry((*name).to_owned()).or_default().push((1, number));
                }
                _ => drop(self.first.insert((*name).to_owned(), spelled(&text(*cell)))),
            }
        }
    }
}

fn cell_of<'a>(row: &Row<'a>, name: &str) -> Option<Cell<'a>> {
    row.iter().find(|(known, _)| *known == name).map(|(_, cell)| *cell)
}

fn text(cell: Cell<'_>) -> String {
    match cell {
        Cell::Text(text) => text.to_owned(),
        Cell::Number(number) => number.to_string(),
    }
}

fn number(cell: Cell<'_>) -> Option<f64> {
    match cell {
        Cell::Number(number) => Some(number),
        Cell::Text(text) => text.parse().ok(),
    }
}
