//! The state of an optimizer: two arenas at most, and their names.

use crate::config::Direction;
use crate::error::OptimError;

/// Momentum or moments; an arena that is not in use is empty and has no name.
pub(crate) struct State {
    names: [Option<&'static str>; 2],
    /// Momentum or first moment of every parameter.
    pub(crate) first: Vec<f32>,
    /// Second moment of the parameters that Adam moves: all of them, or Muon's auxiliary ones
    /// alone, one after another.
    pub(crate) second: Vec<f32>,
}

impl State {
    /// All zeros, where `auxiliary` of the parameters are Muon's auxiliary ones.
    pub(crate) fn new(direction: &Direction, parameters: usize, auxiliary: usize) -> Self {
        let (names, first, second) = match direction {
            Direction::Sgd { momentum: 0.0, .. } => ([None, None], 0, 0),
            Direction::Sgd { .. } | Direction::Lion { .. } => {
                ([Some("momentum"), None], parameters, 0)
            }
            Direction::Adam(_) => {
                ([Some("first_moment"), Some("second_moment")], parameters, parameters)
            }
            Direction::Muon { .. } => {
                ([Some("momentum"), Some("second_moment")], parameters, auxiliary)
            }
        };
        State { names, first: vec![0.0; first], second: vec![0.0; second] }
    }

    /// Every arena in use, by its name.
    pub(crate) fn named(&self) -> Vec<(&'static str, &[f32])> {
        self.names
            .into_iter()
            .zip([&self.first, &self.second])
            .filter_map(|(name, values)| name.map(|name| (name, &values[..])))
            .collect()
    }

    /// Takes up saved arenas, in any order; changes nothing unless all of them fit.
    pub(crate) fn restore(&mut self, saved: &[(String, Vec<f32>)]) -> Result<(), OptimError> {
        let mut expected: Vec<&str> = self.names.into_iter().flatten().collect();
        let mut found: Vec<&str> = saved.iter().map(|(name, _)| name.as_str()).collect();
        expected.sort_unstable();
        found.sort_unstable();
        if expected != found {
            return Err(OptimError::WrongState {
                found: listed(&found),
                expected: listed(&expected),
            });
        }
        let by_name = |name: Option<&str>| -> &[f32] {
            let entry = saved.iter().find(|(saved, _)| name == Some(saved));
            entry.map_or(&[], |(_, values)| values)
        };
        for (name, target) in self.names.into_iter().zip([&self.first, &self.second]) {
            let found = by_name(name).len();
            if found != target.len() {
                return Err(OptimError::WrongLength {
                    what: name.unwrap_or_default().to_owned(),
                    expected: target.len(),
                    found,
                });
            }
        }
        self.first.copy_from_slice(by_name(self.names[0]));
        self.second.copy_from_slice(by_name(self.names[1]));
        Ok(())
    }
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
