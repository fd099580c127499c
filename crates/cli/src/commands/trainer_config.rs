//! Configurations of other trainers, where a setting or a run is asked for.

use std::path::Path;

use wd_audit::dialect::{self, Declaration};

use crate::diagnostics::CommandError;

/// Is this word a file, or meant to be one?
pub(crate) fn is_file(word: &str) -> bool {
    let path = Path::new(word);
    wd_audit::checkpoint::is_configuration(path) || path.is_file()
}

/// What a trainer's configuration declares; nothing for a configuration of this program, which is
/// read as what it is, whatever is wrong with it.
pub(crate) fn read(path: &Path) -> Result<Option<Declaration>, CommandError> {
    let is_toml = path.extension().is_some_and(|extension| extension == "toml");
    let text = match std::fs::read_to_string(path) {
        Err(_) if is_toml => return Ok(None),
        text => {
            text.map_err(|source| wd_audit::AuditError::Io { path: path.to_owned(), source })?
        }
    };
    match dialect::read(path, &text) {
        Ok(declaration) if declaration.dialect == dialect::OWN => Ok(None),
        Ok(declaration) if is_toml && declaration.dialect == dialect::UNKNOWN => Ok(None),
        Err(_) if is_toml => Ok(None),
        declaration => Ok(Some(declaration?)),
    }
}
