//! The claims of which a single study tells, whoever made it: for a page that is looked at while
//! the study is trained.

use wd_decay::ScheduleKind::{Constant, Cosine};
use wd_decay::Unit;
use wd_lab::{Analysis, Study};
use wd_page::{Claim, Content, Section, Supported};

use super::adam_scale::ScaledGradients;
use super::controls::Controls;
use super::row::{ClaimRow, ClaimWords, Finding, Verdict, Words};
use super::runs::Runs;
use super::{averaging, effective_rate, formulas, images, linear, one_pass};
use crate::StudyError;
use crate::prior::shipped_evidence;
use crate::vision::VisionAnalysis;

/// More passes than this over the data are many: the claims are about one.
const ONE_PASS: f64 = 1.001;

/// What a study of language models that see their data once tells of claims 21 to 26 and 29.
/// Nothing where the data are images, or are seen more often.
///
/// # Errors
/// [`StudyError::Lab`] when a run directory is damaged.
pub fn of_language_models(study: &Study, analysis: &Analysis) -> Result<Vec<ClaimRow>, StudyError> {
    let setup = analysis.arms.iter().find_map(|arm| arm.setup.as_ref());
    if !setup.is_some_and(|setup| setup.unit == Unit::Token && setup.epochs <= ONE_PASS) {
        return Ok(Vec::new());
    }
    let runs = Runs::read(study)?;
    let (cosine, constant) = (runs.under(Cosine), runs.under(Constant));
    let (none, scaled) = (Controls::default(), ScaledGradients::run()?);
    rows(|number| {
        Ok(Some(match number {
            21 => effective_rate::gradient_fades(&cosine),
            22 => one_pass::crosses(analysis),
            23 => effective_rate::gradient_drives(&cosine, &scaled),
            24 => one_pass::gap_stays(analysis),
            25 => one_pass::only_hurts_at_a_constant_rate(analysis),
            26 => averaging::only_a_prior(&constant, &cosine, &none),
            29 => effective_rate::gradient_is_preserved(&cosine),
            _ => return Ok(None),
        }))
    })
}

/// What a study of networks on images tells of claims 2, 12, 13 and 15 to 17.
///
/// # Errors
/// [`StudyError`] when what the program carries along is damaged.
pub fn of_images(found: &VisionAnalysis) -> Result<Vec<ClaimRow>, StudyError> {
    let evidence = shipped_evidence()?;
    rows(|number| {
        Ok(Some(match number {
            2 => images::prevents_over_fitting(found, &linear::effective_parameters(&evidence)),
            12 => images::too_large(found, &formulas::diverges()?),
            13 => images::too_small(found, &formulas::does_nothing()?),
            15 => images::more_data(found),
            16 => images::vit_needs_more(found),
            17 => images::much_data(found),
            _ => return Ok(None),
        }))
    })
}

fn rows(
    finding: impl Fn(u32) -> Result<Option<Finding>, StudyError>,
) -> Result<Vec<ClaimRow>, StudyError> {
    let mut rows = Vec::new();
    for words in Words::read()?.parts.into_iter().flat_map(|part| part.claims) {
        let ClaimWords { number, says, done, command } = words;
        if let Some(finding) = finding(number)? {
            rows.push(ClaimRow { number, says, done, command, finding });
        }
    }
    Ok(rows)
}

/// The claims with what these runs show, as a section: seen, not seen, or undecided.
pub fn seen_here(rows: &[ClaimRow]) -> Option<Section> {
    let claims = rows.iter().map(|row| {
        let settle = row.finding.to_settle.as_ref();
        let settle = settle.map(|how| format!(" To settle it: {how}.")).unwrap_or_default();
        Claim {
            claim: format!("{}. {}", row.number, row.says),
            supported: match row.finding.verdict {
                Verdict::BorneOut | Verdict::Definition => Supported::Supported,
                Verdict::Contradicted => Supported::Contradicted,
                Verdict::Undecided => Supported::Undecided,
            },
            finding: format!("{}{settle}", row.finding.found),
        }
    });
    let contents = vec![
        Content::Paragraph(
            "Statements that people read about weight decay, judged by the runs of this study \
             alone: supported is what they show, contradicted is what they show not to be so, and \
             undecided is what they are too few to say. `wd reproduce claims` has all 31."
                .to_owned(),
        ),
        Content::Claims(claims.collect()),
    ];
    let section = Section::full("claims", "What is said of λ, by these runs", contents);
    (!rows.is_empty()).then(|| section.named("Claims"))
}
