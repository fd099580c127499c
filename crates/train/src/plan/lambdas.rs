//! λ of every tensor and why.

use wd_decay::{Choice, DecayPolicy};
use wd_nn::ParameterLayout;

use crate::{
    config::{ConfigFault, ConfigSource},
    error::TrainError,
};

/// By the policy and its overrides, in layout order.
pub(super) fn choose_lambdas(
    source: &ConfigSource,
    layout: &ParameterLayout,
) -> Result<Vec<Choice>, TrainError> {
    let decay = &source.config.decay;
    let policy = DecayPolicy { preset: decay.policy(), overrides: decay.overrides.clone() };
    policy
        .choose(decay.lambda(), &layout.descriptions())
        .map_err(|error| source.error(ConfigFault::Policy(error)))
}
