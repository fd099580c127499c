//! How a table is read: options that every command on tables has.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use wd_data::table::{DecimalMark, Reading, TextEncoding, Unseen};
use wd_evidence::fit::TableSummary;

use crate::diagnostics::CommandError;

/// How a table is written, and what its cells mean.
#[derive(Debug, Args)]
#[command(next_help_heading = "How the table is read")]
pub(crate) struct ReadingArguments {
    /// The character between the fields of a CSV, `tab`, or `space` for any run of blanks [default:
    /// the most frequent of , ; tab | in the first line, or blanks]
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    delimiter: Option<u8>,

    /// The first line holds data: columns are named column1, column2, …
    #[arg(long)]
    no_header: bool,

    /// What stands before the decimals of a number: `.` or `,` [default: .]
    #[arg(long, value_name = "MARK", value_parser = decimal)]
    decimal: Option<DecimalMark>,

    /// What stands between groups of three digits, such as `,` or `.` or ' ' or \'
    #[arg(long, value_name = "CHARACTER", value_parser = thousands)]
    thousands: Option<char>,

    /// Texts that are taken off cells before they are read as numbers: '$,%,kg'
    #[arg(long, value_name = "TEXTS", value_delimiter = ',', value_parser = strip)]
    strip: Vec<String>,

    /// What stands for a missing value, beside an empty cell, NA, N/A, NaN and null: '?',-200
    #[arg(long, value_name = "CODES", value_delimiter = ',', allow_hyphen_values = true)]
    missing: Vec<String>,

    /// Leave out rows with an empty cell, and count them
    #[arg(long)]
    drop_missing_rows: bool,

    /// What becomes of a level that the fit has not seen, in a hold-out or in new rows: an error,
    /// the baseline, or a row that is left out
    #[arg(long, value_name = "HOW", value_enum)]
    unseen: Option<UnseenWord>,

    /// The character that begins a line of comment
    #[arg(long, value_name = "CHARACTER", value_parser = comment)]
    comment: Option<u8>,

