//! Arguments that say how a table is read, for the commands that read one.

use clap::{Args, ValueEnum};
use wd_data::table::{DesignOptions, TableFormat};

use crate::diagnostics::CommandError;

/// How a CSV file is written.
#[derive(Debug, Args)]
pub(crate) struct FormatArguments {
    /// The character between the fields of a CSV, or `tab` [default: the most frequent of , ; tab | in the first line]
    #[arg(long, value_name = "CHARACTER")]
    delimiter: Option<String>,

    /// The first line holds data: columns are named column1, column2, …
    #[arg(long)]
    no_header: bool,
}

/// What the columns of a table are.
#[derive(Debug, Args)]
pub(crate) struct TableArguments {
    /// Columns to leave out
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    drop: Vec<String>,

    /// Columns of numbers that are labels: indicators are made of them
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    categorical: Vec<String>,

    /// A column of weights: a row of weight 2 counts like two rows
    #[arg(long, value_name = "COLUMN")]
    weights: Option<String>,

    /// Fill empty cells of features with the mean of their column [default: they are an error]
    #[arg(long, value_enum)]
    impute: Option<Impute>,

    #[command(flatten)]
    format: FormatArguments,
}

/// What is to be explained.
#[derive(Debug, Args)]
pub(crate) struct TargetArguments {
    /// The column to be explained; several, separated by commas, in the gaussian family
    #[arg(long, value_name = "COLUMN", value_delimiter = ',', required = true)]
    target: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Impute {
    Mean,
}

impl FormatArguments {
    pub(crate) fn format(&self) -> Result<TableFormat, CommandError> {
        let delimiter = match self.delimiter.as_deref() {
            None => None,
            Some("tab" | "\\t") => Some(b'\t'),
            Some(text) => match text.as_bytes() {
                [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Some(*byte),
                _ => {
                    return Err(CommandError::usage(
                        format!("--delimiter {text} is no single character"),
                        "give one ASCII character, such as ';', or `tab`",
                    ));
                }
            },
        };
        Ok(TableFormat { delimiter, header: !self.no_header })
    }
}

impl TableArguments {
    pub(super) fn design_options(
        &self,
        target: &TargetArguments,
        classes: bool,
    ) -> Result<DesignOptions, CommandError> {
        Ok(DesignOptions {
            targets: target.target.clone(),
            classes,
            weights: self.weights.clone(),
            drop: self.drop.clone(),
            categorical: self.categorical.clone(),
            impute_mean: self.impute == Some(Impute::Mean),
            format: self.format.format()?,
        })
    }
}
