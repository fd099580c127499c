//! `wd evidence`: λ from the data, for linear and generalised linear models on a table.
//!
//! | file | what |
//! |---|---|
//! | [`input`] | the arguments that say how a table is read |
//! | [`criteria`] | what `--compare` and `--groups` ask for |
//! | [`load`] | the table as sums, folds or rows |
//! | [`sums`] | sums of a part of a table as a file |
//! | [`gaussian`], [`glm`] | the fit of one target |
//! | [`analysis`] | what a fit found, whatever the family |
//! | [`calibration`] | how often its predictions hold what they promise |
//! | [`conventions`] | λ as other libraries count it |
//! | [`show`], [`json`], [`page`] | the same for a person, a program, and as a report |
//! | [`model`] | the fit as a file |

mod analysis;
mod calibration;
mod conventions;
mod criteria;
mod gaussian;
mod glm;
pub(crate) mod input;
mod json;
mod load;
pub(crate) mod model;
mod page;
mod show;
mod sums;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use wd_evidence::{Intercept, Options};
use wd_page::words::quoted;

use self::{
    criteria::{Criteria, Groups},
    input::{TableArguments, TargetArguments},
    sums::Inputs,
};
use crate::diagnostics::CommandError;

/// Choose λ by Bayes: fit a linear model to a table, with the λ that the data themselves prefer
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd evidence diabetes.csv --target target                       # λ, coefficients, λ in other libraries
  wd evidence houses.csv.gz --target price --drop id --compare loo,gcv,cv:10 --out report.html
  wd evidence flights.parquet --target delay --categorical carrier --json
  wd evidence patients.csv --target benign --family logistic --save model.json
  wd evidence digits.csv --no-header --target column65 --family softmax
  wd evidence genes.csv --target growth --groups each            # a λ for every column: relevance
  wd evidence cars.csv --target mpg --groups 'engine=hp,cyl,disp' 'body=weight,length*'
  wd evidence 2024-*.csv.gz --target delay                       # parts of one table, as if they were one file
  wd evidence jan.csv --target delay --sums jan.json             # what a fit needs of the rows, in a file of p² numbers
  wd evidence jan.json feb.json mar.csv --target delay           # the fit of all three, wherever they were summed

λ is α/β: it weighs ‖w‖² beside the *sum* of squared errors (beside the summed log loss for other families, where β = 1), on
columns divided by their standard deviation. The intercept is never penalised. The Gaussian family reads a table of any
length in constant memory; the other families hold it.

JSON keys: lambda, lambda_interval, alpha, beta, log_evidence, effective_parameters, coefficients (by column, in original
units), intercept, path, comparison, conventions; an array of such objects for several targets. ∞ is null.

Sums serve the gaussian family: from them come evidence, gcv and holdout, but not loo and cv, which need the rows. Parts that
are summed apart must have the same columns, and categories the same levels; where they may not, let the first sums read the
next table: wd evidence jan.json feb.csv --target delay --sums both.json.")]
pub(crate) struct Arguments {
    /// The table: CSV (plain, gzip or zstd) or Parquet, in one file or several that follow each other; or what --sums wrote
    #[arg(value_name = "DATA", required = true)]
    data: Vec<PathBuf>,

    #[command(flatten)]
    target: TargetArguments,

    #[command(flatten)]
    table: TableArguments,

    /// What the target is: a number, one of two classes, one of several classes, a count
    #[arg(long, value_enum, default_value_t = Family::Gaussian)]
    family: Family,

    /// A prior precision for each group of columns: `each`, `column` (a group for the levels of a category), or
    /// NAME=PATTERN,PATTERN … over the columns of the design; what no pattern names is a group of its own
    #[arg(long, value_name = "GROUPS", num_args = 1..)]
    groups: Vec<String>,

    /// Other criteria beside the evidence: loo (exact for gaussian, approximate for other families), gcv (gaussian), cv:FOLDS,
    /// holdout:FILE [default: gcv for gaussian]
    #[arg(long, value_name = "CRITERIA", value_delimiter = ',')]
    compare: Vec<String>,

    /// Divide columns by their standard deviation, and undo it in the output
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    standardize: bool,

    /// The intercept: profiled counts as no parameter (scikit-learn), integrated takes one degree of freedom
    /// [default: profiled; integrated where there are as many columns as rows]
    #[arg(long, value_enum)]
    intercept: Option<InterceptArgument>,

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

