//! The best λ on corrupted images.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::{Interval, PairedDifference};
use crate::statistics::interval;

/// The models of one surface on corrupted test images: λ = 0 against the λ that is best on the clean ones.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shift {
    /// Index of the surface.
    pub surface: usize,
    /// The best λ.
    pub lambda: f64,
    /// The corruption.
    pub corruption: String,
    /// By severity, ascending; 0 is the clean images.
    pub severities: Vec<Severity>,
}

/// Accuracies at one severity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Severity {
    /// 0 … 5.
    pub severity: u8,
    /// Of λ = 0, over seeds.
    pub without: Interval,
    /// Of the best λ, over seeds.
    pub with: Interval,
    /// Of the best λ − of λ = 0, on the same seeds.
    pub difference: PairedDifference,
}

impl Severity {
    /// Of the accuracies of each seed.
    pub fn new(severity: u8, without: &BTreeMap<u64, f64>, with: &BTreeMap<u64, f64>) -> Self {
        let values = |accuracies: &BTreeMap<u64, f64>| -> Vec<f64> {
            accuracies.values().copied().collect()
        };
        let shared = with
            .iter()
            .filter_map(|(seed, accuracy)| Some((*seed, accuracy - without.get(seed)?)));
        Severity {
            severity,
            without: interval(&values(without)),
            with: interval(&values(with)),
            difference: PairedDifference::of(shared.collect()),
        }
    }
}
