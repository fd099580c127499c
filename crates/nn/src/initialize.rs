//! Initial weights: each tensor's numbers depend on the seed and its path alone.

use crate::error::check_length;
use crate::random::{self, Stream};
use crate::{GptConfig, NnError, ParameterLayout};

impl GptConfig {
    /// Fills `parameters` with initial weights: N(0, `init_std`²) for matrices and embeddings,
    /// branch outputs with `init_std/√(2·layers)`, biases 0, norm gains 1 (nanoGPT's
    /// initialisation).
    ///
    /// A tensor's numbers are a function of (`seed`, path, element): adding a tensor to the model
    /// changes no other.
    ///
    /// # Errors
    /// [`NnError::Length`] if `parameters` does not have the layout's length;
    /// [`NnError::Configuration`].
    pub fn initialize(&self, seed: u64, parameters: &mut [f32]) -> Result<(), NnError> {
        self.validate()?;
        self.layout().initialize(seed, parameters)
    }
}

impl ParameterLayout {
    /// Fills `parameters` with every tensor's initial values.
    pub(crate) fn initialize(&self, seed: u64, parameters: &mut [f32]) -> Result<(), NnError> {
        check_length("parameters", parameters.len(), self.len)?;
        for segment in &self.segments {
            let values = &mut parameters[segment.range()];
            if segment.initial_std == 0.0 {
                values.fill(segment.initial_mean as f32);
                continue;
            }
            let stream = Stream::new(seed, random::hash(segment.path.as_bytes()));
            for (pair, values) in values.chunks_mut(2).enumerate() {
                let normals = stream.normal_pair(pair as u64);
                for (value, normal) in values.iter_mut().zip(normals) {
                    *value = (segment.initial_mean + segment.initial_std * normal) as f32;
                }
            }
        }
        Ok(())
    }
}
