//! The report of `wd reproduce vision`: where the best λ lies for each model and amount of data.
//!
//! | file | section |
//! |---|---|
//! | `response` | test loss and accuracy over ηλ, and over σ where the rule is a prior |
//! | `optimum` | where the best ηλ lies, how it moves, what it gains |
//! | `regimes` | many passes against one pass |
//! | `ridge` | loss over λ × η |
//! | `shift` | the best λ on shifted images |

mod optimum;
mod regimes;
mod response;
mod ridge;
mod shift;

use crate::vision::analysis::{Surface, VisionAnalysis};
use wd_lab::wording::Ends;
use wd_statistics::Interval;

use wd_page::{Claim, Content, Context, Page, Section, Supported, Table, number};

impl VisionAnalysis {
    /// The study as a page.
    pub fn page(&self, context: &Context) -> Page {
        page(self, context)
    }
}

fn page(analysis: &VisionAnalysis, context: &Context) -> Page {
    let mut sections = vec![
        summary(analysis, context),
        verdict(analysis, context),
        response::section(analysis),
        optimum::section(analysis),
        regimes::section(analysis),
        ridge::section(analysis),
        shift::section(analysis),
        table(analysis),
    ];
    sections.extend(context.sections());
    let trials: usize = analysis
        .surfaces
        .iter()
        .flat_map(|surface| &surface.points)
        .map(|point| point.finals.len())
        .sum();
    let seeds = analysis
        .surfaces
        .iter()
        .flat_map(|surface| &surface.points)
        .map(|point| point.finals.len())
        .max()
        .unwrap_or_default();
    let mut models: Vec<&str> = analysis.surfaces.iter().map(Surface::model).collect();
    models.sort_unstable();
    models.dedup();
    Page {
        kind: "Where the best λ lies",
        title: context.title.clone(),
        lead: lead(analysis),
        regime: "Intervals are 95 % Student intervals over seeds; two runs of one seed start from \
                 the same weights and see the same images in the same order."
            .to_owned(),
        facts: vec![
            ("Runs".to_owned(), trials.to_string()),
            ("Most seeds".to_owned(), seeds.to_string()),
            ("Models".to_owned(), models.join(", ")),
        ],
        sections,
    }
}

/// Points of a study that are listed one by one on a terminal.
const MOST_LISTED: usize = 24;

/// The short form for a terminal: the points of a small study, and the claims.
fn summary(analysis: &VisionAnalysis, context: &Context) -> Section {
    let mut contents = Vec::new();
    let points: usize = analysis.surfaces.iter().map(|surface| surface.points.len()).sum();
    if points <= MOST_LISTED {
        let mut table = Table::new(&["setting", "η", "λ", "test loss", "accuracy"], 1);
        for surface in &analysis.surfaces {
            table.rows.extend(surface.points.iter().map(|point| {
                vec![
                    surface.label(),
                    number::short(point.learning_rate),
                    number::short(point.lambda),
                    with_interval(point.test_loss, 4),
                    with_interval(point.test_accuracy, 3),
                ]
            }));
        }
        contents.push(Content::Table(table));
    }
    contents.extend(context.undecided("What would decide it:"));
    let (decided, open) = by_decision(&analysis.claims);
    contents.push(Content::Claims([decided, open].concat()));
    Section::terminal(contents)
}

/// What one seed showed of each setting, where no setting has more: nothing can be borne out yet.
fn first_look(analysis: &VisionAnalysis) -> Option<String> {
    let points = || analysis.surfaces.iter().flat_map(|surface| &surface.points);
    if points().any(|point| point.finals.len() > 1) {
        return None;
    }
    let seen = analysis.surfaces.iter().filter_map(|surface| {
        let curve = surface.curve(surface.best_learning_rate()?);
        let measured = || curve.iter().filter(|point| point.test_loss.mean.is_finite());
        let none = measured().find(|point| point.lambda == 0.0)?;
        let decayed = measured().filter(|point| point.lambda > 0.0);
        let best = decayed.min_by(|a, b| a.test_loss.mean.total_cmp(&b.test_loss.mean))?;
        Some(format!(
            "{}: test loss {} and accuracy {} at λ = {}, {} and {} at λ = 0",
            surface.label(),
            number::fixed(best.test_loss.mean, 3),
            number::percent(best.test_accuracy.mean),
            number::short(best.lambda),
            number::fixed(none.test_loss.mean, 3),
            number::percent(none.test_accuracy.mean)
        ))
    });
    let seen: Vec<String> = seen.collect();
    (!seen.is_empty()).then(|| {
        format!(
            "Seen with one seed, which decides nothing yet (the best of several λ always looks \
             good): {}.",
            seen.join("; ")
        )
    })
}

