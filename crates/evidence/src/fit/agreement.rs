//! Whether two designs are of parts of one table.

use wd_data::table::{Design, DesignOptions, Encoding};

use super::error::FitError;
use super::table::TableSummary;

/// Refuses options that would have given another design than the one that was summed.
pub(super) fn check_options(sums: &TableSummary, options: &DesignOptions) -> Result<(), FitError> {
    let TableSummary { design, .. } = sums;
    let path = sums.name();
    let refused = |option: &'static str, given: &str, problem: String, fix: String| {
        let fix = format!("{fix}, or sum the table again");
        Err(FitError::option(option, given, format!("{path} {problem}"), fix))
    };
    let targets = targets(design);
    if targets != options.targets {
        let summed = targets.join(",");
        let problem = format!("holds sums for the target `{summed}`");
        return refused("target", &options.targets.join(","), problem, format!("give {summed}"));
    }
    if design.weights != options.weights {
        let given = options.weights.as_deref().unwrap_or("(none)");
        let problem = format!("holds sums of rows {}", weighted(design));
        let fix = match &design.weights {
            Some(name) => format!("give {name}"),
            None => "leave the weights out".to_owned(),
        };
        return refused("weights", given, problem, fix);
    }
    for name in &options.drop {
        if !design.dropped.iter().any(|dropped| dropped.name == *name) {
            let problem = format!("holds sums of a table from which `{name}` was not left out");
            return refused("drop", name, problem, "do not drop it".to_owned());
        }
    }
    for name in &options.categorical {
        let is_category = design.features.iter().any(|feature| {
            feature.name == *name && matches!(feature.encoding, Encoding::Category { .. })
        });
        if !is_category {
            let problem = format!("holds sums of a table in which `{name}` is no category");
            return refused("categorical", name, problem, "leave it out".to_owned());
        }
    }
    for name in &options.with {
        if !design.features.iter().any(|feature| feature.name == *name) {
            let problem = format!("holds sums of a table without `{name}`");
            return refused("with", name, problem, "leave it out".to_owned());
        }
    }
    if options.impute_mean {
        let problem = "says itself what stands for empty cells: the means of the rows that it sums";
        return refused("impute", "mean", problem.to_owned(), "leave it out".to_owned());
    }
    Ok(())
}

/// The first difference that matters between two designs, said of the second.
pub(super) fn difference(first: &Design, second: &Design) -> Option<String> {
    let (here, there) = (targets(first).join(","), targets(second).join(","));
    if here != there {
        return Some(format!("its target is `{there}`, not `{here}`"));
    }
    if first.weights != second.weights {
        return Some(format!("its rows are {}, not {}", weighted(second), weighted(first)));
    }
    let names = |design: &Design| -> Vec<String> {
        design.features.iter().map(|feature| feature.name.clone()).collect()
    };
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
    let mut features = first.features.iter().zip(&second.features);
    let (feature, other) = features.find(|(a, b)| a.encoding != b.encoding)?;
    let name = &feature.name;
    Some(match (&feature.encoding, &other.encoding) {
        (Encoding::Category { levels, .. }, Encoding::Category { levels: other, .. })
            if levels != other =>
        {
            let (levels, other) = (levels.join(", "), other.join(", "));
            format!("its column `{name}` has the levels {other}, not {levels}")
        }
        (Encoding::Category { .. }, Encoding::Number { .. })
        | (Encoding::Number { .. }, Encoding::Category { .. }) => {
            format!("its column `{name}` is a number in one and a category in the other")
        }
        _ => format!("empty cells of its column `{name}` were filled with another mean"),
    })
}

fn targets(design: &Design) -> Vec<String> {
    design.targets.iter().map(|target| target.name.clone()).collect()
}

fn weighted(design: &Design) -> String {
    match &design.weights {
        Some(name) => format!("weighted by `{name}`"),
        None => "without weights".to_owned(),
    }
}