    /// How letters are written; a byte-order mark of UTF-16 is seen without it [default: utf-8]
    #[arg(long, value_enum)]
    encoding: Option<EncodingWord>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum UnseenWord {
    Refuse,
    Baseline,
    Missing,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum EncodingWord {
    #[value(name = "utf-8")]
    Utf8,
    Latin1,
    #[value(name = "utf-16")]
    Utf16,
}

impl ReadingArguments {
    /// A reading with what was asked for in place of what it was.
    pub(crate) fn on(&self, reading: Reading) -> Reading {
        Reading {
            delimiter: self.delimiter.or(reading.delimiter),
            header: reading.header && !self.no_header,
            decimal: self.decimal.unwrap_or(reading.decimal),
            thousands: self.thousands.or(reading.thousands),
            strip: match self.strip.as_slice() {
                [] => reading.strip,
                texts => texts.to_vec(),
            },
            missing: match self.missing.as_slice() {
                [] => reading.missing,
                codes => codes.to_vec(),
            },
            comment: self.comment.or(reading.comment),
            encoding: match self.encoding {
                None => reading.encoding,
                Some(EncodingWord::Utf8) => TextEncoding::Utf8,
                Some(EncodingWord::Latin1) => TextEncoding::Latin1,
                Some(EncodingWord::Utf16) => TextEncoding::Utf16,
            },
            drop_missing_rows: reading.drop_missing_rows || self.drop_missing_rows,
            unseen: match self.unseen {
                None => reading.unseen,
                Some(UnseenWord::Refuse) => Some(Unseen::Refuse),
                Some(UnseenWord::Baseline) => Some(Unseen::Baseline),
                Some(UnseenWord::Missing) => Some(Unseen::Missing),
            },
        }
    }

    /// Whether rows that cannot be used are an error.
    pub(crate) fn refuses(&self) -> bool {
        matches!(self.unseen, Some(UnseenWord::Refuse))
    }
}

fn delimiter(word: &str) -> Result<u8, String> {
    match word.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        b"space" => Ok(b' '),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
        _ => Err("give one ASCII character, such as ';', or `tab` or `space`".to_owned()),
    }
}

fn decimal(word: &str) -> Result<DecimalMark, String> {
    match word {
        "." | "point" => Ok(DecimalMark::Point),
        "," | "comma" => Ok(DecimalMark::Comma),
        _ => Err("give `.` or `,`".to_owned()),
    }
}

fn thousands(word: &str) -> Result<char, String> {
    let mut letters = word.chars();
    match (word, letters.next(), letters.next()) {
        ("space", _, _) => Ok(' '),
        (_, Some(letter), None) if !letter.is_alphanumeric() && !"+-\"".contains(letter) => {
            Ok(letter)
        }
        _ => Err("give one character, such as `,` or ' '".to_owned()),
    }
}

fn strip(word: &str) -> Result<String, String> {
    let word = word.trim();
    match word.is_empty() || word.contains(|letter: char| letter.is_ascii_digit()) {
        true => Err("give signs or units without digits, such as '$,%,kg'".to_owned()),
        false => Ok(word.to_owned()),
    }
}

fn comment(word: &str) -> Result<u8, String> {
    match word.as_bytes() {
        [byte] if byte.is_ascii_punctuation() && *byte != b'"' => Ok(*byte),
        _ => Err("give one character, such as '#'".to_owned()),
    }
}

/// Standard input as a file, for as long as this lives: a table is read more than once.
pub(crate) struct StandardInput {
    folder: PathBuf,
    path: PathBuf,
}

/// What standard input is called wherever a file would be named.
const STANDARD_INPUT: &str = "standard input";

impl StandardInput {
    /// Puts a file in the place of `-` among the names of tables, if it is there.
    pub(crate) fn take(names: &mut [PathBuf]) -> Result<Option<StandardInput>, CommandError> {
        let is_input = |name: &PathBuf| name.as_os_str() == "-";
        let Some(place) = names.iter().position(is_input) else {
            return Ok(None);
        };
        if names.iter().filter(|name| is_input(name)).count() > 1 {
            return Err(CommandError::usage(
                "standard input is named twice",
                "name `-` once, and other tables by their files",
            ));
        }
        let folder = std::env::temp_dir().join(format!("wd-{}", std::process::id()));
        let written = |path: &Path| -> std::io::Result<()> {
            std::fs::create_dir(&folder)?;
            let mut file = std::fs::File::create_new(path)?;
            std::io::copy(&mut std::io::stdin().lock(), &mut file).map(|_| ())
        };
        let path = folder.join("standard-input");
        let input = StandardInput { folder: folder.clone(), path: path.clone() };
        written(&path).map_err(|source| CommandError::Write { path: path.clone(), source })?;
        names[place] = path;
        Ok(Some(input))
    }

    /// An error in which it is called what it is, not by the file that stands for it.
    pub(crate) fn named(&self, error: CommandError) -> CommandError {
        let (from, to) = (&self.path, Path::new(STANDARD_INPUT));
        match error {
            CommandError::Table(error) => error.renamed(from, to).into(),
            CommandError::Fit(error) => error.renamed(from, to).into(),
            CommandError::Usage { message, help } => {
                let within = |text: String| text.replace(&*from.to_string_lossy(), STANDARD_INPUT);
                CommandError::Usage { message: within(message), help: within(help) }
            }
            other => other,
        }
    }

    /// The same of what was read.
    pub(crate) fn name(&self, table: &mut TableSummary) {
        table.rename(&self.path, Path::new(STANDARD_INPUT));
    }
}

impl Drop for StandardInput {
    fn drop(&mut self) {
        // What is left behind lies among temporary files, and is no reason to fail.
        let _left = std::fs::remove_dir_all(&self.folder);
    }
}
