//! From a table to a fit: files → design → sums or rows → fit → analysis, as a value and as a page.
//!
//! | file | what |
//! |---|---|
//! | `request`, `criteria`, `groups`, `family` | what is asked for: plain data, or read from words |
//! | `inputs`, `agreement` | which files are tables and which are sums, and whether they are parts of one table |
//! | `arrays` | a table that is in memory |
//! | `source`, `rows`, `fold_sums` | the table as sums, sums of folds, or rows |
//! | `sums` | sums of a part of a table as a file |
//! | `gaussian`, `glm` | the fit of one target |
//! | `analysis`, `table`, `relations` | what a fit found, whatever the family, and what it has read |
//! | `json` | an analysis as JSON |
//! | `calibration`, `quality` | how often predictions hold what they promise, and how near they come |
//! | `conventions` | λ as other libraries count it |
//! | `predictor`, `model`, `prediction` | the fit as a file, and what it says of other rows |
//!
//! A Gaussian fit reads a table of any length once and in constant memory; the other families hold
//! it.

mod agreement;
mod analysis;
mod arrays;
mod calibration;
mod conventions;
mod criteria;
mod error;
mod family;
mod fold_sums;
mod gaussian;
mod glm;
mod groups;
mod inputs;
mod json;
mod model;
mod prediction;
mod predictor;
mod quality;
mod relations;
mod request;
mod rows;
mod source;
mod strata;
mod sums;
mod table;

use std::path::{Path, PathBuf};

use wd_data::table::DesignOptions;

pub use analysis::{Analysis, CoefficientPath, Group, Output, PathPoint};
pub use arrays::Arrays;
pub use calibration::{Calibration, CalibrationKind, CalibrationPoint};
pub use conventions::Convention;
pub use criteria::Criteria;
pub use error::FitError;
pub use family::Family;
pub use fold_sums::dealt;
pub use groups::Groups;
pub use model::{Model, TargetFit};
pub use prediction::{Predicted, PredictionOptions, Predictions};
pub use predictor::Predictor;
pub use quality::{Observation, Quality};
pub use relations::{Multiple, Relations};
pub use request::Request;
pub use sums::Sums;
pub use table::{TableSummary, reasons};

use crate::Mat;
use inputs::Inputs;
use source::Source;

/// Fits one target to the other columns of a table, with the λ that the data prefer. `data` names
/// the parts of the table, each a CSV (plain, gzip or zstd) or Parquet file, or [`Sums`] of one.
///
/// # Errors
/// A request that cannot be followed, files that are no parts of one table, a table without an
/// answer.
///
/// # Example
/// ```
/// use wd_evidence::fit::{Request, fit};
///
/// let table = concat!(env!("CARGO_MANIFEST_DIR"), "/../../corpora/tables/diabetes.csv");
/// let found = fit(&[table], &Request::new("target"))?;
/// assert!((found.lambda - 14.856).abs() < 1e-3);
/// let page = found.page(&wd_page::Context::default());
/// assert!(page.html().contains("Ridge(alpha=14.856"));
/// # Ok::<(), wd_evidence::fit::FitError>(())
/// ```
pub fn fit<P: AsRef<Path>>(data: &[P], request: &Request) -> Result<Analysis, FitError> {
    let several = || {
        let targets = request.table.targets.join(",");
        FitError::option("target", targets, "one target is fitted here", "name a single one")
    };
    if request.table.targets.len() != 1 {
        return Err(several());
    }
    fit_targets(data, request)?.pop().ok_or_else(several)
}

/// Fits each target of a table to the columns that are none, from one pass over it.
///
/// # Errors
/// As [`fit`].
pub fn fit_targets<P: AsRef<Path>>(
    data: &[P],
    request: &Request,
) -> Result<Vec<Analysis>, FitError> {
    request.check()?;
    let inputs = Inputs::open(data)?;
    inputs.check(request)?;
    let design = inputs.design(&request.design_options())?;
    let source = inputs.source(&design, &request.table.reading);
    match request.family {
        Family::Gaussian => gaussian::fit(&source, request),
        _ => Ok(vec![glm::fit(&source, request)?]),
    }
}

