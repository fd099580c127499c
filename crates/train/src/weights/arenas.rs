//! The numbers of a model.

use wd_nn::ParameterLayout;

/// Weights and what batch norm has gathered beside them.
#[derive(Clone, Copy)]
pub(crate) struct Weights<'a> {
    pub parameters: &'a [f32],
    pub running: &'a [f32],
}

/// What a model's tensors are read into.
pub(crate) struct Arenas<'a> {
    pub layout: &'a ParameterLayout,
    pub parameters: &'a mut [f32],
    pub running_layout: &'a ParameterLayout,
    pub running: &'a mut [f32],
}