/// How many claims the runs bear out, or what a first look saw.
fn lead(analysis: &VisionAnalysis) -> String {
    let count = |which| {
        let matching = analysis.claims.iter().filter(|line| line.supported == which);
        matching.count()
    };
    if analysis.claims.is_empty() {
        return "Nothing can be claimed yet: it takes λ = 0 beside other λ, everything else equal, \
                such as decay.lambda=0,0.01,0.1,1."
            .to_owned();
    }
    if let Some(seen) = first_look(analysis) {
        return seen;
    }
    format!(
        "Of {} claims these runs bear out {}, contradict {} and leave {} open.",
        analysis.claims.len(),
        count(Supported::Supported),
        count(Supported::Contradicted),
        count(Supported::Undecided)
    )
}

/// The claims that the runs bear out or contradict, and those that they leave open.
fn by_decision(claims: &[Claim]) -> (Vec<Claim>, Vec<Claim>) {
    let is_decided = |line: &Claim| line.supported != Supported::Undecided;
    claims.iter().cloned().partition(is_decided)
}

fn verdict(analysis: &VisionAnalysis, context: &Context) -> Section {
    let (decided, open) = by_decision(&analysis.claims);
    let mut contents = context.undecided("What would decide it");
    if analysis.claims.is_empty() {
        contents.push(Content::Absent(
            "No two runs of this study differ in λ alone yet: there is nothing to compare."
                .to_owned(),
        ));
    }
    if !decided.is_empty() {
        contents.push(Content::Claims(decided));
    }
    if !open.is_empty() {
        contents.push(Content::More(
            format!("What these runs leave open ({} claims)", open.len()),
            vec![Content::Claims(open)],
        ));
    }
    contents.extend(context.notes.iter().cloned().map(Content::Paragraph));
    Section::full("verdict", "What was found", contents).named("Verdict")
}

/// Every point of every surface.
fn table(analysis: &VisionAnalysis) -> Section {
    let mut table = Table::new(
        &["setting", "η", "λ", "κ", "seeds", "test loss", "training loss", "gap", "accuracy"],
        1,
    );
    for surface in &analysis.surfaces {
        for point in &surface.points {
            let diverged = match point.diverged.len() {
                0 => String::new(),
                count => format!(" + {count} diverged"),
            };
            table.rows.push(vec![
                surface.label(),
                number::short(point.learning_rate),
                number::short(point.lambda),
                number::short(number::rounded(point.kappa)),
                format!("{}{diverged}", point.finals.len()),
                with_interval(point.test_loss, 4),
                with_interval(point.train_loss, 4),
                with_interval(point.gap, 4),
                with_interval(point.test_accuracy, 4),
            ]);
        }
    }
    Section::full(
        "runs",
        "Every point of the grid",
        vec![Content::More(
            "Losses and accuracies of every point, over seeds".to_owned(),
            vec![Content::Table(table)],
        )],
    )
    .named("Every run")
}

/// `0.123 (0.1 to 0.15)`.
fn with_interval(interval: Interval, decimals: usize) -> String {
    Ends::Range.write(&interval, |value| number::fixed(value, decimals))
}

/// A quantity of which the logarithm was averaged: its geometric mean and the ends of its interval.
fn exponential(log: Interval) -> Interval {
    Interval { mean: log.mean.exp(), low: log.low.exp(), high: log.high.exp(), ..log }
}