/// A table with one target as matrices, for whoever fits it in memory: the columns of the design
/// that a fit would have.
#[derive(Debug, Clone)]
pub struct TableRows {
    /// The columns of the design, p of them.
    pub columns: Vec<String>,
    /// n × p.
    pub x: Mat<f64>,
    /// n × 1.
    pub y: Mat<f64>,
}

/// Reads a table with one target into memory.
///
/// # Errors
/// As [`fit`]; more than `most` numbers.
pub fn table_rows(data: &Path, request: &Request, most: usize) -> Result<TableRows, FitError> {
    request.check()?;
    let inputs = Inputs::open(&[data])?;
    inputs.check(request)?;
    let design = inputs.design(&request.design_options())?;
    let source = inputs.source(&design, &request.table.reading);
    let mut rows = rows::Rows::new(&design);
    source.for_each_block(|block| {
        if rows.values.len() + block.values.len() > most {
            let (columns, rows) = (design.width(), most / design.width().max(1));
            return Err(FitError::TooLong { columns, rows });
        }
        rows.add(block, 0..block.rows);
        Ok(())
    })?;
    Ok(TableRows { columns: design.columns(), x: rows.x().to_owned(), y: rows.y().to_owned() })
}

/// [`fit_targets`] of rows that are in memory. Of `request.table` nothing is
/// used: what the columns are, the arrays say.
///
/// # Errors
/// As [`fit`]; arrays whose sizes do not fit.
///
/// # Example
/// ```
/// use wd_evidence::MatRef;
/// use wd_evidence::fit::{Arrays, Request, fit_arrays};
///
/// let x = [0.0, 1.0, 1.0, 0.0, 2.0, 1.0, 3.0, 1.0, 4.0, 0.0, 5.0, 2.0];
/// let y = [0.1, 1.2, 1.9, 3.1, 4.2, 4.8];
/// let arrays = Arrays {
///     x: MatRef::from_row_major_slice(&x, 6, 2),
///     columns: &["a".to_owned(), "b".to_owned()],
///     y: MatRef::from_column_major_slice(&y, 6, 1),
///     targets: &["y".to_owned()],
///     classes: &[],
///     weights: None,
///     offset: None,
/// };
/// let found = fit_arrays(&arrays, &Request::new("y"))?;
/// assert!((found[0].outputs[0].coefficients[0] - 1.0).abs() < 0.1);
/// # Ok::<(), wd_evidence::fit::FitError>(())
/// ```
pub fn fit_arrays(arrays: &Arrays<'_>, request: &Request) -> Result<Vec<Analysis>, FitError> {
    let request = Request {
        table: DesignOptions {
            targets: arrays.targets.to_vec(),
            weights: arrays.weights.map(|_| "weights".to_owned()),
            offset: arrays.offset.map(|_| "exposure".to_owned()),
            ..DesignOptions::default()
        },
        ..request.clone()
    };
    request.check()?;
    arrays.check()?;
    let design = arrays.design();
    let files = [PathBuf::from("the arrays")];
    let source = Source {
        design: &design,
        files: &files,
        tables: &[],
        sums: None,
        arrays: Some(arrays),
        reading: &request.table.reading,
    };
    match request.family {
        Family::Gaussian => gaussian::fit(&source, &request),
        _ => Ok(vec![glm::fit(&source, &request)?]),
    }
}

/// The sums that a Gaussian fit needs of a table, in place of the fit: other parts of the table can
/// be added to them.
///
/// # Errors
/// As [`fit`]; more columns than their products fit into memory.
pub fn sum<P: AsRef<Path>>(data: &[P], request: &Request) -> Result<Sums, FitError> {
    request.check()?;
    if request.family != Family::Gaussian {
        return Err(inputs::needs_rows(request.family));
    }
    let inputs = Inputs::open(data)?;
    let design = inputs.design(&request.design_options())?;
    let source = inputs.source(&design, &request.table.reading);
    let (content, findings) = source.load(0, 0)?;
    Ok(Sums { table: source.summary(findings), statistics: content.statistics()?.into_owned() })
}
