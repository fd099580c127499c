//! Pilots by way of Slurm: one script, one array of jobs, and what became of them.
//!
//! The batch system starts pilots and ends them; which trial runs where is theirs to settle, so that
//! a pilot that is requeued, preempted or lost needs no bookkeeping here.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Serialize;
use serde_json::Value;
use wd_page::{Content, Page, Section, counted, words::quoted};
use wd_store::write_file;

use crate::PilotError;
use crate::study::ProgramStudy;

/// Seconds between the request to end and the end of the job's time. Slurm may ask up to a minute
/// early, and never late.
const NOTICE: u32 = 120;

/// What is asked of Slurm.
#[derive(Debug, Clone, Default)]
pub struct SlurmOptions {
    /// The words that start the program that is the pilot: this one.
    pub program: Vec<String>,
    /// How many pilots.
    pub pilots: usize,
    /// Trials side by side in each.
    pub slots: Option<usize>,
    /// The time of each, as `sbatch --time` takes it.
    pub time: Option<String>,
    /// The partition.
    pub partition: Option<String>,
    /// Further arguments of `sbatch`.
    pub more: Vec<String>,
}

/// What was submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Submitted {
    /// The number of the array of jobs.
    pub job: String,
    /// The script.
    pub script: PathBuf,
    /// How many pilots it has.
    pub pilots: usize,
}

impl Submitted {
    /// The page.
    pub fn page(&self) -> Page {
        let lead = format!(
            "{} submitted as job {}; `wd study status` says where they stand.",
            counted(self.pilots, "pilot"),
            self.job
        );
        let script = Content::fact("the script", self.script.display().to_string());
        let sections = vec![Section::terminal(vec![script])];
        Page { kind: "Pilots submitted", lead, sections, ..Page::default() }
    }
}

impl ProgramStudy {
    /// Writes the script and submits an array of pilots.
    ///
    /// # Errors
    /// [`PilotError::Cluster`] with what `sbatch` said, [`PilotError::Store`] when the script cannot
    /// be written, [`PilotError::LooksChanged`].
    pub fn submit(&self, options: &SlurmOptions) -> Result<Submitted, PilotError> {
        self.fix_looks()?;
        let folder = self.root().join("slurm");
        let script = folder.join("pilots.sh");
        let slots = options.slots.unwrap_or(1);
        let text = format!(
            "#!/bin/sh\n# A pilot of the study: it claims trials and runs them until none is left.\n\
             exec {} study work {} --slots {slots}\n",
            options.program.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
            quoted(&self.root().display().to_string()),
        );
        write_file(&script, text.as_bytes())?;
        let mut command = Command::new("sbatch");
        command
            .arg("--parsable")
            .arg(format!("--array=0-{}", options.pilots.saturating_sub(1)))
            // Slurm starts a pilot again whose node was lost; its trials are claimed anew.
            .args(["--requeue", "--open-mode=append"])
            .arg(format!("--cpus-per-task={}", slots * self.declaration().limits.cores))
            .arg(format!("--job-name=wd-{}", self.declaration().title.replace(' ', "-")))
            .arg(format!("--output={}", folder.join("%A-%a.log").display()));
        if let Some(bytes) = self.declaration().limits.memory {
            command.arg(format!("--mem={}M", bytes.div_ceil(1_000_000) * slots as u64));
        }
        if let Some(time) = &options.time {
            command.arg(format!("--time={time}")).arg(format!("--signal=B:TERM@{NOTICE}"));
        }
        if let Some(partition) = &options.partition {
            command.arg(format!("--partition={partition}"));
        }
        command.args(&options.more).arg(&script);
        let said = ask(&mut command)?;
        // `sbatch --parsable` prints the number, and of several clusters the name behind it.
        let job = said.trim().split(';').next().unwrap_or_default().to_owned();
        let path = jobs_path(self.root());
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|mut file| writeln!(file, "{job}"))
            .map_err(PilotError::io("write", &path))?;
        Ok(Submitted { job, script, pilots: options.pilots })
    }

    /// What the queue says of the pilots that were submitted, in sentences; nothing where none was.
    pub fn queue(&self) -> Vec<String> {
        let jobs = jobs(self.root());
        if jobs.is_empty() {
            return Vec::new();
        }
        let states = match states(&jobs) {
            Ok(states) => states,
            Err(error) => return vec![format!("The queue cannot be asked: {error}.")],
        };
        if states.is_empty() {
            return vec![
                "Slurm has no pilot of this study any more, neither at work nor waiting."
                    .to_owned(),
            ];
        }
        let told: Vec<String> = states
            .iter()
            .map(|(state, count)| format!("{count} {}", state.to_lowercase()))
            .collect();
        vec![format!("Pilots in Slurm: {}.", told.join(", "))]
    }

    /// Takes the pilots that were submitted out of the queue and off their nodes.
    ///
    /// # Errors
    /// [`PilotError::Cluster`] with what `scancel` said.
    pub fn cancel(&self) -> Result<usize, PilotError> {
        let jobs = jobs(self.root());
        if !jobs.is_empty() {
            // A batch job's own signal reaches the pilot; its programs it asks itself.
            ask(Command::new("scancel").arg("--quiet").args(&jobs))?;
        }
        Ok(jobs.len())
    }
}

