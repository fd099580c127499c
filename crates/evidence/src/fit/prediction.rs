//! What a model says of the rows of a table, block by block.

use std::fmt;
use std::path::Path;

use statrs::distribution::{ContinuousCDF, Normal};
use wd_data::table::{Block, Blocks, LeftOut, Reading, TargetUse, Unseen};

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
    /// The column that names rows. Default: their numbers.
    pub id: Option<String>,
    /// How the table is read. Default: as the one that was fitted, and a row with an empty cell or
    /// an unknown level has no prediction.
    pub reading: Option<Reading>,
}

impl Default for PredictionOptions {
    fn default() -> Self {
        PredictionOptions { level: 0.95, average: false, id: None, reading: None }
    }
}

/// One predicted value.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicted {
    /// The number of a row in its file, from 1.
    Row(u64),
    /// What a column of the file calls the row.
    Id(String),
    /// A mean, a deviation, an end of an interval, a probability, a count.
    Number(f64),
    /// The likeliest class.
    Class(String),
    /// Nothing: a cell of the row is empty, or has a level that the model does not know.
    Missing,
}

/// Whether a number is read more easily without an exponent.
fn is_written_out(number: f64) -> bool {
    number == 0.0 || !number.is_finite() || (1e-5..1e16).contains(&number.abs())
}

impl fmt::Display for Predicted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Predicted::Row(number) => number.fmt(formatter),
            // Hundreds of digits say no more than an exponent does.
            Predicted::Number(number) if !is_written_out(*number) => {
                write!(formatter, "{number:e}")
            }
            Predicted::Number(number) => number.fmt(formatter),
            Predicted::Class(name) | Predicted::Id(name) => formatter.write_str(name),
            Predicted::Missing => Ok(()),
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
    id: Option<String>,
    predicted: u64,
    left_out: LeftOut,
}

impl Model {
    /// How another table is read unless it is told: as the one that was fitted, and a row that
    /// cannot be predicted is left without a prediction.
    pub fn reading_of_new_rows(&self) -> Reading {
        let unseen = self.reading.unseen.or(Some(Unseen::Missing));
        Reading { drop_missing_rows: true, unseen, ..self.reading.clone() }
    }

    /// Predicts the rows of a table; the target is not needed. The Gaussian family gives the
    /// target's mean, its standard deviation, and the ends of an interval for a new observation;
    /// classes give the likeliest and a probability each, counts their expectation.
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
        let reading = options.reading.clone().unwrap_or_else(|| self.reading_of_new_rows());
        let mut blocks = self.design.read(table, &reading, TargetUse::Ignored)?;
        if let Some(id) = &options.id {
            blocks.label_by(id)?;
        }
        Ok(Predictions {
            model: self,
            blocks: Some(blocks),
            average: options.average,
            reach: Normal::standard().inverse_cdf(0.5 + 0.5 * level),
            id: options.id.clone(),
            predicted: 0,
            left_out: LeftOut::default(),
        })
    }
}

