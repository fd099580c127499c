//! Which format lies at a path, and its runs.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::formats::{
    dvclive, hugging_face, lightning, mlflow_files, optuna_journal, table, tensorboard, text, wandb,
};
use crate::further_settings::{add_settings, settings_from_name, wandb_config};
use crate::recognise::{Found, look};
use crate::run::Run;
use crate::{Format, ImportError};

/// Reads the settings that a checkpoint's folder holds; none where it holds none.
pub type CheckpointReader<'a> = &'a (dyn Fn(&Path) -> Vec<(String, String)> + Sync);

/// How foreign runs are read.
#[derive(Clone, Default)]
pub struct ReadOptions<'a> {
    /// The format, where a folder holds several.
    pub format: Option<Format>,
    /// Regular expressions for text; without any, those of [`text::KNOWN`].
    pub regex: Vec<String>,
    /// The columns of a table that tell its runs apart.
    pub run_from: Vec<String>,
    /// The column of a table that is the step.
    pub step: Option<String>,
    /// Columns of a table that are curves, whatever they look like.
    pub curves: Vec<String>,
    /// Whether sibling folders of event files are one run.
    pub merge_siblings: bool,
    /// A CSV of further settings: the first column names runs, files or folders.
    pub settings: Option<PathBuf>,
    /// Opens the checkpoints beside a state of the Hugging Face Trainer.
    pub checkpoint: Option<CheckpointReader<'a>>,
}

/// Reads all runs at some paths, which must be of one format.
///
/// # Errors
/// [`ImportError`]: nothing that can be read, several formats, a file that is damaged.
pub fn read(
    paths: &[PathBuf],
    options: &ReadOptions<'_>,
) -> Result<(Format, Vec<Run>), ImportError> {
    let expressions = match options.regex.as_slice() {
        [] => text::known()?,
        given => text::compile(given)?,
    };
    let mut found = Found::new();
    let mut entries = 0;
    for path in paths {
        look(path, path, 0, &mut entries, &mut found)?;
    }
    let root = paths.first().cloned().unwrap_or_default();
    let format = choose(&root, &found, options)?;
    let places: Vec<(PathBuf, Vec<PathBuf>)> =
        found.remove(&format).unwrap_or_default().into_iter().collect();
    let read: Vec<Vec<Run>> = places
        .par_iter()
        .map(|(place, files)| {
            let name = name_below(paths, place);
            read_place(format, &name, place, files, options, &expressions)
        })
        .collect::<Result<_, ImportError>>()?;
    let mut runs: Vec<Run> = read.into_iter().flatten().collect();
    if format == Format::Tensorboard {
        runs = tensorboard::join(runs);
        if options.merge_siblings {
            runs = tensorboard::merge_siblings(runs);
        }
    }
    if let Some(path) = &options.settings {
        add_settings(path, &mut runs)?;
    }
    for run in &mut runs {
        settings_from_name(run);
    }
    if runs.iter().all(|run| run.curves.is_empty()) {
        if format == Format::Text {
            let problem = format!(
                "no line of {} matches; an expression says how a line is read, for example \
                 `step:(?P<step>\\d+) loss:(?P<loss>\\S+)`",
                root.display()
            );
            return Err(ImportError::Option { option: "regex", problem });
        }
        if matches!(format, Format::Csv | Format::Parquet) {
            return Err(ImportError::NoLog { path: root });
        }
        let problem = format!("it is of {}, and nothing was recorded", format.name());
        return Err(ImportError::Unknown { path: root, problem });
    }
    Ok((format, runs))
}

fn choose(root: &Path, found: &Found, options: &ReadOptions<'_>) -> Result<Format, ImportError> {
    let unknown = |problem: String| ImportError::Unknown { path: root.to_owned(), problem };
    if let Some(wanted) = options.format {
        return match found.contains_key(&wanted) {
            true => Ok(wanted),
            false => Err(unknown(format!("there is nothing of {} there", wanted.name()))),
        };
    }
    if !options.regex.is_empty() && found.contains_key(&Format::Text) {
        return Ok(Format::Text);
    }
    let strong: Vec<Format> = found.keys().copied().filter(|format| !format.is_general()).collect();
    let candidates = match strong.as_slice() {
        [] => found.keys().copied().collect(),
        _ => strong,
    };
    match candidates.as_slice() {
        [] => {
            let names: Vec<&str> = Format::ALL.iter().map(|(format, _)| format.name()).collect();
            Err(unknown(format!("nothing there is of {}", names.join(", "))))
        }
        [only] => Ok(*only),
        // A sweep in tables often has its logs beside it.
        [table, Format::Text] => Ok(*table),
        several => Err(ImportError::Several {
            path: root.to_owned(),
            found: several
                .iter()
                .map(|format| format!("`{}` of {}", format.word(), format.name()))
                .collect(),
        }),
    }
}

fn read_place(
    format: Format,
    name: &str,
    place: &Path,
    files: &[PathBuf],
    options: &ReadOptions<'_>,
    expressions: &[regex::Regex],
) -> Result<Vec<Run>, ImportError> {
    let one = |run: Run| vec![run];
    match format {
        Format::Tensorboard => tensorboard::read(name, place, files).map(one),
        Format::Wandb => {
            let mut run = wandb::read(place)?;
            if run.settings.is_empty() {
                wandb_config(&mut run, place)?;
            }
            Ok(vec![run])
        }
        Format::Mlflow | Format::Trackio | Format::Optuna => database(format, place),
        Format::MlflowFiles => Ok(mlflow_files::read(place)?.into_iter().collect()),
        Format::OptunaJournal => optuna_journal::read(place),
        Format::Lightning => lightning::read(name, place).map(one),
        Format::HuggingFace => hugging_face::read(name, place, files, options.checkpoint).map(one),
        Format::Dvclive => dvclive::read(name, place).map(one),
        Format::Csv => table::read_csv(place, options),
        Format::JsonLines => table::read_json_lines(place, options),
        Format::Parquet => table::read_parquet(place, options),
        Format::Text => text::read(place, expressions),
    }
}

#[cfg(feature = "sqlite")]
fn database(format: Format, path: &Path) -> Result<Vec<Run>, ImportError> {
    use crate::formats::{mlflow, optuna, sqlite::Database, trackio};
    let database = Database::open(path)?;
    match format {
        Format::Mlflow => mlflow::read(path, &database),
        Format::Trackio => trackio::read(path, &database),
        _ => optuna::read(path, &database),
    }
}

#[cfg(not(feature = "sqlite"))]
fn database(_format: Format, path: &Path) -> Result<Vec<Run>, ImportError> {
    crate::recognise::database_format(path).map(|_| Vec::new())
}

/// The name of a place below the paths that were named: what tells it from others.
fn name_below(paths: &[PathBuf], place: &Path) -> String {
    let below = paths.iter().find_map(|path| place.strip_prefix(path).ok());
    let name = below.map(|below| below.display().to_string()).unwrap_or_default();
    match name.as_str() {
        "" => place.file_name().unwrap_or(place.as_os_str()).to_string_lossy().into_owned(),
        _ => name,
    }
}
