//! A study whose program is a few lines of shell.

use std::fs;
use std::path::{Path, PathBuf};

use wd_pilot::{Event, Pilot, PilotOptions, ProgramStudy, Work};

/// A folder with a study file and its script.
pub(crate) struct Folder {
    _temporary: tempfile::TempDir,
    pub(crate) root: PathBuf,
}

/// A program that is deterministic: `train.sh WD SEED` prints five steps of two losses.
pub(crate) const TRAIN: &str = r#"
awk -v wd="$1" -v seed="$2" 'BEGIN { for (s = 0; s < 5; s++) {
  noise = (seed * 37 % 17) / 1700
  printf "{\"step\": %d, \"train/loss\": %.9f, \"val/loss\": %.9f}\n",
    s, 1 / (s + 1) + noise + (s ? wd / 50 : 0), 1.2 / (s + 1) + noise - (s ? wd / 100 : 0) } }'
"#;

/// The study file of that program; `more` is appended.
pub(crate) fn study_file(more: &str) -> String {
    format!(
        "[trial]\ncommand = [\"sh\", \"{{home}}/train.sh\", \"{{wd}}\", \"{{seed}}\"]\n\
         [axes]\nwd = \"0,1\"\nseed = \"0..2\"\n[roles]\nlambda = \"wd\"\nseed = \"seed\"\n{more}"
    )
}

impl Folder {
    pub(crate) fn new(study: &str, script: &str) -> Self {
        let temporary = tempfile::tempdir().expect("a temporary folder");
        let root = fs::canonicalize(temporary.path()).expect("its path");
        fs::write(root.join("study.toml"), study).expect("the study file");
        fs::write(root.join("train.sh"), script).expect("the script");
        Folder { _temporary: temporary, root }
    }

    pub(crate) fn study(&self) -> ProgramStudy {
        ProgramStudy::open(&self.root).expect("a study")
    }

    /// Works on the study until nothing is left.
    pub(crate) fn work(&self) -> Work {
        work(&self.study(), 2)
    }
}

pub(crate) fn work(study: &ProgramStudy, slots: usize) -> Work {
    observed(study, slots, |_| {})
}

pub(crate) fn observed(study: &ProgramStudy, slots: usize, on_event: impl FnMut(Event)) -> Work {
    let slots = Some(slots);
    let options = PilotOptions { slots, waits_for_others: true, ..PilotOptions::default() };
    Pilot::new(study, options).work(on_event).expect("work")
}

/// The folder of an attempt.
pub(crate) fn attempt(study: &ProgramStudy, trial: usize, number: u32) -> PathBuf {
    study.trials()[trial].folder.join("attempts").join(number.to_string())
}

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
