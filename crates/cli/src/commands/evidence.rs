//! `wd evidence`: λ from the data, for linear and generalised linear models on a table.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error;
use serde_json::json;
use wd_data::table::{DateUse, DesignOptions, Reading};
use wd_evidence::fit::{Criteria, Family, FitError, Groups, Model, Request, fit_targets, sum};
use wd_evidence::page::page_of_targets;
use wd_evidence::{Intercept, Weights};
use wd_page::Context;

use super::table_reading::{ReadingArguments, StandardInput};
use crate::diagnostics::CommandError;
use crate::invocation::own_command;
use crate::output;
use crate::{Answer, ExitCode};

/// Choose λ by Bayes: fit a linear model to a table, with the λ that the data themselves prefer
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd evidence diabetes.csv --target target            # λ, coefficients, λ in other libraries
  wd evidence houses.csv.gz --target price --drop id --compare loo,gcv,cv:10 --out report.html
  wd evidence flights.parquet --target delay --categorical carrier --json
  wd evidence patients.csv --target benign --family logistic --save model.json
  wd evidence digits.csv --no-header --target column65 --family softmax
  wd evidence genes.csv --target growth --groups each          # a λ for every column: relevance
  wd evidence cars.csv --target mpg --groups 'engine=hp,cyl,disp' 'body=weight,length*'
  wd evidence 2024-*.csv.gz --target delay            # parts of one table, as if they were one file
  wd evidence jan.csv --target delay --sums jan.json  # what a fit needs of the rows, as p² numbers
  wd evidence jan.json feb.json mar.csv --target delay       # the fit of all three
  wd evidence air.csv --target T --decimal , --missing -200 --drop-missing-rows --drop Datum
  wd evidence claims.csv --target claims --family poisson --offset years     # rates a year
  wd evidence survey.csv --target income --weights n:repeats # a row of weight n is n rows
  wd evidence houses.csv --target 'log(price)' --with area:street --dates year-month
  zcat big.csv.gz | wd evidence - --target y                 # standard input

λ is α/β: it weighs ‖w‖² beside the *sum* of squared errors (beside the summed log loss for other
families, where β = 1), on columns divided by their standard deviation. The intercept is never
penalised. The Gaussian family reads a table of any length in constant memory; the other families
hold it.

JSON keys: lambda, lambda_interval, alpha, beta, log_evidence, effective_parameters, coefficients
(by column, in original units), intercept, path, comparison, conventions; an array of such objects
for several targets. ∞ is null.

Sums serve the gaussian family: from them come evidence, gcv and holdout, but not loo and cv, which
need the rows. Parts that are summed apart must have the same columns, and categories the same
levels; where they may not, let the first sums read the next table:
wd evidence jan.json feb.csv --target delay --sums both.json.")]
pub(crate) struct Arguments {
    /// The table: CSV (plain, gzip or zstd) or Parquet, in one file or several that follow each
    /// other, `-` for standard input; or what --sums wrote
    #[arg(value_name = "DATA", required = true)]
    data: Vec<PathBuf>,

    /// The column to be explained, or a function of it such as log(price); several, separated by
    /// commas, in the gaussian family
    #[arg(long, value_name = "COLUMN", value_delimiter = ',', required = true)]
    target: Vec<String>,

