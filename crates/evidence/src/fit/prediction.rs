//! What a model says of the rows of a table, block by block.

use std::fmt;
use std::path::Path;

use statrs::distribution::{ContinuousCDF, Normal};
use wd_data::table::{Block, Blocks, TableFormat, TargetUse};

use super::error::FitError;
use super::family::Family;
use super::model::Model;
use super::predictor::Predictor;
use crate::{GlmPosterior, MatRef, Posterior};

/// How a table is predicted.
#[derive(Debug, Clone)]
pub struct PredictionOptions {
    /// Probability of the intervals of the Gaussian family. Default: 0.95.
    pub level: f64,
    /// Whether probabilities and counts are averaged over Laplace's posterior. Default: its mode.
    pub average: bool,
    /// How a CSV file is written.
    pub format: TableFormat,
}

impl Default for PredictionOptions {
    fn default() -> Self {
        PredictionOptions { level: 0.95, average: false, format: TableFormat::default() }
    }
}

/// One predicted value.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicted {
    /// A mean, a deviation, an end of an interval, a probability, a count.
    Number(f64),
    /// The likeliest class.
    Class(String),
}

/// Whether a number is read more easily without an exponent.
fn is_written_out(number: f64) -> bool {
    number == 0.0 || !number.is_finite() || (1e-5..1e16).contains(&number.abs())
}

impl fmt::Display for Predicted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Hundreds of digits say no more than an exponent does.
            Predicted::Number(number) if !is_written_out(*number) => {
                write!(formatter, "{number:e}")
            }
            Predicted::Number(number) => number.fmt(formatter),
            Predicted::Class(name) => formatter.write_str(name),
        }
    }
}

/// The predictions of a table: a memory of bounded size, whatever the number of rows.
pub struct Predictions<'a> {
    model: &'a Model,
    /// Nothing once all rows are read.
    blocks: Option<Blocks<'a>>,
    average: bool,
    /// Half of an interval in standard deviations.
    reach: f64,
}

impl Model {
    /// Predicts the rows of a table; the target is not needed. The Gaussian family gives the
    /// target's mean, its standard deviation, and the ends of an interval for a new observation;
    /// classes give a probability each, counts their expectation.
    ///
    /// # Errors
    /// A level that is no probability; a table without the columns of the model.
    pub fn predict(
        &self,
        table: &Path,
        options: &PredictionOptions,
    ) -> Result<Predictions<'_>, FitError> {
        let level = options.level;
        if !(level > 0.0 && level < 1.0) {
            return Err(FitError::option(
                "level",
                level.to_string(),
                "this is no probability of an interval",
                "give a number between 0 and 1, such as 0.95",
            ));
        }
        Ok(Predictions {
            model: self,
            blocks: Some(self.design.read(table, &options.format, TargetUse::Ignored)?),
            average: options.average,
            reach: Normal::standard().inverse_cdf(0.5 + 0.5 * level),
        })
    }
}

impl Predictions<'_> {
    /// The name of each value of a row.
    pub fn columns(&self) -> Vec<String> {
        let levels = self.model.classes();
        let probability = |level: &String| format!("probability_of_{level}");
        let mut columns = Vec::new();
        for fit in &self.model.fits {
            let name = &fit.target;
            match (&fit.predictor, levels) {
                (Predictor::Gaussian(_), _) => {
                    columns.push(name.clone());
                    columns.extend(["sd", "low", "high"].map(|what| format!("{name}_{what}")));
                }
                (Predictor::Generalized(_), [_, yes]) if self.model.family == Family::Logistic => {
                    columns.push(probability(yes));
                }
                (Predictor::Linear { .. } | Predictor::Generalized(_), _) => {
                    columns.push(name.clone());
                    columns.extend(levels.iter().map(probability));
                }
            }
        }
        columns
    }

    /// The next rows; nothing behind the last.
    ///
    /// # Errors
    /// Cells that are empty or hold what the model does not know.
    pub fn next_block(&mut self) -> Result<Option<Vec<Vec<Predicted>>>, FitError> {
        let Some(blocks) = &mut self.blocks else {
            return Ok(None);
        };
        // Behind an empty cell the rest is read for the count of what is missing alone.
        if let Some(block) = blocks.next_block()?
            && block.is_complete
        {
            let mut rows = vec![Vec::new(); block.rows];
            for fit in &self.model.fits {
                match &fit.predictor {
                    Predictor::Gaussian(posterior) => {
                        add_intervals(&mut rows, posterior, &block, self.reach)?;
                    }
                    Predictor::Linear { intercept, coefficients } => {
                        for (row, values) in
                            rows.iter_mut().zip(block.values.chunks(coefficients.len()))
                        {
                            let products = values.iter().zip(coefficients);
                            let along: f64 = products.map(|(value, weight)| value * weight).sum();
                            row.push(Predicted::Number(intercept + along));
                        }
                    }
                    Predictor::Generalized(posterior) => {
                        let levels = self.model.classes();
                        add_expectations(&mut rows, posterior, &block, self.average, levels)?;
                    }
                }
            }
            return Ok(Some(rows));
        }
        if let Some(blocks) = self.blocks.take() {
            blocks.finish()?;
        }
        Ok(None)
    }
}

/// Mean, standard deviation and interval of each row.
fn add_intervals(
    rows: &mut [Vec<Predicted>],
    posterior: &Posterior,
    block: &Block<'_>,
    reach: f64,
) -> Result<(), FitError> {
    for (row, predicted) in rows.iter_mut().zip(posterior.predict(matrix(block))?) {
        let (mean, deviation) = (predicted.mean, predicted.variance.sqrt());
        let numbers = [mean, deviation, mean - reach * deviation, mean + reach * deviation];
        row.extend(numbers.map(Predicted::Number));
    }
    Ok(())
}

/// Probabilities or an expected count of each row, behind the likeliest of several classes.
fn add_expectations(
    rows: &mut [Vec<Predicted>],
    posterior: &GlmPosterior,
    block: &Block<'_>,
    average: bool,
    levels: &[String],
) -> Result<(), FitError> {
    for (row, predicted) in rows.iter_mut().zip(posterior.predict(matrix(block))?) {
        let values = if average { predicted.averaged } else { predicted.at_mode };
        if values.len() > 1 {
            let classes = levels.iter().zip(&values);
            let likeliest = classes.max_by(|(_, a), (_, b)| a.total_cmp(b));
            row.extend(likeliest.map(|(level, _)| Predicted::Class(level.clone())));
        }
        row.extend(values.into_iter().map(Predicted::Number));
    }
    Ok(())
}

fn matrix<'a>(block: &Block<'a>) -> MatRef<'a, f64> {
    MatRef::from_row_major_slice(block.values, block.rows, block.values.len() / block.rows)
}
