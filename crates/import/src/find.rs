//! Which format lies at a path, and its runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use crate::ImportError;
use crate::formats::{
    dvclive, hugging_face, lightning, mlflow_files, optuna_journal, table, tensorboard, text,
    wandb, yaml,
};
use crate::names::settings_of_name;
use crate::run::{Run, spelled};

/// The most entries of folders that are looked at.
const MOST_ENTRIES: usize = 1_000_000;
/// How deep folders are looked into.
const DEEPEST: usize = 16;
/// The longest small file (YAML, a setting, a state) that is read whole.
const LONGEST_FILE: u64 = 1 << 28;
/// The longest line of a text; the rest of it is passed over.
const LONGEST_LINE: u64 = 1 << 24;

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
    /// A CSV of further settings: the first column names runs, files or folders.
    pub settings: Option<PathBuf>,
    /// Opens the checkpoints beside a state of the Hugging Face Trainer.
    pub checkpoint: Option<CheckpointReader<'a>>,
}

/// A format of recorded runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names of the programs and formats")]
pub enum Format {
    Tensorboard,
    Wandb,
    Mlflow,
    MlflowFiles,
    Trackio,
    Optuna,
    OptunaJournal,
    Lightning,
    HuggingFace,
    Dvclive,
    Csv,
    JsonLines,
    Parquet,
    Text,
}

impl Format {
    /// Every format with the word that selects it.
    pub const ALL: [(Format, &'static str); 14] = [
        (Format::Tensorboard, "tensorboard"),
        (Format::Wandb, "wandb"),
        (Format::Mlflow, "mlflow"),
        (Format::MlflowFiles, "mlflow-files"),
        (Format::Trackio, "trackio"),
        (Format::Optuna, "optuna"),
        (Format::OptunaJournal, "optuna-journal"),
        (Format::Lightning, "lightning"),
        (Format::HuggingFace, "hugging-face"),
        (Format::Dvclive, "dvclive"),
        (Format::Csv, "csv"),
        (Format::JsonLines, "jsonl"),
        (Format::Parquet, "parquet"),
        (Format::Text, "text"),
    ];

    /// The word that selects it.
    pub fn word(self) -> &'static str {
        Format::ALL.iter().find(|(format, _)| *format == self).map_or("", |(_, word)| word)
    }

    /// Its name in a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Format::Tensorboard => "TensorBoard",
            Format::Wandb => "W&B",
            Format::Mlflow => "MLflow",
            Format::MlflowFiles => "MLflow's file store",
            Format::Trackio => "trackio",
            Format::Optuna => "Optuna",
            Format::OptunaJournal => "Optuna's journal",
            Format::Lightning => "Lightning's CSV",
            Format::HuggingFace => "the Hugging Face Trainer",
            Format::Dvclive => "DVCLive",
            Format::Csv => "CSV",
            Format::JsonLines => "JSON lines",
            Format::Parquet => "Parquet",
            Format::Text => "text logs",
        }
    }

    /// Tables and texts may be anything: they are looked at where nothing else is found.
    fn is_general(self) -> bool {
        matches!(self, Format::Csv | Format::JsonLines | Format::Parquet | Format::Text)
    }
}

/// What was found below some paths: for each format its places, each with the files there.
type Found = BTreeMap<Format, BTreeMap<PathBuf, Vec<PathBuf>>>;

/// Reads all runs at some paths, which must be of one format.
///
/// # Errors
/// [`ImportError`]: nothing that can be read, several formats, a file that is damaged.
pub fn read(
    paths: &[PathBuf],
    options: &ReadOptions<'_>,
) -> Result<(Format, Vec<Run>), ImportError> {
    let expressions = match options.regex.as_slice() {
        [] => text::compile(&text::KNOWN.map(str::to_owned))?,
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
    }
    if let Some(path) = &options.settings {
        add_settings(path, &mut runs)?;
    }
    for run in &mut runs {
        settings_from_name(run);
    }
    if runs.iter().all(|run| run.curves.is_empty()) {
        let problem = match format {
            Format::Text => "no line matches; `regex` says how a line is read".to_owned(),
            _ => format!("it is of {}, and nothing was recorded", format.name()),
        };
        return Err(ImportError::Unknown { path: root, problem });
    }
    Ok((format, runs))
}

