//! Formats: torch's zip and legacy stream, pickles, safetensors, sharded checkpoints.
