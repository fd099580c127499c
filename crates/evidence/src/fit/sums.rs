//! Sums of rows as a file: all that the Gaussian family needs of them, so that the parts of a table
//! add up, wherever they are.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wd_data::table::{Design, Findings, TargetKind};
use wd_page::counted;

use super::agreement;
use super::error::FitError;
use super::relations::Relations;
use super::table::TableSummary;
use crate::Statistics;

/// The first words of a file of sums: a file of another kind is refused by them.
const FORMAT: &str = "wd-sums-1";

/// Sums of the rows of one table or of several.
#[derive(Debug, Clone)]
pub struct Sums {
    /// What was summed.
    pub table: TableSummary,
    /// The sums.
    pub statistics: Statistics,
}

/// Sums as they are written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: String,
    design: Design,
    /// Rows read, those of weight 0 among them.
    rows: u64,
    statistics: Statistics,
    /// BLAKE3 of the rest as it is written; files of before it was written have none. A changed
    /// digit of a product would fit like any other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blake3: Option<String>,
}

/// More rows than this are not counted exactly by the numbers that they are weighed by.
const MOST_ROWS: u64 = 1 << 53;

impl Sums {
    /// The file that [`Sums::read`] reads: p² numbers.
    ///
    /// # Errors
    /// A column whose squares overflow.
    pub fn to_json(&self) -> Result<String, FitError> {
        let TableSummary { design, findings, .. } = &self.table;
        let columns = design.columns();
        let targets = design.targets.iter();
        let names = columns.iter().chain(targets.map(|target| &target.name));
        for (index, name) in names.enumerate() {
            // JSON has no infinity.
            if !self.statistics.centred_product(index, index).is_finite() {
                return Err(FitError::Column {
                    files: self.table.name(),
                    column: name.clone(),
                    problem: "its squares overflow: give it in another unit".to_owned(),
                });
            }
        }
        let mut written = Written {
            format: FORMAT.to_owned(),
            design: design.clone(),
            rows: findings.rows,
            statistics: self.statistics.clone(),
            blake3: None,
        };
        written.blake3 = Some(hash(&written)?);
        Ok(serde_json::to_string(&written)? + "\n")
    }

    /// What was summed, without the sums.
    pub fn summary(&self) -> serde_json::Value {
        let design = &self.table.design;
        serde_json::json!({
            "rows": self.table.findings.rows,
            "weight": self.statistics.weight(),
            "columns": design.columns(),
            "targets": design.targets.iter().map(|target| &target.name).collect::<Vec<_>>(),
            "design": design,
        })
    }

    /// Reads a file of sums.
    ///
    /// # Errors
    /// [`FitError::File`] for what [`Sums::to_json`] never writes.
    pub fn read(path: &Path) -> Result<Self, FitError> {
        let written = Written::read(path)
            .and_then(|mut written| written.check().map(|()| written))
            .map_err(|problem| {
                let what = "file of sums";
                FitError::File { path: path.to_owned(), what, problem }
            })?;
        written.design.check(path)?;
        let Written { design, rows, statistics, .. } = written;
        let findings = Findings { rows, ..Findings::default() };
        let files = vec![PathBuf::from(path)];
        let relations = Relations::default();
        Ok(Sums { table: TableSummary { files, design, findings, relations }, statistics })
    }

    /// Adds the sums of another part of the same table.
    ///
    /// # Errors
    /// [`FitError::Apart`] where the columns of the two are not the same.
    pub fn add(&mut self, other: &Sums) -> Result<(), FitError> {
        if let Some(difference) = agreement::difference(&self.table.design, &other.table.design) {
            let first = |sums: &Sums| sums.table.files.first().cloned().unwrap_or_default();
            return Err(FitError::Apart { first: first(self), path: first(other), difference });
        }
        self.statistics.merge(&other.statistics)?;
        self.table.findings.rows += other.table.findings.rows;
        self.table.files.extend_from_slice(&other.table.files);
        Ok(())
    }
}

/// The checksum of sums that hold none yet.
fn hash(written: &Written) -> Result<String, serde_json::Error> {
    Ok(blake3::hash(&serde_json::to_vec(written)?).to_hex().to_string())
}

impl Written {
    fn read(path: &Path) -> Result<Written, String> {
        #[derive(Deserialize)]
        struct Head {
            format: Option<String>,
        }
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let head: Head = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        match head.format {
            Some(format) if format == FORMAT => {}
            Some(format) => return Err(format!("its format is `{format}`, not `{FORMAT}`")),
            None => return Err("it does not name its format".to_owned()),
        }
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }

    /// Refuses a design and sums that do not belong together.
    fn check(&mut self) -> Result<(), String> {
        if let Some(expected) = self.blake3.take()
            && hash(self).map_err(|error| error.to_string())? != expected
        {
            return Err(
                "its checksum does not match: it is damaged, sum the table again".to_owned()
            );
        }
        let Written { design, rows, statistics, .. } = self;
        if *rows > MOST_ROWS {
            return Err(format!("{rows} rows are more than can be counted"));
        }
        let summed = counted(statistics.rows(), "row");
        if (design.width(), design.targets.len()) != (statistics.columns(), statistics.targets()) {
            return Err(format!(
                "its design has {} and {}, its sums {} and {}",
                counted(design.width(), "column"),
                counted(design.targets.len(), "target"),
                statistics.columns(),
                statistics.targets()
            ));
        }
        if let Some(target) = design.targets.iter().find(|target| target.kind != TargetKind::Number)
        {
            let name = &target.name;
            return Err(format!("its target `{name}` holds classes, of which sums say nothing"));
        }
        if *rows < statistics.rows() as u64 {
            return Err(format!("{summed} with a weight, of {rows} that were read"));
        }
        if design.weights.is_none() && statistics.weight() != statistics.rows() as f64 {
            let weight = statistics.weight();
            return Err(format!("a weight of {weight} for {summed} without weights"));
        }
        Ok(())
    }
}
