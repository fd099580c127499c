//! Formats: torch's zip and legacy stream, pickles, safetensors, sharded checkpoints.

mod assemble;
pub mod distributed;
pub(crate) mod inside;
pub mod pickle;
pub mod safetensors;
pub mod torch_legacy;
pub mod torch_zip;
pub mod zip;
