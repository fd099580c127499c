//! How rules name what they found.

use wd_page::number;

use crate::case::Parameter;
use crate::dialect::{self, Declaration};

/// The labels of parameters, in their order.
pub(super) fn labels<'a>(parameters: impl IntoIterator<Item = &'a Parameter>) -> Vec<String> {
    parameters.into_iter().map(Parameter::label).collect()
}

/// The first few names and the count of the rest: `` `a`, `b` and 23 others ``.
pub(super) fn listed(names: &[String]) -> String {
    // Names are code; the words that stand for a name are not.
    let shown = |name: &String| match name.contains(' ') {
        true => name.clone(),
        false => format!("`{name}`"),
    };
    let all: Vec<String> = names.iter().take(3).map(shown).collect();
    match (all.as_slice(), names.len()) {
        ([], _) => "no tensor".to_owned(),
        ([one], _) => one.clone(),
        ([one, two], _) => format!("{one} and {two}"),
        ([one, two, three], 3) => format!("{one}, {two} and {three}"),
        ([one, two, ..], count) => {
            format!("{one}, {two} and {} others", number::count(count as u64 - 2))
        }
    }
}

/// Each name once, in the order of the first: a tensor may have several estimates.
pub(super) fn once<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for name in names {
        if !kept.iter().any(|known| known == name) {
            kept.push(name.to_owned());
        }
    }
    kept
}

/// A count of tensors.
pub(super) fn tensors(names: &[String]) -> String {
    number::counted(names.len() as u64, "tensor")
}

/// `one` where there is one thing, else `many`: verbs that follow a count.
pub(super) fn agree<'a>(names: &[String], one: &'a str, many: &'a str) -> &'a str {
    if names.len() == 1 { one } else { many }
}

/// What a rule calls a configuration, at the start of a sentence: that of a trainer, where it is
/// known.
pub(super) fn configuration(declaration: &Declaration) -> String {
    match declaration.dialect {
        dialect::UNKNOWN => "The configuration".to_owned(),
        known => format!("The {known} configuration"),
    }
}

/// Several values of λ: `0.1`, `0.1 and 0.05`, `0.1, 0.05 and 0.01`.
pub(super) fn values(lambdas: &[f64]) -> String {
    let shown: Vec<String> = lambdas.iter().map(|&lambda| number::short(lambda)).collect();
    match shown.split_last() {
        None => number::MISSING.to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// A share that decay takes, where the smallest is still more than nothing.
pub(super) fn taken(share: f64) -> String {
    if share < 1e-3 { "less than 0.1 %".to_owned() } else { number::percent(share) }
}

/// A step count, as `step 1,500`, or words that stand for it.
pub(super) fn at_step(step: Option<f64>) -> String {
    step.map_or("its last step".to_owned(), |step| format!("step {}", number::amount(step)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_end_in_a_count() {
        let names = |count: usize| -> Vec<String> { (0..count).map(|i| format!("w{i}")).collect() };
        assert_eq!(listed(&names(0)), "no tensor");
        assert_eq!(listed(&names(1)), "`w0`");
        assert_eq!(listed(&names(2)), "`w0` and `w1`");
        assert_eq!(listed(&names(3)), "`w0`, `w1` and `w2`");
        assert_eq!(listed(&names(4)), "`w0`, `w1` and 2 others");
        assert_eq!(listed(&names(1025)), "`w0`, `w1` and 1,023 others");
        assert_eq!(once(["b", "a", "b"]), ["b", "a"]);
        assert_eq!(listed(&["parameter 3 (4×4)".to_owned()]), "parameter 3 (4×4)");
        assert_eq!(values(&[0.1, 0.05, 0.01]), "0.1, 0.05 and 0.01");
    }
}
