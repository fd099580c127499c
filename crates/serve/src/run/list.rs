//! Every run of a study: a curve of each as small multiples, and a table.

use std::collections::BTreeMap;

use wd_lab::progress::State;
use wd_page::figure::{Colour, Horizontal, Labels, Mark, Panel, PanelFigure, Point, Series};
use wd_page::{Content, FigureBlock, Markup, Page, Section, counted, number};
use wd_store::Status;

use super::pyramid::Pyramid;
use crate::query::Query;
use crate::server::Made;
use crate::study::page::{Tab, run_address, tabs};
use crate::study::{Choice, LiveRun, LiveStudy, Runs, option, varied};
use crate::view::{SELDOM, View};

/// Lines that are drawn: more are a carpet.
const MOST_LINES: usize = 50;
/// Panels that are drawn.
const MOST_PANELS: usize = 24;
/// Rows of the table.
const MOST_ROWS: usize = 2000;
/// Points of a line.
const POINTS: usize = 120;
/// The series that is drawn where none is chosen.
const USUAL: &str = "train_loss";

/// The page under a query.
pub(crate) fn page(study: &LiveStudy, query: &Query) -> Made {
    let choice = Choice::read(query);
    let series = query.get("series").unwrap_or(USUAL).to_owned();
    let key = format!("runs{}&{series}", choice.query().text());
    Ok(study.view(&key, |runs| make(study, runs, &choice, &series)))
}

fn make(study: &LiveStudy, runs: &Runs, choice: &Choice, series: &str) -> View {
    let wanted: Vec<&LiveRun> = runs.runs.iter().filter(|run| choice.wants(run)).collect();
    let names = names(&wanted);
    let mut contents = Vec::new();
    if let Some(problem) = &runs.problem {
        contents.push(Content::Absent(problem.clone()));
    }
    contents.extend(multiples(&wanted, series));
    let page = Page {
        kind: "Run by run",
        title: runs.title.clone(),
        lead: match wanted.len() {
            0 => "No run has these settings.".to_owned(),
            count => format!("{}.", counted(number::count(count as u64), "run")),
        },
        sections: vec![Section::full("lines", "Curve by curve", contents)],
        ..Page::default()
    };
    let mut out = Markup::default();
    out.open("section", &[("class", "controls")]);
    tabs(&mut out, study, Tab::Runs, choice);
    out.open("form", &[("class", "wide fields"), ("method", "get"), ("data-view", "")]);
    choice.fields(&mut out, runs);
    out.open("label", &[]).text("series").open("select", &[("name", "series")]);
    for name in &names {
        option(&mut out, name, name, name == series);
    }
    out.close().close();
    out.element("button", &[("type", "submit"), ("class", "apply")], "Show");
    out.close().close();
    let query = choice.query().with("series", series).text();
    let mut view = View::of(page, &format!("{}/runs", study.path()), &query, out);
    view.trail = vec![(runs.title.clone(), study.path())];
    view.part("section-table", table(study, runs, &wanted));
    view.again = if runs.is_under_way() { 1000 } else { SELDOM / 3 };
    view
}

/// The names of what the runs recorded.
fn names(runs: &[&LiveRun]) -> Vec<String> {
    // Runs of a study record the same: a few tell all names.
    let some = runs.iter().take(8).filter_map(|run| run.record.series().ok());
    let mut names: Vec<String> = some.flat_map(|series| series.names()).collect();
    names.sort();
    names.dedup();
    if names.iter().all(|name| name != USUAL) {
        names.insert(0, USUAL.to_owned());
    }
    names
}

/// A panel for each arm, with a line for each run.
fn multiples(runs: &[&LiveRun], series: &str) -> Option<Content> {
    let mut arms: BTreeMap<Vec<(String, String)>, Vec<&LiveRun>> = BTreeMap::new();
    for run in runs {
        let seed = run.record.roles().seed;
        let mut rest = run.record.settings.clone();
        rest.remove(seed);
        arms.entry(rest.into_iter().collect()).or_default().push(run);
    }
    let mut arms: Vec<Vec<&LiveRun>> = arms.into_values().collect();
    let lambda = |runs: &[&LiveRun]| runs[0].record.lambda().unwrap_or(f64::NAN);
    let rate = |runs: &[&LiveRun]| runs[0].record.peak_learning_rate().unwrap_or(f64::NAN);
    arms.sort_by(|a, b| rate(a).total_cmp(&rate(b)).then(lambda(a).total_cmp(&lambda(b))));
    let all = arms.len();
    arms.truncate(MOST_PANELS);
    let rates_differ = arms.iter().any(|arm| rate(arm) != rate(&arms[0]));
    let mut drawn = 0;
    let mut panels = Vec::new();
    let lambdas: Vec<f64> = arms.iter().map(|arm| lambda(arm)).collect();
    let each = (MOST_LINES / arms.len().max(1)).max(1);
    for (arm, colour) in arms.iter().zip(Colour::by_lambda(&lambdas)) {
        let mut title = format!("λ = {}", number::short(lambda(arm)));
        if rates_differ {
            title += &format!(", peak LR {}", number::short(rate(arm)));
        }
        let mut panel = Panel::new(title, 120.0);
        for run in arm.iter().take(each) {
            let points = line(run, series);
            if !points.is_empty() {
                drawn += 1;
                panel.series.push(Series::new(&run.name, colour, Mark::Line, points));
            }
        }
        panels.push(panel);
    }
    if drawn == 0 {
        let words = format!("No run has recorded {series} yet.");
        return (!runs.is_empty()).then_some(Content::Absent(words));
    }
    share_axis(&mut panels);
    let figure = PanelFigure {
        columns: 3,
        labels: Labels::None,
        ..PanelFigure::along("small-multiples", Horizontal::linear("step"), panels)
    };
    let left_out = match (runs.len() - drawn.min(runs.len()), all - arms.len()) {
        (0, _) => String::new(),
        (runs, 0) => format!(" {} are not drawn.", counted(runs, "run")),
        (runs, arms) => format!(
            " {} are not drawn, those of {} among them: choose fewer above.",
            counted(runs, "run"),
            counted(arms, "arm")
        ),
    };
    Some(
        FigureBlock::of_panels(
            figure,
            &format!("{series} of each run."),
            &format!(
                "A panel for each arm, a line for each seed, all on one axis. Bands reach from \
                 the least to the largest value of the steps that a point stands for: no spike is \
                 lost. The first steps may lie above the frame.{left_out}"
            ),
            number::measured,
        )
        .into(),
    )
}