/// Is there something at a path that [`read`] might read? Run directories and studies of this
/// program are none of it.
pub fn is_foreign(path: &Path) -> bool {
    let mut found = Found::new();
    look(path, path, 0, &mut 0, &mut found).is_ok() && !found.is_empty()
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

/// Looks at a file, or into a folder. Links to folders are not followed: W&B's `latest-run` leads
/// to a run that is found anyway.
fn look(
    root: &Path,
    path: &Path,
    depth: usize,
    entries: &mut usize,
    found: &mut Found,
) -> Result<(), ImportError> {
    *entries += 1;
    if *entries > MOST_ENTRIES {
        let problem = format!("it has more than {MOST_ENTRIES} files; name a folder within it");
        return Err(ImportError::Unknown { path: root.to_owned(), problem });
    }
    let status = fs::metadata(path).map_err(ImportError::io(path))?;
    if status.is_file() {
        if let Some((format, place)) = recognise(path, depth == 0)? {
            found.entry(format).or_default().entry(place).or_default().push(path.to_owned());
        }
        return Ok(());
    }
    let is_link = fs::symlink_metadata(path).is_ok_and(|status| status.is_symlink());
    if !status.is_dir() || depth > DEEPEST || (is_link && depth > 0) {
        return Ok(());
    }
    if mlflow_files::is_run(path) {
        found.entry(Format::MlflowFiles).or_default().entry(path.to_owned()).or_default();
        return Ok(());
    }
    if dvclive::is_run(path) {
        found.entry(Format::Dvclive).or_default().entry(path.to_owned()).or_default();
        return Ok(());
    }
    let mut inside: Vec<PathBuf> = fs::read_dir(path)
        .map_err(ImportError::io(path))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    inside.sort();
    for path in inside {
        look(root, &path, depth + 1, entries, found)?;
    }
    Ok(())
}

/// The format of a file, and the place that it belongs to: a folder where several files make a run,
/// else the file itself. `is_named` says that the person named this very file.
fn recognise(path: &Path, is_named: bool) -> Result<Option<(Format, PathBuf)>, ImportError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = || path.parent().unwrap_or(Path::new(".")).to_owned();
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    if tensorboard::is_event_file(&name) {
        return Ok(Some((Format::Tensorboard, folder())));
    }
    if extension == "wandb" {
        return Ok(Some((Format::Wandb, path.to_owned())));
    }
    if name == hugging_face::FILE {
        return Ok(Some((Format::HuggingFace, hugging_face::run_folder(path))));
    }
    if name == "metrics.csv" && path.with_file_name("hparams.yaml").is_file() {
        return Ok(Some((Format::Lightning, folder())));
    }
    let own = |format: Format| Ok(Some((format, path.to_owned())));
    let mut head = [0; 64];
    let length = File::open(path)
        .and_then(|file| {
            let mut length = 0;
            let mut file = file.take(64);
            while length < head.len() {
                match file.read(&mut head[length..])? {
                    0 => break,
                    count => length += count,
                }
            }
            Ok(length)
        })
        .map_err(ImportError::io(path))?;
    let head = &head[..length];
    if head.starts_with(b"SQLite format 3\0") {
        return database_format(path).map(|found| found.map(|format| (format, path.to_owned())));
    }
    if head.starts_with(b"PAR1") {
        return own(Format::Parquet);
    }
    if optuna_journal::is_one(&String::from_utf8_lossy(head)) {
        return own(Format::OptunaJournal);
    }
    let is_binary = head.contains(&0);
    match extension.as_str() {
        _ if is_binary || head.is_empty() => Ok(None),
        "csv" | "tsv" => own(Format::Csv),
        "jsonl" | "ndjson" => own(Format::JsonLines),
        "txt" | "log" | "out" => own(Format::Text),
        // Somebody who names a file means it.
        _ if is_named => own(Format::Text),
        _ => Ok(None),
    }
}

#[cfg(feature = "sqlite")]
fn database_format(path: &Path) -> Result<Option<Format>, ImportError> {
    use crate::formats::{mlflow, optuna, sqlite::Database, trackio};
    let tables = Database::open(path)?.tables()?;
    Ok(match () {
        () if mlflow::is_one(&tables) => Some(Format::Mlflow),
        () if optuna::is_one(&tables) => Some(Format::Optuna),
        () if trackio::is_one(&tables) => Some(Format::Trackio),
        () => None,
    })
}

#[cfg(not(feature = "sqlite"))]
fn database_format(path: &Path) -> Result<Option<Format>, ImportError> {
    Err(ImportError::damaged(
        path,
        "it is an SQLite file, and this program was built without SQLite",
    ))
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
    database_format(path).map(|_| Vec::new())
}

