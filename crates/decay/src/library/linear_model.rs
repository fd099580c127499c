//! Estimators of linear models: a penalty on an objective that is minimised outright.

use super::entry::{
    Checked, Convention, Key, KeyDefault::Number, KeyMeaning, LibraryEntry, Method, Optimizer,
    Penalty, Variant,
};

const COEFFICIENTS: &str = "the coefficients, not the intercept";

const fn sklearn(source: &'static str) -> Checked {
    Checked {
        version: "scikit-learn 1.9.1",
        method: Method::Golden,
        source,
    }
}

pub(super) const ENTRIES: &[LibraryEntry] = &[LibraryEntry {
    name: "sklearn.Ridge",
    aliases: &[],
    optimizer: Optimizer::Estimator,
    variants: &[Variant {
        switches: &[],
        convention: Convention::Penalty(Penalty::Summed),
        equation: "‖y − Xw‖² + α ‖w‖²",
        call: "sklearn.linear_model.Ridge(alpha={alpha})",
    }],
    keys: &[Key {
        name: "alpha",
        meaning: KeyMeaning::WeightDecay,
        default: Number(1.0),
    }],
    decays: COEFFICIENTS,
    checked: sklearn("sklearn/linear_model/_ridge.py, Ridge"),
    quirks: &[],
}];
