//! By what the configuration of one trainer is told from those of others.

use crate::checkpoint::Value;

/// The values of a configuration, and where it was found.
pub(super) struct Clues<'a> {
    pub(super) value: &'a Value,
    /// The file's name, or the key or class under which a checkpoint holds it.
    place: &'a str,
}

/// What a key weighs that no other trainer has, against one that several have.
const TELLTALE: usize = 4;

impl<'a> Clues<'a> {
    pub(super) fn new(value: &'a Value, place: &'a str) -> Self {
        Clues { value, place }
    }

    /// Whether a path of keys is there, if only with a null.
    pub(super) fn has(&self, path: &str) -> bool {
        self.value.at(path).is_some()
    }

    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.value.at(path)?.text()
    }

    /// How sure: each of the trainer's own keys weighs four, each that it shares one. At least one
    /// key of its own must be there.
    pub(super) fn keys(&self, own: &[&str], shared: &[&str]) -> usize {
        let present = |keys: &[&str]| keys.iter().filter(|key| self.has(key)).count();
        match present(own) {
            0 => 0,
            own => own * TELLTALE + present(shared),
        }
    }

    /// Whether it was found under one of these names.
    pub(super) fn is_called(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.place.ends_with(name))
    }
}