impl Predictions<'_> {
    /// The name of each value of a row.
    pub fn columns(&self) -> Vec<String> {
        let levels = self.model.classes();
        let probability = |level: &String| format!("probability_of_{level}");
        let mut columns = vec![self.id.clone().unwrap_or_else(|| "row".to_owned())];
        for fit in &self.model.fits {
            let name = &fit.target;
            columns.push(name.clone());
            match (&fit.predictor, levels) {
                (Predictor::Gaussian(_), _) => {
                    columns.extend(["sd", "low", "high"].map(|what| format!("{name}_{what}")));
                }
                (Predictor::Generalized(_), [_, yes]) if self.model.family == Family::Logistic => {
                    columns.push(probability(yes));
                }
                (Predictor::Linear { .. } | Predictor::Generalized(_), _) => {
                    columns.extend(levels.iter().map(probability));
                }
            }
        }
        columns
    }

    /// The next rows; nothing behind the last.
    ///
    /// # Errors
    /// Cells that are empty or hold what the model does not know, where these are refused.
    pub fn next_block(&mut self) -> Result<Option<Vec<Vec<Predicted>>>, FitError> {
        let width = self.columns().len() - 1;
        let Some(blocks) = &mut self.blocks else {
            return Ok(None);
        };
        let before = blocks.rows_read();
        // Behind an empty cell the rest is read for the count of what is missing alone.
        if let Some(block) = blocks.next_block()?
            && block.is_complete
        {
            self.predicted += block.rows as u64;
            let labels = block.labels.to_vec();
            let numbers = block.numbers.to_vec();
            let mut predicted = self.model.rows(&block, self.average, self.reach)?.into_iter();
            let mut kept = numbers.into_iter().peekable();
            let rows = (before + 1..=blocks.rows_read()).enumerate().map(|(place, number)| {
                let name = match labels.get(place) {
                    Some(label) => Predicted::Id(label.clone()),
                    None => Predicted::Row(number),
                };
                let own = kept.next_if_eq(&number).and_then(|_| predicted.next());
                let own = own.unwrap_or_else(|| vec![Predicted::Missing; width]);
                [name].into_iter().chain(own).collect()
            });
            return Ok(Some(rows.collect()));
        }
        if let Some(blocks) = self.blocks.take() {
            self.left_out = blocks.finish()?.left_out;
        }
        Ok(None)
    }

    /// How many rows were predicted, how many were not, and why: once all are read.
    pub fn used(&self) -> String {
        let rows = wd_page::counted(wd_page::number::count(self.predicted), "row");
        let used = match self.left_out.count() {
            0 => format!("Predicted {rows}, left out none."),
            all => format!(
                "Predicted {rows}, left out {}: {}.",
                wd_page::number::count(all),
                super::table::reasons(&self.left_out)
            ),
        };
        used + &super::table::filled(&self.left_out)
    }
}

impl Model {
    /// The values of each row of a block.
    fn rows(
        &self,
        block: &Block<'_>,
        average: bool,
        reach: f64,
    ) -> Result<Vec<Vec<Predicted>>, FitError> {
        let mut rows = vec![Vec::new(); block.rows];
        if block.rows == 0 {
            return Ok(rows);
        }
        for fit in &self.fits {
            match &fit.predictor {
                Predictor::Gaussian(posterior) => {
                    add_intervals(&mut rows, posterior, block, reach)?;
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
                    add_expectations(&mut rows, posterior, block, average, self.classes())?;
                }
            }
        }
        Ok(rows)
    }
}

/// Mean, standard deviation and interval of each row.
fn add_intervals(
    rows: &mut [Vec<Predicted>],
    posterior: &Posterior,
    block: &Block<'_>,
    reach: f64,
) -> Result<(), FitError> {
    let mut predictions = posterior.predict(matrix(block))?;
    for (row, columns) in block.baselines {
        // What the level would have added is known from the prior alone.
        if let Some(prediction) = predictions.get_mut(*row) {
            prediction.variance += posterior.prior_variance(columns.clone());
        }
    }
    for (row, predicted) in rows.iter_mut().zip(predictions) {
        let (mean, deviation) = (predicted.mean, predicted.variance.sqrt());
        let numbers = [mean, deviation, mean - reach * deviation, mean + reach * deviation];
        row.extend(numbers.map(Predicted::Number));
    }
    Ok(())
}

/// The likeliest class of each row before its probabilities, or an expected count.
fn add_expectations(
    rows: &mut [Vec<Predicted>],
    posterior: &GlmPosterior,
    block: &Block<'_>,
    average: bool,
    levels: &[String],
) -> Result<(), FitError> {
    let values: Vec<Vec<f64>> = match average {
        true => posterior
            .predict_with(matrix(block), block.offset)?
            .into_iter()
            .map(|predicted| predicted.averaged)
            .collect(),
        false => posterior.means(matrix(block), block.offset)?,
    };
    for (row, values) in rows.iter_mut().zip(values) {
        let likeliest = match (values.as_slice(), levels) {
            ([probability], [no, yes]) => Some(if *probability > 0.5 { yes } else { no }),
            (probabilities, levels) => {
                let classes = levels.iter().zip(probabilities);
                classes.max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(level, _)| level)
            }
        };
        row.extend(likeliest.map(|level| Predicted::Class(level.clone())));
        row.extend(values.into_iter().map(Predicted::Number));
    }
    Ok(())
}

fn matrix<'a>(block: &Block<'a>) -> MatRef<'a, f64> {
    MatRef::from_row_major_slice(block.values, block.rows, block.values.len() / block.rows)
}
