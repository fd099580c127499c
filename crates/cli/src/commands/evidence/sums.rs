//! Partial sums as a file: all that the Gaussian family needs of some rows, so that the parts of a table add up, wherever they are.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wd_data::table::{Design, DesignOptions, Encoding, TargetKind};
use wd_evidence::Statistics;
use wd_page::counted;

use crate::diagnostics::CommandError;

/// The first words of a file of sums: a file of another kind is refused by them.
const FORMAT: &str = "wd-sums-1";

/// Sums as they are written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sums {
    format: String,
    pub(super) design: Design,
    /// Rows read, those of weight 0 among them.
    pub(super) rows: u64,
    pub(super) statistics: Statistics,
}

/// What DATA names: tables, and sums of tables.
pub(super) struct Inputs<'a> {
    pub(super) tables: Vec<&'a Path>,
    pub(super) sums: Option<Summed<'a>>,
}

/// Files of sums, added up.
pub(super) struct Summed<'a> {
    pub(super) paths: Vec<&'a Path>,
    pub(super) total: Sums,
}

impl<'a> Inputs<'a> {
    /// Tells files of sums from tables, and adds them up.
    pub(super) fn open(data: &'a [PathBuf]) -> Result<Self, CommandError> {
        let mut inputs = Inputs { tables: Vec::new(), sums: None };
        for path in data {
            if !is_object(path) {
                inputs.tables.push(path);
                continue;
            }
            let read = Sums::read(path)?;
            match &mut inputs.sums {
                None => {
                    inputs.sums = Some(Summed { paths: vec![path], total: read });
                }
                Some(sums) => sums.add(path, &read)?,
            }
        }
        Ok(inputs)
    }

    /// One design for all parts: that of the sums, if there are any, which is checked against `options`.
    pub(super) fn design(&self, options: &DesignOptions) -> Result<Design, CommandError> {
        let (design, inferred) = match &self.sums {
            None => {
                let (first, others) = self.tables.split_first().ok_or_else(no_data)?;
                (Design::infer_parts(first, others, options)?, 1)
            }
            Some(sums) => {
                agree_with(sums.paths[0], &sums.total.design, options)?;
                (sums.total.design.clone(), 0)
            }
        };
        for table in &self.tables[inferred..] {
            design.check_part(table, &options.format)?;
        }
        Ok(design)
    }
}

impl<'a> Summed<'a> {
    fn add(&mut self, path: &'a Path, read: &Sums) -> Result<(), CommandError> {
        let first = self.paths[0].display();
        if let Some(difference) = difference(&self.total.design, &read.design) {
            return Err(CommandError::usage(
                format!("{} does not add to {first}: {difference}", path.display()),
                format!(
                    "sum both tables in one command, or the second by the columns of the first: `wd evidence {first} TABLE --target … --sums FILE`"
                ),
            ));
        }
        self.total.statistics.merge(&read.statistics)?;
        self.total.rows += read.rows;
        self.paths.push(path);
        Ok(())
    }
}

