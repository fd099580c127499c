//! The table that a fit has read: its files, what its columns became, and what only all rows show.

use std::path::{Path, PathBuf};

use wd_data::table::{DateOrder, Design, Encoding, Feature, Findings, LeftOut, TargetKind};
use wd_page::counted;
use wd_page::number::{count, measured};

use super::relations::{Multiple, Relations};

/// A table that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct TableSummary {
    /// Its files, sums of tables among them, as they were named.
    pub files: Vec<PathBuf>,
    /// What its columns became.
    pub design: Design,
    /// What only all rows show.
    pub findings: Findings,
    /// Columns that say the same as others, where their sums are known.
    pub relations: Relations,
}

impl TableSummary {
    /// The files, for messages.
    pub fn name(&self) -> String {
        named_together(&self.files)
    }

    /// Calls a file by another name: standard input, say.
    pub fn rename(&mut self, from: &Path, to: &Path) {
        for file in self.files.iter_mut().filter(|file| *file == from) {
            *file = to.to_owned();
        }
    }

    /// The files without their folders.
    pub fn file_names(&self) -> String {
        let names = self.files.iter().map(|path| path.file_name().map_or(&**path, Path::new));
        named_together(&names.collect::<Vec<_>>())
    }

    /// Name, type and use of every column: targets, weights, what was left out, and what explains.
    pub fn columns(&self) -> Vec<[String; 3]> {
        let design = &self.design;
        let mut all = Vec::new();
        for target in &design.targets {
            let kind = match &target.kind {
                TargetKind::Number => "number".to_owned(),
                TargetKind::Classes { levels } => {
                    let classes = counted(count(levels.len() as u64), "class");
                    format!("{classes}: {}", first_levels(levels))
                }
            };
            all.push([target.name.clone(), kind, "target".to_owned()]);
        }
        if let Some(name) = &design.weights {
            all.push([name.clone(), "number".to_owned(), "weights".to_owned()]);
        }
        if let Some(term) = &design.offset {
            let role = "exposure: its logarithm is the offset".to_owned();
            all.push([term.name(), "number".to_owned(), role]);
        }
        for dropped in &design.dropped {
            let role = format!("left out: {}", dropped.reason);
            all.push([dropped.name.clone(), String::new(), role]);
        }
        for feature in &design.features {
            let filled = &self.findings.left_out.filled_in;
            let (kind, role) =
                use_of(feature, filled.iter().any(|(name, _)| *name == feature.name));
            all.push([feature.name.clone(), kind, role]);
        }
        all
    }

    /// How many rows are used, how many are not, and why.
    pub fn used(&self) -> String {
        let Findings { rows, left_out, .. } = &self.findings;
        let used =
            format!("Used {}", counted(count(*rows - left_out.weightless.min(*rows)), "row"));
        let used = match left_out.count() {
            0 => format!("{used}, left out none."),
            all => format!("{used}, left out {}: {}.", count(all), reasons(left_out)),
        };
        used + &filled(left_out)
    }

    /// What a user may want to mend in the table, a sentence each. Without an intercept a constant
    /// column has a coefficient.
    pub fn remarks(&self, has_intercept: bool) -> Vec<String> {
        let names = self.design.columns();
        let Findings { constant, numbering, .. } = &self.findings;
        let mut lines = Vec::new();
        if !constant.is_empty() {
            let columns = constant
                .iter()
                .map(|(column, value)| format!("`{}` ({})", names[*column], measured(*value)));
            let what = match has_intercept {
                true => "so their coefficients are 0",
                false => "which without an intercept stands in for one, and is penalised",
            };
            lines.push(format!("Constant, {what}: {}.", first_words(columns)));
        }
        lines.extend(self.repeated(&names));
        if !numbering.is_empty() {
            let columns = numbering.iter().map(|column| format!("`{}`", names[*column]));
            lines.push(format!(
                "{} numbers the rows: if it is an index, drop it.",
                first_words(columns)
            ));
        }
        lines.extend(self.suspicions(&names));
        lines
    }