    /// What the target is: a number, one of two classes, one of several classes, a count
    #[arg(long, default_value = "gaussian",
        value_parser = one_of::<Family>(&["gaussian", "logistic", "softmax", "poisson"]))]
    family: Family,

    /// A prior precision for each group of columns: `each`, `column` (a group for the levels of a
    /// category), or NAME=PATTERN,PATTERN … over the columns of the design; what no pattern names
    /// is a group of its own
    #[arg(long, value_name = "GROUPS", num_args = 1..)]
    groups: Vec<String>,

    /// Other criteria beside the evidence: loo (exact for gaussian, approximate for other
    /// families), gcv (gaussian), cv:FOLDS (cv is cv:10), holdout:FILE [default: gcv for gaussian]
    #[arg(long, value_name = "CRITERIA", value_delimiter = ',')]
    compare: Vec<String>,

    /// Divide columns by their standard deviation, and undo it in the output
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    standardize: bool,

    /// The intercept: profiled counts as no parameter (scikit-learn), integrated takes one degree
    /// of freedom [default: profiled; integrated where there are as many columns as rows]
    #[arg(long, value_parser = one_of::<Intercept>(&["profiled", "integrated", "absent"]))]
    intercept: Option<Intercept>,

    /// Values of λ along the path [default: 200 for gaussian, 40 for other families]
    #[arg(long, value_name = "NUMBER")]
    points: Option<usize>,

    /// Seed of the folds of cv
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// Write the report
    #[arg(long, value_name = "REPORT.html")]
    out: Option<PathBuf>,

    /// Write the model, for `wd predict`
    #[arg(long, value_name = "MODEL.json")]
    save: Option<PathBuf>,

    /// Write the sums that a fit needs, instead of fitting: other parts of the table can be added
    #[arg(
        long,
        value_name = "SUMS.json",
        conflicts_with_all = ["groups", "compare", "intercept", "points", "out", "save"]
    )]
    sums: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    json: bool,

    // Its options have headings of their own, which those behind them would fall under.
    #[command(flatten)]
    table: TableArguments,
}

/// What the columns of a table are.
#[derive(Debug, Args)]
#[command(next_help_heading = "What the columns are")]
struct TableArguments {
    /// Columns to leave out
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    drop: Vec<String>,

    /// Columns of numbers or dates that are labels: indicators are made of them
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    categorical: Vec<String>,

    /// Columns made of others: a function (log, log1p, log10, sqrt, exp, square, abs) such as
    /// log(area), or a product such as area:street
    #[arg(long, value_name = "TERMS", value_delimiter = ',')]
    with: Vec<String>,

    /// What becomes of dates: days since 1970, or the year and an indicator for each month
    /// [default: they are an error]
    #[arg(long, value_parser = one_of::<DateUse>(&["days", "year-month", "refuse"]))]
    dates: Option<DateUse>,

    /// A column of weights, as COLUMN:repeats (a row of weight 2 is two rows, in every family) or
    /// COLUMN:precision (the noise of a row of weight 2 has half the variance; gaussian) [default:
    /// repeats]
    #[arg(long, value_name = "COLUMN")]
    weights: Option<String>,

    /// A column of exposures such as years or persons, for the family poisson: its logarithm is
    /// added to the linear predictor, and coefficients are those of rates
    #[arg(long, value_name = "COLUMN")]
    offset: Option<String>,

    /// Fill empty cells of features with the mean of their column [default: they are an error]
    #[arg(long, value_enum)]
    impute: Option<Impute>,

