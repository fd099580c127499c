//! The memory that a run takes at the least, against what the machine has, before any is taken.

use std::fs;

use rustix::process::{Resource, getrlimit};
use wd_decay::OptimizerKind;
use wd_nn::ParameterLayout;

use crate::config::{ConfigFault, RunConfig};

/// Bytes of a weight, of its gradient, and of each number that an optimizer keeps of it.
const NUMBER: u128 = 4;

/// Refuses a run that cannot fit: where memory is promised before it is there, the system would
/// kill the process long after the start.
pub(super) fn check_memory(
    config: &RunConfig,
    layout: &ParameterLayout,
    running: &ParameterLayout,
    per_step: u64,
) -> Result<(), ConfigFault> {
    let Some(memory) = memory() else { return Ok(()) };
    let bytes = least(config, layout.len, running.len, per_step);
    if bytes <= u128::from(memory) {
        return Ok(());
    }
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    Err(ConfigFault::TooLarge { parameters: layout.len as u64, bytes, memory })
}

/// What every run takes: weights, gradients, the optimizer's state, a moving average and a step's
/// data. Activations, of which there are more or fewer with the threads, are left out.
fn least(config: &RunConfig, parameters: usize, running: usize, per_step: u64) -> u128 {
    let states = match config.optim.kind {
        OptimizerKind::Adam | OptimizerKind::Adamw => 2,
        _ => 0,
    };
    let average = u128::from(config.run.average.is_some());
    // A token of a text is a number twice, as input and as target; an image is more.
    parameters as u128 * NUMBER * (2 + states + average)
        + running as u128 * NUMBER * (1 + average)
        + u128::from(per_step) * NUMBER
}

/// Bytes that this process may take: those of the machine, or fewer where the process or the group
/// that it runs in is limited; absent where the system does not say.
fn memory() -> Option<u64> {
    let group = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let group = group.iter().filter_map(|path| fs::read_to_string(path).ok()?.trim().parse().ok());
    let process = getrlimit(Resource::As).current;
    machine().into_iter().chain(group).chain(process).min()
}

/// Bytes of the machine's memory.
fn machine() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    total.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_memory() {
        if cfg!(target_os = "linux") {
            assert!(memory().is_some_and(|bytes| bytes > 1 << 20));
        }
    }
}
