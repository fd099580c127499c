//! The audit: from paths to a plain value.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::bytes::Access;
use crate::case::{Case, Subject};
use crate::checkpoint::{self, Checkpoint, ReadOptions};
use crate::dialect::{self, Declaration};
use crate::estimate::{self, Proof, Rates};
use crate::finding::{Finding, Severity};
use crate::limits::Limits;
use crate::output::Baseline;
use crate::summary::FileSummary;
use crate::{AuditError, names, order, rules};

/// Version of the audit's JSON; it changes when a key changes its meaning.
pub const SCHEMA: u32 = 1;

/// What is to be audited, and how.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// A configuration that holds for all of them.
    pub config: Option<PathBuf>,
    /// A checkpoint to set against the last of `paths`.
    pub against: Option<PathBuf>,
    /// Learning rates by step.
    pub rates: Option<PathBuf>,
    /// Rules to use, by id, name or prefix; all where empty.
    pub select: Vec<String>,
    /// Rules not to use.
    pub ignore: Vec<String>,
    /// Findings that are known and do not count.
    pub baseline: Option<PathBuf>,
    /// Whether checksums are compared too.
    pub verify: bool,
    /// How files are brought into memory.
    pub access: Access,
}

/// Why a finding does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SetAside {
    /// A comment `# wd: ignore[…]` of the configuration names its rule.
    Comment,
    /// The baseline holds it.
    Baseline,
}

/// A finding that does not count, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AsideFinding {
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// Why it does not count.
    pub set_aside: SetAside,
}

/// What the files hold, what may be wrong, and what they prove.
#[derive(Debug, Clone, Serialize)]
pub struct Audit {
    /// Version of this form.
    pub schema: u32,
    /// Each checkpoint, in the order of the steps.
    pub files: Vec<FileSummary>,
    /// Configurations that were given.
    pub declarations: Vec<Declaration>,
    /// What the files prove.
    pub proof: Proof,
    /// What may be wrong, the most severe first.
    pub findings: Vec<Finding>,
    /// Findings that do not count.
    pub set_aside: Vec<AsideFinding>,
}

impl Audit {
    /// Reads, judges and proves.
    ///
    /// # Errors
    /// If a file cannot be read, nothing that can be audited is found, or a rule is unknown.
    pub fn of(request: &Request) -> Result<Self, AuditError> {
        let rules = rules::select(&request.select, &request.ignore)?;
        let baseline = request.baseline.as_deref().map(Baseline::read).transpose()?;
        let case = collect(request)?;
        let files = case.subjects.iter().map(|subject| FileSummary::of(subject, &case)).collect();
        let mut findings = once(rules::judge(&case, rules));
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        let (findings, set_aside) = set_aside(findings, &case, baseline.as_ref());
        Ok(Audit {
            schema: SCHEMA,
            files,
            declarations: case.declarations,
            proof: case.proof,
            findings,
            set_aside,
        })
    }

