//! Removing checkpoints: old ones, and what killed processes left behind.

use std::fs;

use super::Checkpoints;
use crate::StoreError;

impl Checkpoints {
    /// Keeps the newest `keep` checkpoints that are whole and removes older and damaged ones; gives
    /// the removed steps.
    ///
    /// Damaged ones do not count: were they counted, the last good one could be removed for a bad
    /// one. A checkpoint that could not be read, or is of a later version, is left alone; so are
    /// all when none is whole. Removal goes from the oldest on, and `keep` = 0 removes all.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn prune(&self, keep: usize) -> Result<Vec<u64>, StoreError> {
        let mut steps = self.steps()?;
        let mut kept = 0;
        let mut removed = Vec::new();
        while kept < keep {
            let Some(step) = steps.pop() else { break };
            match self.verify(step) {
                Ok(()) => kept += 1,
                Err(StoreError::Damaged { .. }) => removed.push(step),
                Err(_) => {}
            }
        }
        if kept == 0 && keep > 0 {
            // Nothing is whole: what is there may still be worth something to a person.
            return Ok(Vec::new());
        }
        // Those that are older than all that are kept; then the damaged ones, which were found from
        // the newest on.
        steps.extend(removed.into_iter().rev());
        for &step in &steps {
            self.remove(step)?;
        }
        Ok(steps)
    }

    /// Under a name that no reader takes for a checkpoint, so that a kill in the middle leaves no
    /// half of one.
    fn remove(&self, step: u64) -> Result<(), StoreError> {
        let place = self.path(step);
        let aside = self.root.join(format!(".tmp-step-{step}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&aside);
        fs::rename(&place, &aside).map_err(StoreError::io("remove", &place))?;
        fs::remove_dir_all(&aside).map_err(StoreError::io("remove", &place))
    }

    /// Removes what killed processes left: half-written checkpoints, and replaced ones. A
    /// checkpoint that had stepped aside for one that never came is put back. Only the holder of
    /// the run's lock may call this.
    pub(crate) fn sweep(&self) -> Result<(), StoreError> {
        for name in self.names()? {
            let path = self.root.join(&name);
            if !path.is_dir() {
                continue;
            }
            if let Some(step) = step_aside(&name, ".old-step-")
                && !self.path(step).exists()
            {
                fs::rename(&path, self.path(step)).map_err(StoreError::io("put back", &path))?;
            } else if step_aside(&name, ".old-step-").or(step_aside(&name, ".tmp-step-")).is_some()
            {
                fs::remove_dir_all(&path).map_err(StoreError::io("remove", &path))?;
            }
        }
        Ok(())
    }
}

/// The step N of a name `PREFIX N-PID`.
fn step_aside(name: &str, prefix: &str) -> Option<u64> {
    let (step, id) = name.strip_prefix(prefix)?.split_once('-')?;
    id.parse::<u32>().ok()?;
    step.parse().ok()
}
