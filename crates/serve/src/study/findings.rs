//! The same analysis and page as a report, of the runs that a visitor wants to see.

use wd_lab::page::{context, settling};
use wd_lab::progress::State;
use wd_lab::{Analysis, AnalysisOptions, LabError, Progress, analyse_again};
use wd_page::{Content, Context, Page, Section};
use wd_studies::claims::{self, seen_here};
use wd_studies::vision;

use super::choice::Choice;
use super::runs::{LiveRun, Runs};

/// What was found.
pub(crate) struct Findings {
    /// The page, with the progress of the runs where some have no result.
    pub(crate) page: Page,
    /// The analysis; absent for studies of images, which have their own, and before the first run
    /// has ended.
    pub(crate) analysis: Option<Analysis>,
    /// How far the runs are; absent where their metrics are damaged.
    pub(crate) progress: Option<Progress>,
}

/// What the wanted runs show.
pub(crate) fn findings(runs: &Runs, choice: &Choice) -> Findings {
    let wanted: Vec<&LiveRun> = runs.runs.iter().filter(|run| choice.wants(run)).collect();
    let (page, analysis) = match analysed(runs, choice, &wanted) {
        Ok((page, analysis)) => (page, analysis),
        Err(problem) => (without(runs, problem), None),
    };
    let mut page = page;
    if let Some(problem) = &runs.problem {
        let warning = Content::Absent(problem.clone());
        page.sections.insert(0, Section::new("problem", "What cannot be shown", vec![warning]));
    }
    let named: Vec<_> = wanted.iter().map(|run| (run.name.as_str(), &run.record)).collect();
    let progress = Progress::of(&named);
    match &progress {
        Ok(progress) => {
            if analysis.is_none() && page.lead.is_empty() {
                page.lead = match &runs.problem {
                    Some(_) if wanted.is_empty() => "These runs cannot be shown.".to_owned(),
                    _ => first_words(progress),
                };
            }
            let first = usize::from(runs.problem.is_some());
            if let Some(section) = progress.section() {
                page.sections.insert(first, section);
            }
        }
        Err(error) => {
            let warning = Content::Absent(error.to_string());
            page.sections.push(Section::new("progress", "How far the runs are", vec![warning]));
        }
    }
    if let Some(standing) = &runs.standing {
        let contents = standing.sections.iter().flat_map(|section| section.contents.clone());
        let contents = [Content::Paragraph(standing.lead.clone())].into_iter().chain(contents);
        let section = Section::new("standing", "Where the trials stand", contents.collect());
        page.sections.insert(0, section.named("Trials"));
    }
    Findings { page, analysis, progress: progress.ok() }
}

type Analysed = (Page, Option<Analysis>);

fn analysed(runs: &Runs, choice: &Choice, wanted: &[&LiveRun]) -> Result<Analysed, LabError> {
    let mut around = match &runs.study {
        Some(study) => context(study),
        None => Context { title: runs.title.clone(), ..Context::default() },
    };
    if let (Some(study), true) = (&runs.study, choice.wants_all())
        && vision::is_vision(study)
    {
        let images = vision::analyse(study)?;
        let mut page = images.page(&around);
        page.sections.extend(claims::of_images(&images).ok().and_then(|rows| seen_here(&rows)));
        return Ok((page, None));
    }
    let records: Vec<_> = wanted.iter().map(|run| &run.record).collect();
    let analysis = analyse_again(&records, &AnalysisOptions::default())?;
    if let (Some(study), true) = (&runs.study, choice.wants_all()) {
        around.settling = settling(study, &analysis);
    }
    let mut page = analysis.page(&around);
    if let (Some(study), true) = (&runs.study, choice.wants_all()) {
        page.sections.extend(runs.said.about(study, &analysis, records.iter().copied()));
    }
    Ok((page, Some(analysis)))
}

/// The page of a study that cannot be analysed: before its first run has ended, that is no problem.
fn without(runs: &Runs, problem: LabError) -> Page {
    let is_early = matches!(problem, LabError::NothingToAnalyse { .. });
    let contents = vec![Content::Absent(problem.to_string())];
    Page {
        kind: "What weight decay did",
        title: runs.title.clone(),
        sections: match is_early {
            true => Vec::new(),
            false => vec![Section::new("problem", "What cannot be shown", contents)],
        },
        ..Page::default()
    }
}

/// What is said before there is a verdict.
fn first_words(progress: &Progress) -> String {
    match (progress.count(State::Running), progress.runs.is_empty()) {
        (_, true) => "No run has these settings.".to_owned(),
        // How far they are stands below: a screen reader should not hear it every second.
        (0, _) => "There is no verdict yet: no run has ended.".to_owned(),
        _ => "There is no verdict before the first runs end.".to_owned(),
    }
}