    /// The severity of the gravest finding.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    /// Number of findings of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

/// Everything that is judged together.
fn collect(request: &Request) -> Result<Case, AuditError> {
    let options =
        ReadOptions { access: request.access, limits: Limits::DEFAULT, verify: request.verify };
    let mut declarations = Vec::new();
    let mut checkpoints = Vec::new();
    for path in request.paths.iter().chain(&request.against) {
        let found = checkpoint::find(path, &options)?;
        // A configuration may be given as a path of its own.
        if found.checkpoints.is_empty() {
            for path in &found.configurations {
                declarations.push(read_configuration(path)?);
            }
            continue;
        }
        let (beside, unread) = read_beside(&found.configurations);
        for mut read in found.checkpoints {
            read.remarks.extend(unread.iter().cloned());
            checkpoints.push((read, beside.clone()));
        }
    }
    if let Some(path) = &request.config {
        declarations.push(read_configuration(path)?);
    }
    let mut subjects: Vec<Subject> =
        checkpoints.into_iter().map(|(read, beside)| subject(read, beside)).collect();
    if let Some((first, second)) = order::of_several_runs(&subjects) {
        return Err(AuditError::Unrelated {
            path: first.checkpoint.path.clone(),
            other: second.checkpoint.path.clone(),
            reason: format!(
                "both are of step {} and their weights differ, so that they are of two runs; \
                 audit each run by itself",
                wd_page::number::count(first.checkpoint.step().unwrap_or_default() as u64)
            ),
        });
    }
    order::by_steps(&mut subjects);
    let rates = request.rates.as_deref().map(Rates::read).transpose()?;
    if let Some((path, given)) = request.rates.as_ref().zip(rates.as_ref())
        && let Some(reason) = estimate::contradicted(&subjects, given)
    {
        return Err(AuditError::Configuration { path: path.clone(), line: None, reason });
    }
    let proof = estimate::prove(&mut subjects, rates.as_ref(), &declarations);
    Ok(Case { subjects, declarations, proof })
}

/// A checkpoint with its parameters named and its configurations read.
fn subject(mut checkpoint: Checkpoint, beside: Vec<Declaration>) -> Subject {
    order::count_by_name(&mut checkpoint);
    let (naming, parameters) = names::resolve(&checkpoint);
    let within = checkpoint
        .embedded
        .iter()
        .filter_map(|embedded| dialect::read_value(&embedded.file, &embedded.key, &embedded.value));
    let declarations = within.chain(beside).collect();
    Subject { checkpoint, naming, parameters, declarations }
}

/// Configurations that lie beside a checkpoint, and what is said of those that cannot be read:
/// nobody asked for them, so that they end nothing.
fn read_beside(paths: &[PathBuf]) -> (Vec<Declaration>, Vec<String>) {
    let (mut declarations, mut unread) = (Vec::new(), Vec::new());
    for path in paths {
        match read_configuration(path) {
            Ok(declaration) => declarations.push(declaration),
            Err(error) => {
                unread.push(format!("The configuration beside it was left out: {error}."))
            }
        }
    }
    (declarations, unread)
}

fn read_configuration(path: &Path) -> Result<Declaration, AuditError> {
    let io = |source| AuditError::Io { path: path.to_owned(), source };
    let length = std::fs::metadata(path).map_err(io)?.len();
    if length > Limits::DEFAULT.text_bytes as u64 {
        let reason =
            format!("it has {}, more than a configuration has", wd_page::number::bytes(length));
        return Err(AuditError::Configuration { path: path.to_owned(), line: None, reason });
    }
    dialect::read(path, &std::fs::read_to_string(path).map_err(io)?)
}

/// Of findings that say the same of several checkpoints of one training, that of the last.
fn once(findings: Vec<Finding>) -> Vec<Finding> {
    let same = |a: &Finding, b: &Finding| {
        a.rule == b.rule && a.message == b.message && a.tensors == b.tensors
    };
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings {
        match kept.iter_mut().find(|earlier| same(earlier, &finding)) {
            Some(earlier) => *earlier = finding,
            None => kept.push(finding),
        }
    }
    kept
}

/// The findings that count, and those that do not.
fn set_aside(
    findings: Vec<Finding>,
    case: &Case,
    baseline: Option<&Baseline>,
) -> (Vec<Finding>, Vec<AsideFinding>) {
    let read = case.subjects.iter().flat_map(|subject| &subject.declarations);
    let ignored: Vec<&str> = read
        .chain(&case.declarations)
        .flat_map(|declaration| declaration.ignored.iter().map(String::as_str))
        .collect();
    let mut counted = Vec::new();
    let mut aside = Vec::new();
    for finding in findings {
        let by_comment = ignored
            .iter()
            .any(|name| rules::find(finding.rule).is_ok_and(|rule| rules::is_named(rule, name)));
        let known = baseline.is_some_and(|baseline| baseline.holds(&finding));
        match (by_comment, known) {
            (true, _) => aside.push(AsideFinding { finding, set_aside: SetAside::Comment }),
            (_, true) => aside.push(AsideFinding { finding, set_aside: SetAside::Baseline }),
            _ => counted.push(finding),
        }
    }
    (counted, aside)
}