    /// Columns that say the same as others.
    fn repeated(&self, names: &[String]) -> Vec<String> {
        let Findings { duplicate, constant, copies, .. } = &self.findings;
        let Relations { multiples, of_target, rank } = &self.relations;
        let mut lines = Vec::new();
        let is_copy = |column: usize| duplicate.iter().any(|(copy, _)| *copy == column);
        let copies_of = duplicate
            .iter()
            .map(|(column, first)| format!("`{}` is `{}`", names[*column], names[*first]));
        let scaled = multiples.iter().filter(|multiple| !is_copy(multiple.column));
        let scaled = scaled.map(|multiple| {
            format!("`{}` is {}", names[multiple.column], product(multiple, &names[multiple.of]))
        });
        let same: Vec<String> = copies_of.chain(scaled).collect();
        if !same.is_empty() {
            lines.push(format!(
                "The same as another column in every row: {}. The two share one weight, and \
                 either can be left out with `drop`.",
                first_words(same.into_iter())
            ));
        }
        for multiple in of_target {
            let (column, target) = (&names[multiple.column], &self.design.targets[multiple.of]);
            if !copies.contains(&(multiple.column, multiple.of)) {
                lines.push(format!(
                    "`{column}` is {} in every row: the target itself stands among the columns, \
                     and an R² of 1 says no more than that. Leave it out with `drop`.",
                    product(multiple, &target.name)
                ));
            }
        }
        if let Some(rank) = rank {
            let varying = names.len() - constant.len();
            lines.push(format!(
                "The {} that vary have rank {rank}: some are others, or sums of others. γ is \
                 therefore of {rank}; predictions lose nothing by it, but a single coefficient is \
                 only a share of what its column and the others say together.",
                counted(varying, "column")
            ));
        }
        lines
    }

    /// Columns that are most likely not what they are taken for.
    fn suspicions(&self, names: &[String]) -> Vec<String> {
        let Findings { sentinels, copies, labels, rows, .. } = &self.findings;
        let mut lines = Vec::new();
        for sentinel in sentinels {
            let (low, high) = sentinel.rest;
            lines.push(format!(
                "`{}` is {} in {}, far outside the rest ({} to {}): if that stands for a missing \
                 value, declare it with `missing`.",
                names[sentinel.column],
                measured(sentinel.value),
                counted(count(sentinel.count), "row"),
                measured(low),
                measured(high)
            ));
        }
        if let Some(term) = &self.design.offset
            && term.function.is_none()
            && ["log", "ln_"].iter().any(|start| term.column.to_lowercase().starts_with(start))
        {
            lines.push(format!(
                "`{0}` is called a logarithm, and the offset is the logarithm of an exposure: if \
                 it holds one already, give exp({0}) as the `offset`.",
                term.column
            ));
        }
        for (name, levels) in labels {
            lines.push(format!(
                "`{name}` has {} levels in {}: if it names the rows, leave it out with `drop`.",
                count(*levels as u64),
                counted(count(*rows), "row")
            ));
        }
        for (column, target) in copies {
            lines.push(format!(
                "`{}` is the target `{}` in every row: leave it out with `drop`.",
                names[*column], self.design.targets[*target].name
            ));
        }
        lines.extend(self.odd_rows());
        lines
    }

    /// Rows, levels and labels that are most likely not what they are taken for.
    fn odd_rows(&self) -> Vec<String> {
        let Findings { single, padded, total, .. } = &self.findings;
        let mut lines = Vec::new();
        if !padded.is_empty() {
            let columns = padded.iter().map(|(name, example)| format!("`{name}` (`{example}`)"));
            lines.push(format!(
                "Numbers that begin with 0 are most often names, such as post codes: {}. If so, \
                 declare them with `categorical`.",
                first_words(columns)
            ));
        }
        if !single.is_empty() {
            let levels = single.iter().map(|(name, level)| format!("`{level}` of `{name}`"));
            let (what, they) = match single.len() {
                1 => ("A single row has", "it says"),
                _ => ("Of each of these there is a single row:", "they say"),
            };
            lines.push(format!(
                "{what} {}: what {they} rests on that row alone. Look whether it is misspelt.",
                first_words(levels)
            ));
        }
        if let Some(row) = total {
            lines.push(format!(
                "Row {}, the last, is the sum of the rows above: a total and no observation, it \
                 outweighs all others. Take it out of the file.",
                count(*row)
            ));
        }
        lines
    }
}

/// A column as another one times a factor, plus a constant.
fn product(multiple: &Multiple, name: &str) -> String {
    let Multiple { factor, constant, .. } = *multiple;
    let scaled = match factor == 1.0 {
        true => format!("`{name}`"),
        false => format!("{} × `{name}`", measured(factor)),
    };
    match constant {
        0.0 => scaled,
        _ if constant < 0.0 => format!("{scaled} − {}", measured(-constant)),
        _ => format!("{scaled} + {}", measured(constant)),
    }
}