    /// Write the sums that a fit needs, instead of fitting: other parts of the table can be added to them
    #[arg(
        long,
        value_name = "SUMS.json",
        conflicts_with_all = ["groups", "compare", "intercept", "points", "out", "save"]
    )]
    sums: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Family {
    Gaussian,
    Logistic,
    Softmax,
    Poisson,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum InterceptArgument {
    Profiled,
    Integrated,
    Absent,
}

/// What a fit is asked for.
struct Request {
    criteria: Criteria,
    groups: Groups,
    standardize: bool,
    intercept: Option<InterceptArgument>,
    points: usize,
    seed: u64,
    /// Whether calibration and paths of coefficients are wanted, which take another pass.
    report: bool,
}

impl Request {
    /// How columns enter a fit of `columns` columns to `rows` rows.
    fn options(&self, rows: u64, columns: usize) -> Options {
        let intercept = match self.intercept {
            Some(InterceptArgument::Profiled) => Intercept::Profiled,
            Some(InterceptArgument::Integrated) => Intercept::Integrated,
            Some(InterceptArgument::Absent) => Intercept::Absent,
            // With as many columns as rows a profiled intercept makes the evidence unbounded.
            None if columns as u64 + 1 >= rows => Intercept::Integrated,
            None => Intercept::Profiled,
        };
        Options { intercept, standardize: self.standardize }
    }
}

impl Family {
    fn name(self) -> &'static str {
        match self {
            Family::Gaussian => "gaussian",
            Family::Logistic => "logistic",
            Family::Softmax => "softmax",
            Family::Poisson => "poisson",
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    let family = arguments.family;
    let request = request(arguments)?;
    let classes = matches!(family, Family::Logistic | Family::Softmax);
    let options = arguments.table.design_options(&arguments.target, classes)?;
    if options.targets.len() > 1 && (family != Family::Gaussian || arguments.out.is_some()) {
        return Err(CommandError::usage(
            "several targets go together only in the gaussian family, and without a report",
            "name one target with --target",
        ));
    }
    check_files(arguments)?;
    let inputs = Inputs::open(&arguments.data)?;
    check_sums(arguments, &request, &inputs)?;
    let design = inputs.design(&options)?;
    let source = load::Source {
        design: &design,
        tables: inputs.tables.clone(),
        sums: inputs.sums.as_ref(),
        format: options.format.clone(),
    };
    if let Some(path) = &arguments.sums {
        return sum(&source, path, arguments.json);
    }
    let (analyses, findings) = match family {
        Family::Gaussian => gaussian::fit(&source, &request)?,
        _ => glm::fit(&source, family, &request)?,
    };
    if let Some(path) = &arguments.save {
        let model = model::Model::new(family.name(), &design, &analyses);
        wd_store::write_file(path, model.to_json().as_bytes())?;
    }
    if let Some(path) = &arguments.out {
        let command = command();
        let data: Vec<&Path> = arguments.data.iter().map(PathBuf::as_path).collect();
        let report = page::html(&analyses[0], &design, &findings, &data, command);
        wd_store::write_file(path, report.as_bytes())?;
    }
    if arguments.json {
        println!("{}", json::text(&analyses, &design, &findings));
    } else {
        print!("{}", show::table(&design, &findings, &source.name()));
        for analysis in &analyses {
            print!("\n{}", show::analysis(analysis));
        }
    }
    for path in arguments.save.iter().chain(&arguments.out) {
        eprintln!("→ {}", path.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses what sums cannot give.
fn check_sums(
    arguments: &Arguments,
    request: &Request,
    inputs: &Inputs<'_>,
) -> Result<(), CommandError> {
    let family = arguments.family;
    if family != Family::Gaussian && (arguments.sums.is_some() || inputs.sums.is_some()) {
        return Err(CommandError::usage(
            format!(
                "sums say all that the gaussian family needs of the rows, but --family {} needs the rows themselves",
                family.name()
            ),
            "give the tables that were summed, or use --family gaussian",
        ));
    }
    let criterion = match &request.criteria {
        criteria if criteria.leave_one_out => "loo",
        criteria if criteria.folds > 0 => "cv",
        _ => return Ok(()),
    };
    match &inputs.sums {
        None => Ok(()),
        Some(sums) => Err(CommandError::usage(
            format!(
                "--compare {criterion} needs the rows, of which {} holds sums only",
                sums.paths[0].display()
            ),
            "compare with gcv or holdout:FILE, or give the tables that were summed",
        )),
    }
}

/// Writes the sums of a table.
fn sum(source: &load::Source<'_>, path: &Path, json: bool) -> Result<ExitCode, CommandError> {
    let (statistics, findings) = source.statistics()?;
    let sums = sums::Sums::new(source.design, findings.rows, statistics);
    wd_store::write_file(path, sums.to_json()?.as_bytes())?;
    if json {
        println!("{}", json::summed(&sums));
    } else {
        print!("{}", show::table(source.design, &findings, &source.name()));
    }
    eprintln!("→ {}", path.display());
    Ok(ExitCode::SUCCESS)
}

/// Refuses a file that would count twice, and sums that would overwrite what they are made of.
fn check_files(arguments: &Arguments) -> Result<(), CommandError> {
    let whole = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
    let mut seen = Vec::new();
    for path in &arguments.data {
        let place = whole(path);
        if seen.contains(&place) {
            return Err(CommandError::usage(
                format!("{} is given twice: its rows would count twice", path.display()),
                "name each part of the table once",
            ));
        }
        seen.push(place);
    }
    match &arguments.sums {
        Some(path) if seen.contains(&whole(path)) => Err(CommandError::usage(
            format!("--sums {} would write over one of the parts", path.display()),
            "write the sums to a file of their own",
        )),
        _ => Ok(()),
    }
}

fn request(arguments: &Arguments) -> Result<Request, CommandError> {
    let family = arguments.family;
    let points = arguments.points.unwrap_or(match family {
        Family::Gaussian => 200,
        _ => 40,
    });
    if !(3..=100_000).contains(&points) {
        return Err(CommandError::usage(
            format!("--points {points} makes no path"),
            "give 3 to 100000",
        ));
    }
    Ok(Request {
        criteria: Criteria::parse(&arguments.compare, family)?,
        groups: Groups::parse(&arguments.groups, family)?,
        standardize: arguments.standardize,
        intercept: arguments.intercept,
        points,
        seed: arguments.seed,
        report: arguments.out.is_some(),
    })
}

/// The command as it was typed, for the report.
fn command() -> String {
    let words: Vec<String> = std::env::args().skip(1).map(|word| quoted(&word)).collect();
    format!("wd {}", words.join(" "))
}