/// The file with the numbers of the jobs, a line each.
fn jobs_path(root: &Path) -> PathBuf {
    root.join("slurm").join("jobs")
}

fn jobs(root: &Path) -> Vec<String> {
    let text = fs::read_to_string(jobs_path(root)).unwrap_or_default();
    let is_job = |line: &&str| !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
    text.lines().filter(is_job).map(str::to_owned).collect()
}

/// How many pilots are in which state: from JSON, whose form changes with Slurm's version, else from
/// the words that every version prints.
fn states(jobs: &[String]) -> Result<BTreeMap<String, usize>, PilotError> {
    let json = ask(Command::new("squeue").arg("--json")).ok();
    let value = json.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    if let Some(entries) = value.as_ref().and_then(|value| value.get("jobs")?.as_array()) {
        return Ok(of_entries(entries, jobs));
    }
    let words = ask(Command::new("squeue").args(["-h", "-r", "-o", "%F %T"]))?;
    let mut states = BTreeMap::new();
    for line in words.lines() {
        if let Some((job, state)) = line.trim().split_once(' ')
            && jobs.iter().any(|known| known == job)
        {
            *states.entry(state.trim().to_owned()).or_default() += 1;
        }
    }
    Ok(states)
}

/// The states in the entries of `squeue --json`. A number is one, or an object with it; a state is a
/// word, or a list of words. Those that are over stay listed for a while.
fn of_entries(entries: &[Value], jobs: &[String]) -> BTreeMap<String, usize> {
    const AT_WORK: [&str; 6] =
        ["PENDING", "RUNNING", "CONFIGURING", "COMPLETING", "REQUEUED", "SUSPENDED"];
    let number = |value: &Value| match value {
        Value::Object(inner) => inner.get("number").and_then(Value::as_u64),
        value => value.as_u64(),
    };
    let mut states = BTreeMap::new();
    for entry in entries {
        let of = |key: &str| entry.get(key).and_then(number).filter(|number| *number > 0);
        let is_ours = [of("array_job_id"), of("job_id")]
            .into_iter()
            .flatten()
            .any(|number| jobs.contains(&number.to_string()));
        let state = match entry.get("job_state") {
            Some(Value::Array(words)) => words.first().and_then(Value::as_str),
            Some(word) => word.as_str(),
            None => None,
        };
        if let (true, Some(state)) = (is_ours, state)
            && AT_WORK.contains(&state)
        {
            // Pilots of an array that wait are one entry: `0-3,7`.
            let waiting = entry.get("array_task_string").and_then(Value::as_str);
            let count = waiting.map_or(1, tasks);
            *states.entry(state.to_owned()).or_default() += count;
        }
    }
    states
}

/// How many tasks `0-3,7%2` are; one where it is empty.
fn tasks(text: &str) -> usize {
    let list = text.split('%').next().unwrap_or_default();
    let count = list.trim_matches(['[', ']']).split(',').map(|part| match part.split_once('-') {
        Some((first, last)) => match (first.parse::<usize>(), last.parse::<usize>()) {
            (Ok(first), Ok(last)) if last >= first => last - first + 1,
            _ => 1,
        },
        None => 1,
    });
    count.sum()
}

/// What a command of the batch system prints.
fn ask(command: &mut Command) -> Result<String, PilotError> {
    let name = command.get_program().to_string_lossy().into_owned();
    let failed = |problem: String| PilotError::Cluster { command: name.clone(), problem };
    let output = command.output().map_err(|error| failed(error.to_string()))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_is_read_in_old_and_new_forms() {
        let text = r#"[
            {"job_id": 12, "array_job_id": 10, "job_state": "RUNNING", "array_task_string": ""},
            {"job_id": 13, "array_job_id": {"set": true, "number": 10}, "job_state": ["RUNNING"]},
            {"job_id": 10, "array_job_id": 10, "job_state": "PENDING", "array_task_string": "2-4,9%2"},
            {"job_id": 14, "array_job_id": 10, "job_state": ["COMPLETED"]},
            {"job_id": 15, "array_job_id": 0, "job_state": "RUNNING"}, {"job_id": "x"}, 7]"#;
        let entries: Vec<Value> = serde_json::from_str(text).unwrap();
        let found = of_entries(&entries, &["10".to_owned()]);
        let expected = [("PENDING".to_owned(), 4), ("RUNNING".to_owned(), 2)];
        assert_eq!(found, BTreeMap::from(expected));
    }
}