/// Older runs of W&B have their configuration in `files/config.yaml` alone: each key with a
/// description and a value.
fn wandb_config(run: &mut Run, file: &Path) -> Result<(), ImportError> {
    let path = file.with_file_name("files").join("config.yaml");
    if !path.is_file() {
        return Ok(());
    }
    if let serde_json::Value::Object(members) = yaml::value(&path, &read_text(&path)?)? {
        for (key, entry) in members.iter().filter(|(key, _)| !key.starts_with('_')) {
            if let Some(value) = entry.get("value") {
                run.set(key, value);
            }
        }
    }
    Ok(())
}

/// A run whose program recorded no settings may have them in the name of its folder: they get keys
/// that say so.
fn settings_from_name(run: &mut Run) {
    if run.settings.is_empty() {
        for (key, value) in settings_of_name(&run.name) {
            run.settings.insert(format!("folder:{key}"), spelled(&value.to_string()));
        }
    }
}

/// Adds the settings of a CSV to the runs that its first column names: by their name, by the file
/// or by the folder that they lie in.
fn add_settings(path: &Path, runs: &mut [Run]) -> Result<(), ImportError> {
    let damaged = |error: csv::Error| ImportError::damaged(path, error);
    let mut reader = csv::Reader::from_path(path).map_err(damaged)?;
    let header = reader.headers().map_err(damaged)?.clone();
    let mut known = BTreeSet::new();
    for record in reader.records() {
        let record = record.map_err(damaged)?;
        let wanted = record.get(0).unwrap_or_default();
        let is_it = |run: &Run| {
            run.name == wanted
                || run.settings.get("file").is_some_and(|file| file == wanted)
                || run.settings.get("folder").is_some_and(|folder| folder == wanted)
        };
        for run in runs.iter_mut().filter(|run| is_it(run)) {
            for (key, cell) in header.iter().zip(&record).skip(1).filter(|(_, c)| !c.is_empty()) {
                run.set_text(key, cell);
            }
            known.insert(run.source.clone());
        }
    }
    // The table says what the places meant: they tell no arms apart any more.
    for run in runs.iter_mut().filter(|run| known.contains(&run.source)) {
        run.settings.remove("file");
        run.settings.remove("folder");
    }
    Ok(())
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

/// A small file as text; what is no UTF-8 is replaced.
pub(crate) fn read_text(path: &Path) -> Result<String, ImportError> {
    let mut file = File::open(path).map_err(ImportError::io(path))?.take(LONGEST_FILE + 1);
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(ImportError::io(path))?;
    if bytes.len() as u64 > LONGEST_FILE {
        return Err(ImportError::damaged(path, "it is too long for what it should be"));
    }
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// The files below a folder with their paths in it, parts joined by `/`; none where it is missing.
pub(crate) fn files_below(folder: &Path) -> Result<Vec<(String, PathBuf)>, ImportError> {
    let mut found = Vec::new();
    let mut waiting = vec![(folder.to_owned(), 0)];
    while let Some((inner, depth)) = waiting.pop() {
        if !inner.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&inner).map_err(ImportError::io(&inner))? {
            let path = entry.map_err(ImportError::io(&inner))?.path();
            if path.is_file() {
                let below = path.strip_prefix(folder).unwrap_or(&path);
                let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
                found.push((parts.join("/"), path));
            } else if depth < DEEPEST && found.len() < MOST_ENTRIES {
                waiting.push((path, depth + 1));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The lines of a file, one at a time, whatever bytes they hold.
pub(crate) struct Lines<'a> {
    path: &'a Path,
    reader: BufReader<File>,
    line: Vec<u8>,
}

impl<'a> Lines<'a> {
    pub(crate) fn open(path: &'a Path) -> Result<Self, ImportError> {
        let file = File::open(path).map_err(ImportError::io(path))?;
        Ok(Lines { path, reader: BufReader::with_capacity(1 << 16, file), line: Vec::new() })
    }

    /// The next line without its end; of a line that is too long its beginning.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>, ImportError> {
        self.line.clear();
        let read = self
            .reader
            .by_ref()
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut self.line)
            .map_err(ImportError::io(self.path))?;
        if read == 0 {
            return Ok(None);
        }
        if read as u64 == LONGEST_LINE && self.line.last() != Some(&b'\n') {
            self.reader.skip_until(b'\n').map_err(ImportError::io(self.path))?;
        }
        while matches!(self.line.last(), Some(b'\n' | b'\r')) {
            self.line.pop();
        }
        Ok(Some(&self.line))
    }
}
