//! λ of every tensor and why.

use wd_decay::{Choice, DecayPolicy};
use wd_nn::ParameterLayout;
use wd_page::counted;

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

/// What overrides do that their author may not have meant: tensors decay that the policy leaves
/// out. The reason and what to do about it.
pub(super) fn lifted(
    source: &ConfigSource,
    layout: &ParameterLayout,
    choices: &[Choice],
) -> Option<(String, String)> {
    let decay = &source.config.decay;
    let policy = DecayPolicy { preset: decay.policy(), overrides: decay.overrides.clone() };
    let descriptions = layout.descriptions();
    let lifted = policy.lifted(&descriptions, choices);
    let first = lifted.first()?;
    let others = match lifted.len() - 1 {
        0 => String::new(),
        others => format!(" and {}", counted(others, "other")),
    };
    Some((
        format!(
            "[decay.overrides] makes {} decay that policy {} leaves out: {first}{others}",
            counted(lifted.len(), "tensor"),
            policy.preset.name()
        ),
        "give them λ = 0 in an override behind it, or a pattern that only matches weights, unless \
         that is meant"
            .to_owned(),
    ))
}
