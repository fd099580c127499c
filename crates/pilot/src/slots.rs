//! What a machine gives to each trial: cores and accelerators.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::declaration::Limits;

/// What the libraries of the field read for their number of threads.
const THREADS: [&str; 5] = [
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "RAYON_NUM_THREADS",
];

/// Where one trial runs at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Cores; none where they are not to be bound.
    cores: Vec<usize>,
    threads: usize,
    /// The accelerator, as `CUDA_VISIBLE_DEVICES` names it.
    device: Option<String>,
}

impl Slot {
    /// The slots of this machine: as many as were asked for, else one an accelerator, else one for
    /// each [`Limits::cores`] cores, and no more than fit into the memory that is free.
    pub(crate) fn all(asked: Option<usize>, limits: &Limits) -> Vec<Slot> {
        let cores = available_cores();
        let devices = devices();
        let count = asked.unwrap_or_else(|| {
            let by_cores = (cores.len() / limits.cores).max(1);
            let wanted = if devices.is_empty() { by_cores } else { devices.len() };
            match (limits.memory, free_memory()) {
                (Some(each), Some(free)) => {
                    let fitting = usize::try_from(free / each.max(1)).unwrap_or(usize::MAX);
                    wanted.min(fitting.max(1))
                }
                _ => wanted,
            }
        });
        // Where there are fewer cores than were asked for, trials share them. Where there are more,
        // another pilot may have the rest, and both would bind their trials to the first ones.
        let taken = count * limits.cores;
        let are_bound = taken <= cores.len() && taken + limits.cores > cores.len();
        (0..count)
            .map(|slot| Slot {
                cores: match are_bound {
                    true => cores[slot * limits.cores..(slot + 1) * limits.cores].to_vec(),
                    false => Vec::new(),
                },
                threads: limits.cores,
                device: match devices.len() {
                    0 => None,
                    many => devices.get(slot % many).cloned(),
                },
            })
            .collect()
    }

    /// Variables for the program.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let threads = THREADS.iter().map(|name| (*name, self.threads.to_string()));
        let device = self.device.iter().map(|device| ("CUDA_VISIBLE_DEVICES", device.clone()));
        threads.chain(device).collect()
    }

    /// Binds this thread, and with it every process that it starts, to the slot's cores.
    pub(crate) fn pin(&self) {
        if self.cores.is_empty() {
            return;
        }
        let mut set = CpuSet::new();
        for core in &self.cores {
            set.set(*core);
        }
        // Where it is not allowed, trials share the cores: slower, and right.
        let _ = sched_setaffinity(None, &set);
    }
}

/// The cores that this process may use.
fn available_cores() -> Vec<usize> {
    match sched_getaffinity(None) {
        Ok(set) => (0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect(),
        Err(_) => (0..std::thread::available_parallelism().map_or(1, usize::from)).collect(),
    }
}

/// The accelerators: those that this process was given, else those that the driver lists.
fn devices() -> Vec<String> {
    if let Ok(given) = std::env::var("CUDA_VISIBLE_DEVICES") {
        let names = given.split(',').map(str::trim).filter(|name| !name.is_empty());
        return names.map(str::to_owned).collect();
    }
    let count = std::fs::read_dir("/proc/driver/nvidia/gpus").map_or(0, Iterator::count);
    (0..count).map(|device| device.to_string()).collect()
}

/// Bytes that are free for new processes.
fn free_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_that_fill_the_machine_are_bound_to_cores_of_their_own() {
        let limits = |cores: usize| Limits {
            attempts: 1,
            time: None,
            grace: std::time::Duration::from_secs(1),
            heartbeat: std::time::Duration::from_secs(1),
            cores,
            memory: None,
        };
        let here = available_cores();
        let bound = |asked: usize, cores: usize| -> Vec<Vec<usize>> {
            Slot::all(Some(asked), &limits(cores)).into_iter().map(|slot| slot.cores).collect()
        };
        assert_eq!(bound(here.len(), 1).concat(), here);
        assert_eq!(bound(1, here.len()), std::slice::from_ref(&here));
        assert!(bound(here.len() + 1, 1).concat().is_empty(), "more than there are");
        if here.len() > 1 {
            assert!(bound(1, 1).concat().is_empty(), "others may have the rest");
        }
        let variables = Slot::all(Some(1), &limits(3))[0].environment();
        assert!(variables.contains(&("OMP_NUM_THREADS", "3".to_owned())));
    }
}