    #[command(flatten)]
    reading: ReadingArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Impute {
    Mean,
}

/// A column of weights with what they mean.
fn weights(word: &str) -> (&str, Weights) {
    match word.rsplit_once(':') {
        Some((column, "repeats")) => (column, Weights::Repeats),
        Some((column, "precision")) => (column, Weights::Precision),
        _ => (word, Weights::Repeats),
    }
}

/// One of the names under which a type is serialised.
fn one_of<T>(names: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: for<'a> Deserialize<'a> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names)
        .try_map(|name| T::deserialize(IntoDeserializer::<Error>::into_deserializer(name)))
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    let request = arguments.request()?;
    let mut data = arguments.data.clone();
    let input = StandardInput::take(&mut data)?;
    let named = |error: CommandError| match &input {
        Some(input) => input.named(error),
        None => error,
    };
    if arguments.target.len() > 1 && arguments.out.is_some() {
        return Err(CommandError::usage(
            "--out shows a single target",
            "name one target with --target, or leave --out away",
        ));
    }
    if let Some(path) = &arguments.sums {
        return write_sums(arguments, &data, &request, path, input.as_ref()).map_err(named);
    }
    let mut analyses = fit_targets(&data, &request).map_err(|error| named(error.into()))?;
    if let Some(input) = &input {
        analyses.iter_mut().for_each(|analysis| input.name(&mut analysis.table));
    }
    let reading = &request.table.reading;
    if let (Some(path), Some(model)) = (&arguments.save, Model::new(&analyses, reading)) {
        wd_store::write_file(path, model.to_json()?.as_bytes())?;
    }
    let page = page_of_targets(
        &analyses,
        &Context { commands: vec![own_command()], ..Context::default() },
    );
    if let Some(path) = &arguments.out {
        wd_store::write_file(path, page.html().as_bytes())?;
    }
    match (arguments.json, analyses.as_slice()) {
        (true, [analysis]) => println!("{}", json!(analysis)),
        (true, analyses) => println!("{}", json!(analyses)),
        (false, _) => print!("{}", page.terminal(&output::terminal())),
    }
    for path in arguments.save.iter().chain(&arguments.out) {
        eprintln!("→ {}", path.display());
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn answer(arguments: &Arguments, context: &Context) -> Result<Answer, CommandError> {
    let mut analyses = fit_targets(&arguments.data, &arguments.request()?)?;
    let page = page_of_targets(&analyses, context);
    Ok(match analyses.len() {
        1 => Answer::new(analyses.remove(0), page),
        _ => Answer::new(analyses, page),
    })
}

/// Writes the sums of a table.
fn write_sums(
    arguments: &Arguments,
    data: &[PathBuf],
    request: &Request,
    path: &PathBuf,
    input: Option<&StandardInput>,
) -> Result<ExitCode, CommandError> {
    let whole = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
    if data.iter().any(|part| whole(part) == whole(path)) {
        return Err(CommandError::usage(
            format!("--sums {} would write over one of the parts", path.display()),
            "write the sums to a file of their own",
        ));
    }
    let mut sums = sum(data, request)?;
    if let Some(input) = input {
        input.name(&mut sums.table);
    }
    wd_store::write_file(path, sums.to_json()?.as_bytes())?;
    match arguments.json {
        true => println!("{}", sums.summary()),
        false => print!("{}", sums.page().terminal(&output::terminal())),
    }
    eprintln!("→ {}", path.display());
    Ok(ExitCode::SUCCESS)
}

impl Arguments {
    fn request(&self) -> Result<Request, FitError> {
        let table = &self.table;
        let weights = table.weights.as_deref().map(weights);
        Ok(Request {
            table: DesignOptions {
                targets: self.target.clone(),
                weights: weights.map(|(column, _)| column.to_owned()),
                offset: table.offset.clone(),
                drop: table.drop.clone(),
                categorical: table.categorical.clone(),
                with: table.with.clone(),
                dates: table.dates.unwrap_or_default(),
                impute_mean: table.impute == Some(Impute::Mean),
                reading: table.reading.on(Reading::default()),
                ..DesignOptions::default()
            },
            weights: weights.map_or(Weights::Repeats, |(_, meaning)| meaning),
            family: self.family,
            compare: match self.compare.as_slice() {
                [] => None,
                words => Some(Criteria::read(words)?),
            },
            groups: Groups::read(&self.groups)?,
            standardize: self.standardize,
            intercept: self.intercept,
            points: self.points,
            seed: self.seed,
            figures: self.out.is_some(),
        })
    }
}

/// An option is named as it is typed.
impl From<FitError> for CommandError {
    fn from(error: FitError) -> Self {
        match error {
            FitError::Option { option, given, problem, fix } => {
                CommandError::usage(format!("--{option} {given}: {problem}"), fix)
            }
            FitError::Table(error) => error.into(),
            other => CommandError::Fit(Box::new(other)),
        }
    }
}
