//! Finding what lies at a path: one file, a folder that belongs together, or several of them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::AuditError;
use crate::bytes::Access;
use crate::limits::Limits;

use super::{Checkpoint, configuration, folder, single};

/// How files are read.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReadOptions {
    /// Mapped, or read whole.
    pub access: Access,
    /// What a file may ask for.
    pub limits: Limits,
    /// Whether checksums are checked where a format has them: every byte is then read.
    pub verify: bool,
}

/// What lies at a path.
#[derive(Debug, Default)]
pub struct Found {
    /// Checkpoints in the order of their steps.
    pub checkpoints: Vec<Checkpoint>,
    /// Files beside them that look like configurations of their training.
    pub configurations: Vec<PathBuf>,
}

/// What the message says that was looked for.
const LOOKED_FOR: &str = "PyTorch files (.pt, .pth, .bin, .ckpt, .tar), safetensors, distributed \
    checkpoints (.metadata), folders of Hugging Face's Trainer, DeepSpeed, Megatron, OLMo-core and \
    wd, and configurations (config.json, args.yaml, hparams.yaml, params.txt …)";

/// Finds every checkpoint at a path, and the configurations beside them.
///
/// A folder that is one checkpoint is read as one; any other folder gives the checkpoints in it, in
/// the order of their steps.
///
/// # Errors
/// If nothing that is known lies there, or what lies there is damaged.
pub fn find(path: &Path, options: &ReadOptions) -> Result<Found, AuditError> {
    let io = |source| AuditError::Io { path: path.to_owned(), source };
    let kind = fs::metadata(path).map_err(io)?;
    let mut found = Found::default();
    if kind.is_dir() {
        found.checkpoints = folder::read(path, options)?;
        found.configurations = configuration::in_folder(path, options.limits)?;
    } else if configuration::is_configuration(path) {
        found.configurations.push(path.to_owned());
    } else {
        found.checkpoints.push(single::read(path, options)?);
        found.configurations = configuration::beside(path, options.limits)?;
    }
    let empty: Vec<Checkpoint> = found.checkpoints.extract_if(.., |one| one.is_empty()).collect();
    // A stable sort: checkpoints without a step stay in the order of their names.
    found.checkpoints.sort_by(|a, b| {
        let step = |checkpoint: &Checkpoint| checkpoint.step().unwrap_or(f64::INFINITY);
        step(a).total_cmp(&step(b))
    });
    // OLMo-core keeps the configuration of a run in the folder of each step.
    if found.configurations.is_empty()
        && let Some(last) = found.checkpoints.last()
        && last.path != path
    {
        found.configurations = match last.path.is_dir() {
            true => configuration::in_folder(&last.path, options.limits)?,
            false => configuration::beside(&last.path, options.limits)?,
        };
    }
    if found.checkpoints.is_empty() && found.configurations.is_empty() {
        // A checkpoint is there, and nothing in it could be read: its remarks say why.
        if let Some((one, remark)) =
            empty.iter().find_map(|one| one.remarks.first().map(|remark| (one, remark)))
        {
            let fault = crate::Fault::whole(remark.trim_end_matches('.'));
            return Err(AuditError::Damaged { path: one.path.clone(), fault });
        }
        let (path, looked_for) = (path.to_owned(), LOOKED_FOR.to_owned());
        return Err(AuditError::Nothing { path, looked_for });
    }
    Ok(found)
}