/// A run's series, thinned.
fn line(run: &LiveRun, series: &str) -> Vec<Point> {
    let Ok(recorded) = run.record.series() else { return Vec::new() };
    let curve = recorded.curve(series);
    let pyramid = Pyramid::of(curve.steps, &curve.values);
    let points = pyramid.between(0.0, f64::MAX, POINTS).into_iter();
    points
        .filter(|(_, stretch)| stretch.mean.is_finite())
        .map(|(step, stretch)| {
            let (low, high) = (f64::from(stretch.low), f64::from(stretch.high));
            match low < high {
                true => Point::with_interval(step as f64, f64::from(stretch.mean), low, high),
                false => Point::at(step as f64, f64::from(stretch.mean)),
            }
        })
        .collect()
}

/// One vertical axis for all, framed by what comes after the first steps.
fn share_axis(panels: &mut [Panel]) {
    let points = || panels.iter().flat_map(|panel| &panel.series).flat_map(|one| &one.points);
    let last = points().map(|point| point.x).fold(0.0, f64::max);
    let late = points().filter(|point| point.x >= 0.1 * last).map(|point| point.y);
    let mut late: Vec<f64> = late.filter(|value| value.is_finite()).collect();
    late.sort_by(f64::total_cmp);
    let at = |share: f64| late.get(((late.len() - 1) as f64 * share) as usize).copied();
    let (Some(low), Some(high)) = (late.first().copied(), late.last().and_then(|_| at(0.995)))
    else {
        return;
    };
    let margin = 0.08 * (high - low).max(1e-9 * high.abs()).max(1e-12);
    for panel in panels {
        panel.domain = Some((low - margin, high + margin));
    }
}

/// Every run with its settings and where it stands.
fn table(study: &LiveStudy, runs: &Runs, wanted: &[&LiveRun]) -> String {
    let settings: Vec<String> = varied(&runs.runs).into_iter().map(|(key, _)| key).collect();
    let mut out = Markup::default();
    out.open("section", &[("id", "table")]).element("h2", &[], "Every run");
    if wanted.len() > MOST_ROWS {
        let words = format!("The first {} are listed.", number::count(MOST_ROWS as u64));
        out.element("p", &[], &words);
    }
    out.open("div", &[("class", "wide scroll"), ("tabindex", "0")]);
    out.open("table", &[("data-sort", "")]).open("thead", &[]).open("tr", &[]);
    let fixed = ["run", "state"].into_iter().chain(settings.iter().map(String::as_str));
    for (place, name) in fixed.chain(["step", "validation loss", "training loss"]).enumerate() {
        let class = if place < 2 { "word" } else { "number" };
        out.element("th", &[("scope", "col"), ("class", class)], name);
    }
    out.close().close().open("tbody", &[]);
    for run in wanted.iter().take(MOST_ROWS) {
        row(&mut out, study, run, &settings);
    }
    out.finish()
}

fn row(out: &mut Markup, study: &LiveStudy, run: &LiveRun, settings: &[String]) {
    let state = State::of(&run.record.status).word();
    let step = match run.record.status {
        Status::New => 0,
        Status::Running { step }
        | Status::Interrupted { step }
        | Status::Diverged { step, .. }
        | Status::Finished { step } => step,
    };
    let series = run.record.series().unwrap_or_default();
    let last = |name: &str| {
        let values = series.curve(name).values;
        let last = values.iter().rev().find(|value| value.is_finite());
        last.map_or_else(|| number::MISSING.to_owned(), |value| number::fixed(*value, 4))
    };
    out.open("tr", &[]).open("th", &[("scope", "row"), ("class", "word")]);
    out.element("a", &[("href", &run_address(study, &run.name))], &run.name).close();
    let class = format!("word state {state}");
    out.element("td", &[("class", &class)], state);
    for key in settings {
        let value = run.record.settings.get(key).map_or(number::MISSING, String::as_str);
        out.element("td", &[], value);
    }
    out.element("td", &[], &number::count(step));
    out.element("td", &[], &last("validation_loss")).element("td", &[], &last("train_loss"));
    out.close();
}
