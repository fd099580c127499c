//! The run directory: what is written reads back, and what was torn, damaged or did not fit loses
//! nothing else.

mod checkpoints;
mod events;
mod fixture;
mod format_1;
#[cfg(target_os = "linux")]
mod full_disk;
mod metrics;
mod small_files;
mod tensor_files;