/// The reasons for which rows are not used, with how many.
pub fn reasons(left_out: &LeftOut) -> String {
    let mut reasons = Vec::new();
    if left_out.blank > 0 {
        reasons.push(counted(count(left_out.blank), "blank line"));
    }
    if left_out.comments > 0 {
        reasons.push(counted(count(left_out.comments), "line") + " of comment");
    }
    if left_out.missing > 0 {
        let rows = counted(count(left_out.missing), "row");
        let columns = by_column(&left_out.missing_in);
        reasons.push(format!("{rows} with empty cells ({columns})"));
    }
    if left_out.unseen > 0 {
        let columns = left_out.unseen_in.iter();
        let columns = columns.map(|(name, _, level)| format!("`{name}`: `{level}`"));
        let rows = counted(count(left_out.unseen), "row");
        reasons.push(format!("{rows} with unknown levels ({})", first_words(columns)));
    }
    if left_out.weightless > 0 {
        reasons.push(format!("{} of weight 0", counted(count(left_out.weightless), "row")));
    }
    reasons.join(", ")
}

/// How many empty cells were filled, as a sentence behind another; nothing where there were none.
pub(super) fn filled(left_out: &LeftOut) -> String {
    let cells: u64 = left_out.filled_in.iter().map(|(_, cells)| cells).sum();
    match cells {
        0 => String::new(),
        _ => format!(
            " Filled {} with the means of their columns ({}).",
            counted(count(cells), "empty cell"),
            by_column(&left_out.filled_in)
        ),
    }
}

/// Counts with the columns that they are of.
fn by_column(counts: &[(String, u64)]) -> String {
    first_words(counts.iter().map(|(name, times)| format!("`{name}` {}", count(*times))))
}

/// Type and use of a feature, of which empty cells were filled or not.
fn use_of(feature: &Feature, is_filled: bool) -> (String, String) {
    let filled = |imputed: &Option<f64>| match imputed.filter(|_| is_filled) {
        None => "as it is".to_owned(),
        Some(mean) => format!("empty cells are {}", measured(mean)),
    };
    match &feature.encoding {
        Encoding::Number { imputed } => ("number".to_owned(), filled(imputed)),
        Encoding::Days { imputed, order } => {
            (written(*order), format!("days since 1970-01-01, {}", filled(imputed)))
        }
        Encoding::YearMonth { months, order, .. } => {
            let indicators = counted(months.len().saturating_sub(1), "indicator");
            (written(*order), format!("its year, and {indicators} of months"))
        }
        Encoding::Function { column, .. } => ("number".to_owned(), format!("made of `{column}`")),
        Encoding::Product { factors } => {
            let names: Vec<&str> = factors.iter().map(|factor| factor.name.as_str()).collect();
            let columns = counted(feature.encoding.width(), "product");
            ("interaction".to_owned(), format!("{columns} of `{}`", names.join("` and `")))
        }
        Encoding::Category { levels, imputed } => {
            let indicators = counted(count(levels.len() as u64 - 1), "indicator");
            let filled = match imputed {
                Some(_) if is_filled => ", empty cells are the shares of the levels",
                _ => "",
            };
            (
                format!("category of {}: {}", levels.len(), first_levels(levels)),
                format!("{indicators} beside the baseline `{}`{filled}", levels[0]),
            )
        }
    }
}

/// A column of dates, with the order in which they were read.
fn written(order: DateOrder) -> String {
    let first = match order {
        DateOrder::YearFirst => "year",
        DateOrder::DayFirst => "day",
        DateOrder::MonthFirst => "month",
    };
    format!("date, {first} first")
}

/// The first files of a list, and how many more there are.
pub(super) fn named_together<P: AsRef<Path>>(paths: &[P]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<String> =
        paths.iter().take(SHOWN).map(|path| path.as_ref().display().to_string()).collect();
    match paths.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The first of some levels.
fn first_levels(levels: &[String]) -> String {
    let shown = levels[..levels.len().min(3)].join(", ");
    match levels.len() {
        0..=3 => shown,
        _ => format!("{shown}, …"),
    }
}

/// The first of some words, and how many more there are.
fn first_words(words: impl ExactSizeIterator<Item = String>) -> String {
    const SHOWN: usize = 8;
    let more = words.len().saturating_sub(SHOWN);
    let shown = words.take(SHOWN).collect::<Vec<_>>().join(", ");
    match more {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