fn no_data() -> CommandError {
    CommandError::usage("there is no DATA", "name a table, or sums of one")
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

impl Sums {
    pub(super) fn new(design: &Design, rows: u64, statistics: Statistics) -> Self {
        Sums { format: FORMAT.to_owned(), design: design.clone(), rows, statistics }
    }

    pub(super) fn to_json(&self) -> Result<String, CommandError> {
        let columns = self.design.columns();
        let targets = self.design.targets.iter();
        let names = columns.iter().chain(targets.map(|target| &target.name));
        for (index, name) in names.enumerate() {
            // JSON has no infinity.
            if !self.statistics.centred_product(index, index).is_finite() {
                return Err(CommandError::usage(
                    format!("column `{name}`: its squares overflow"),
                    "give it in another unit",
                ));
            }
        }
        Ok(serde_json::to_string(self).map_err(std::io::Error::from)? + "\n")
    }

    fn read(path: &Path) -> Result<Self, CommandError> {
        #[derive(Deserialize)]
        struct Head {
            format: Option<String>,
        }
        let refused = |problem: String| {
            CommandError::usage(
                format!("{} holds no sums of a table: {problem}", path.display()),
                "`wd evidence TABLE --target COLUMN --sums SUMS.json` writes them",
            )
        };
        let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
        let head: Head = serde_json::from_str(&text).map_err(|error| refused(error.to_string()))?;
        match head.format {
            Some(format) if format == FORMAT => {}
            Some(format) => {
                return Err(refused(format!("its format is `{format}`, not `{FORMAT}`")));
            }
            None => return Err(refused("it does not name its format".to_owned())),
        }
        let sums: Sums = serde_json::from_str(&text).map_err(|error| refused(error.to_string()))?;
        sums.design.check(path)?;
        let (design, statistics) = (&sums.design, &sums.statistics);
        if (design.width(), design.targets.len()) != (statistics.columns(), statistics.targets()) {
            return Err(refused(format!(
                "its design has {} and {}, its sums {} and {}",
                counted(design.width(), "column"),
                counted(design.targets.len(), "target"),
                statistics.columns(),
                statistics.targets()
            )));
        }
        if let Some(target) = design.targets.iter().find(|target| target.kind != TargetKind::Number)
        {
            return Err(refused(format!(
                "its target `{}` holds classes, of which sums say nothing",
                target.name
            )));
        }
        if sums.rows < statistics.rows() as u64 {
            return Err(refused(format!(
                "{} with a weight, of {} that were read",
                counted(statistics.rows(), "row"),
                sums.rows
            )));
        }
        if design.weights.is_none() && statistics.weight() != statistics.rows() as f64 {
            return Err(refused(format!(
                "a weight of {} for {} without weights",
                statistics.weight(),
                counted(statistics.rows(), "row")
            )));
        }
        Ok(sums)
    }
}

/// Refuses options that would have given another design than the one that was summed.
fn agree_with(path: &Path, design: &Design, options: &DesignOptions) -> Result<(), CommandError> {
    let refused = |problem: String, fix: String| {
        Err(CommandError::usage(format!("{} {problem}", path.display()), fix))
    };
    let targets: Vec<&str> = design.targets.iter().map(|target| target.name.as_str()).collect();
    if targets != options.targets {
        return refused(
            format!(
                "holds sums for the target `{}`, not `{}`",
                targets.join(","),
                options.targets.join(",")
            ),
            format!("give --target {}, or sum the table again", targets.join(",")),
        );
    }
    if design.weights != options.weights {
        return match &design.weights {
            Some(name) => refused(
                format!("holds sums weighted by `{name}`"),
                format!("give --weights {name}, or sum the table again"),
            ),
            None => refused(
                "holds sums of rows without weights".to_owned(),
                "leave out --weights, or sum the table again".to_owned(),
            ),
        };
    }
    for name in &options.drop {
        if !design.dropped.iter().any(|dropped| dropped.name == *name) {
            return refused(
                format!("holds sums of a table from which `{name}` was not left out"),
                format!("leave out --drop {name}, or sum the table again with it"),
            );
        }
    }
    for name in &options.categorical {
        let is_category = design.features.iter().any(|feature| {
            feature.name == *name && matches!(feature.encoding, Encoding::Category { .. })
        });
        if !is_category {
            return refused(
                format!("holds sums of a table in which `{name}` is no category"),
                format!("leave out --categorical {name}, or sum the table again with it"),
            );
        }
    }
    if options.impute_mean {
        return refused(
            "says itself what stands for empty cells: the means of the rows that it sums"
                .to_owned(),
            "leave out --impute, or fit the tables in one command".to_owned(),
        );
    }
    Ok(())
}

/// The first difference that matters between two designs, said of the second.
fn difference(first: &Design, second: &Design) -> Option<String> {
    let names = |design: &Design| -> Vec<String> {
        let features = design.features.iter();
        features.map(|feature| feature.name.clone()).collect()
    };
    let targets = |design: &Design| -> Vec<String> {
        let targets = design.targets.iter();
        targets.map(|target| target.name.clone()).collect()
    };
    if targets(first) != targets(second) {
        return Some(format!(
            "its target is `{}`, not `{}`",
            targets(second).join(","),
            targets(first).join(",")
        ));
    }
    if first.weights != second.weights {
        let said = |weights: &Option<String>| match weights {
            Some(name) => format!("weighted by `{name}`"),
            None => "without weights".to_owned(),
        };
        return Some(format!(
            "its rows are {}, not {}",
            said(&second.weights),
            said(&first.weights)
        ));
    }
    let (here, there) = (names(first), names(second));
    if let Some(name) = here.iter().find(|name| !there.contains(name)) {
        return Some(format!("it has no column `{name}`"));
    }
    if let Some(name) = there.iter().find(|name| !here.contains(name)) {
        return Some(format!("it has a column `{name}` more"));
    }
    if let Some((name, other)) = here.iter().zip(&there).find(|(a, b)| a != b) {
        return Some(format!(
            "its columns are in another order: `{other}` stands where `{name}` should"
        ));
    }
    first.features.iter().zip(&second.features).find(|(a, b)| a.encoding != b.encoding).map(
        |(a, b)| match (&a.encoding, &b.encoding) {
            (Encoding::Category { levels, .. }, Encoding::Category { levels: other, .. })
                if levels != other =>
            {
                format!(
                    "its column `{}` has the levels {}, not {}",
                    a.name,
                    other.join(", "),
                    levels.join(", ")
                )
            }
            (Encoding::Category { .. }, Encoding::Number { .. })
            | (Encoding::Number { .. }, Encoding::Category { .. }) => {
                format!("its column `{}` is a number in one and a category in the other", a.name)
            }
            _ => format!("empty cells of its column `{}` were filled with another mean", a.name),
        },
    )
}
