//! The learning rate of every tensor over that of the run: `[optim.overrides]` and
//! `optim.layer_decay`.

use wd_decay::last_matches;
use wd_nn::ParameterLayout;

use crate::{
    config::{ConfigFault, ConfigSource, OptimSection},
    error::TrainError,
};

/// The peak learning rate of each tensor over `optim.lr`, in layout order.
///
/// An override is the rate itself; elsewhere it is layer_decay^(L + 1 − i) for a tensor of block
/// i = 1 … L, where what stands before the blocks counts as i = 0 and what follows them as L + 1
/// (Clark et al., ELECTRA, 2020; Bao et al., BEiT, 2022).
pub(super) fn choose_rates(
    source: &ConfigSource,
    layout: &ParameterLayout,
) -> Result<Vec<f64>, TrainError> {
    let optim = &source.config.optim;
    let paths: Vec<&str> = layout.segments.iter().map(|segment| segment.path.as_str()).collect();
    let mut ratios = layer_decay(optim, &paths).map_err(|fault| source.error(fault))?;
    let patterns = optim.overrides.iter().map(|(pattern, _)| pattern);
    let places = last_matches(patterns, &paths)
        .map_err(|error| source.error(ConfigFault::RateOverride(error)))?;
    for (ratio, place) in ratios.iter_mut().zip(places) {
        if let Some(place) = place {
            *ratio = optim.overrides[place].1 / optim.lr;
        }
    }
    Ok(ratios)
}

fn layer_decay(optim: &OptimSection, paths: &[&str]) -> Result<Vec<f64>, ConfigFault> {
    let Some(decay) = optim.layer_decay else { return Ok(vec![1.0; paths.len()]) };
    let blocks: Vec<Option<i32>> = paths.iter().map(|path| block(path)).collect();
    let Some(last) = blocks.iter().flatten().max().copied() else {
        return Err(ConfigFault::Conflict {
            key: "optim.layer_decay",
            reason: "this model has no numbered blocks for the learning rate to fall by",
            mend: "give single tensors their rate in [optim.overrides]",
        });
    };
    let first = blocks.iter().position(Option::is_some).unwrap_or(0);
    let depth = |(place, block): (usize, &Option<i32>)| match block {
        Some(block) => block + 1,
        None if place < first => 0,
        None => last + 2,
    };
    Ok(blocks.iter().enumerate().map(depth).map(|depth| decay.powi(last + 2 - depth)).collect())
}

/// The number of the block that a tensor belongs to.
fn block(path: &str) -> Option<i32> {
    let (number, _) = path.strip_prefix("block.")?.split_once('.')?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_falls_from_the_head_to_the_embedding() {
        let paths = [
            "embedding.token.weight",
            "block.0.mlp.up.weight",
            "block.1.mlp.up.weight",
            "norm.gain",
        ];
        let optim: OptimSection = toml::from_str("lr = 1e-3\nlayer_decay = 0.5").unwrap();
        assert_eq!(layer_decay(&optim, &paths).unwrap(), [0.125, 0.25, 0.5, 1.0]);
        let none: OptimSection = toml::from_str("lr = 1e-3").unwrap();
        assert_eq!(layer_decay(&none, &paths).unwrap(), [1.0; 4]);
        let fault = layer_decay(&optim, &["stem.weight"]).unwrap_err();
        assert!(matches!(fault, ConfigFault::Conflict { key: "optim.layer_decay", .. }));
    }
}
