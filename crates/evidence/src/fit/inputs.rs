//! What is named as the table: files of rows, and sums of others.

use std::io::Read;
use std::path::{Path, PathBuf};

use wd_data::table::{Design, DesignOptions, Reading};

use super::agreement;
use super::error::FitError;
use super::family::Family;
use super::request::Request;
use super::source::Source;
use super::sums::Sums;

/// Files of rows, and sums of others, added up.
pub(super) struct Inputs {
    files: Vec<PathBuf>,
    tables: Vec<PathBuf>,
    sums: Option<Sums>,
}

impl Inputs {
    /// Tells files of sums from tables, and adds them up.
    pub(super) fn open<P: AsRef<Path>>(data: &[P]) -> Result<Self, FitError> {
        let files: Vec<PathBuf> = data.iter().map(|path| path.as_ref().to_owned()).collect();
        check_once(&files)?;
        let mut tables = Vec::new();
        let mut sums: Option<Sums> = None;
        for path in &files {
            if !is_object(path) {
                tables.push(path.clone());
                continue;
            }
            let read = Sums::read(path)?;
            match &mut sums {
                None => sums = Some(read),
                Some(sums) => sums.add(&read)?,
            }
        }
        Ok(Inputs { files, tables, sums })
    }

    /// Refuses what sums cannot give.
    pub(super) fn check(&self, request: &Request) -> Result<(), FitError> {
        let Some(sums) = &self.sums else {
            return Ok(());
        };
        if request.family != Family::Gaussian {
            return Err(needs_rows(request.family));
        }
        let Some(criterion) = request.criteria().needs_rows() else {
            return Ok(());
        };
        Err(FitError::option(
            "compare",
            criterion,
            format!("it needs the rows, of which {} holds sums only", sums.table.name()),
            "compare with gcv or holdout:FILE, or give the tables that were summed",
        ))
    }

    /// One design for all parts: that of the sums, if there are any, which is checked against
    /// `options`.
    pub(super) fn design(&self, options: &DesignOptions) -> Result<Design, FitError> {
        let (design, inferred) = match &self.sums {
            None => {
                let (first, others) = self.tables.split_first().ok_or(FitError::NoTable)?;
                let others: Vec<&Path> = others.iter().map(PathBuf::as_path).collect();
                (Design::infer_parts(first, &others, options)?, 1)
            }
            Some(sums) => {
                agreement::check_options(&sums.table, options)?;
                (sums.table.design.clone(), 0)
            }
        };
        for table in &self.tables[inferred..] {
            design.check_part(table, &options.reading)?;
        }
        Ok(design)
    }

    pub(super) fn source<'a>(&'a self, design: &'a Design, reading: &'a Reading) -> Source<'a> {
        let Inputs { files, tables, sums } = self;
        Source { design, files, tables, sums: sums.as_ref(), arrays: None, reading }
    }
}

/// Sums say too little for a family.
pub(super) fn needs_rows(family: Family) -> FitError {
    FitError::option(
        "family",
        family.name(),
        "it needs the rows themselves; sums say enough for the gaussian family alone",
        "give the tables that were summed, or use the family gaussian",
    )
}

/// Refuses a file that would count twice.
fn check_once(files: &[PathBuf]) -> Result<(), FitError> {
    let mut seen = Vec::new();
    for path in files {
        let place = path.canonicalize().unwrap_or_else(|_| path.clone());
        if seen.contains(&place) {
            return Err(FitError::Twice { path: path.clone() });
        }
        seen.push(place);
    }
    Ok(())
}

/// Whether a file starts like a JSON object, which no table does.
fn is_object(path: &Path) -> bool {
    let mut start = Vec::new();
    let opened = std::fs::File::open(path);
    let read = opened.and_then(|file| file.take(64).read_to_end(&mut start));
    let Some(inside) = start.trim_ascii_start().strip_prefix(b"{") else {
        return false;
    };
    read.is_ok() && matches!(inside.trim_ascii_start().first(), None | Some(b'"' | b'}'))
}
