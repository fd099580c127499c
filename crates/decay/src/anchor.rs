//! The point that a tensor decays to.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The point `a` in w ← w − s(w − a).
///
/// In TOML: `anchor = "zero"`, `anchor = "initial"` or `anchor = { checkpoint = "PATH" }`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// a = 0: ordinary weight decay.
    #[default]
    Zero,
    /// a = the weights at step 0: what was learnt decays, the start does not.
    Initial,
    /// a = the weights of a checkpoint: fine-tuning held near its start (L2-SP, Li et al. 2018).
    Checkpoint(PathBuf),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Holder {
        anchor: Anchor,
    }

    #[test]
    fn the_three_forms_in_toml() {
        let read = |text: &str| toml::from_str::<Holder>(text).map(|holder| holder.anchor);
        assert_eq!(read("anchor = \"zero\""), Ok(Anchor::Zero));
        assert_eq!(read("anchor = \"initial\""), Ok(Anchor::Initial));
        assert_eq!(
            read("anchor = { checkpoint = \"a/b\" }"),
            Ok(Anchor::Checkpoint("a/b".into()))
        );
        assert!(read("anchor = \"elsewhere\"").is_err());
        assert!(read("anchor = \"checkpoint\"").is_err());
    }
}
