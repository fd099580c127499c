//! One run: its report, and below the verdict of its curves what a report has no room for: every
//! series to zoom in, the configuration, the end of its log.

use wd_lab::progress::State;
use wd_lab::run_page::run_page;
use wd_page::words::printable_lines;
use wd_page::{Content, Context, Markup, Page, Section, counted, number};
use wd_store::{RunDirectory, Status};

use crate::query::Query;
use crate::server::{Made, missing};
use crate::study::page::{Tab, run_address, tabs};
use crate::study::{Choice, LiveRun, LiveStudy, Runs};
use crate::view::{SELDOM, View};

/// How much of the end of a log is shown.
const LOG_BYTES: u64 = 12 * 1024;
/// How much of a configuration.
const CONFIGURATION_BYTES: u64 = 64 * 1024;

/// The page under a query: `series` names what is drawn, `from` and `to` the part of it.
pub(crate) fn page(study: &LiveStudy, run: &str, query: &Query) -> Made {
    if study.now().runs.named(run).is_none() {
        return Err(missing("There is no such run: its folder may have been deleted."));
    }
    let chosen: Vec<String> = query.all("series").map(str::to_owned).collect();
    let key = format!("run {run}&{chosen:?}");
    Ok(study.view(&key, |runs| make(study, runs, run, &chosen)))
}

fn make(study: &LiveStudy, runs: &Runs, name: &str, chosen: &[String]) -> View {
    let path = run_address(study, name);
    let Some(run) = runs.named(name) else {
        return View::of(Page::default(), &path, "", Markup::default());
    };
    let mut page = report(run);
    if let Some(directory) = &run.directory {
        let end = |file: &str, most| study.roots().end_of(&directory.join(file), most);
        // A study writes what is trained into trial.toml, the trainer into config.toml.
        let configuration = end("config.toml", CONFIGURATION_BYTES)
            .or_else(|| end("trial.toml", CONFIGURATION_BYTES));
        page.sections.extend(
            configuration.map(|text| text_section("configuration", "Configuration", &text)),
        );
        let log = end("log.txt", LOG_BYTES).filter(|text| !text.trim().is_empty());
        page.sections.extend(log.map(|text| text_section("log", "The end of its log", &text)));
    }
    let names = run.record.series().map(|series| series.names()).unwrap_or_default();
    let mut controls = Markup::default();
    controls.open("section", &[("class", "controls")]);
    tabs(&mut controls, study, Tab::None, &Choice::default());
    controls.close();
    let mut view = View::of(page, &path, "", controls);
    view.part("series", chart(&path, &names, chosen));
    view.move_after_controls("series");
    view.trail = vec![(runs.title.clone(), study.path()), (name.to_owned(), path)];
    view.scripts = vec!["uplot.js", "series.js"];
    let is_running = matches!(run.record.status, Status::Running { .. });
    view.again = if is_running { 1000 } else { SELDOM };
    view
}

/// The report of the run, as `wd report` writes it; of another program's run its settings.
fn report(run: &LiveRun) -> Page {
    let own = run.directory.as_ref().filter(|_| run.record.plan.is_some()).map(|directory| {
        let context = Context { title: run.name.clone(), ..Context::default() };
        let page = RunDirectory::open(directory)
            .map_err(|error| error.to_string())
            .and_then(|run| run_page(&run, &context).map_err(|error| error.to_string()));
        page.unwrap_or_else(|problem| Page {
            kind: "One run",
            title: run.name.clone(),
            sections: vec![Section::new(
                "problem",
                "What cannot be shown",
                vec![Content::Absent(printable_lines(&problem))],
            )],
            ..Page::default()
        })
    });
    own.unwrap_or_else(|| {
        let settings = run.record.settings.iter();
        let facts: Vec<_> = settings.map(|(key, value)| (key.clone(), value.clone())).collect();
        let contents = match facts.is_empty() {
            true => vec![Content::Absent("Nothing is known of its settings.".to_owned())],
            false => vec![Content::Facts(facts)],
        };
        Page {
            kind: "One run",
            title: run.name.clone(),
            lead: lead(run),
            sections: vec![Section::full("settings", "Settings", contents)],
            ..Page::default()
        }
    })
}

fn lead(run: &LiveRun) -> String {
    let state = State::of(&run.record.status);
    match &run.record.status {
        Status::New => "It waits to be started.".to_owned(),
        Status::Diverged { step, message, .. } => {
            format!("It diverged at step {}: {message}.", number::count(*step))
        }
        Status::Running { step } | Status::Interrupted { step } | Status::Finished { step } => {
            format!("It is {} after {}.", state.word(), counted(number::count(*step), "step"))
        }
    }
}

fn text_section(id: &'static str, heading: &'static str, text: &str) -> Section {
    let lines = printable_lines(text).lines().map(str::to_owned).collect();
    Section::full(id, heading, vec![Content::Formulas(lines)])
}

/// Series that are drawn when nobody has chosen.
const USUAL: [&str; 2] = ["train_loss", "validation_loss"];

/// The chart whose series can be chosen and zoomed. It is drawn by the browser; without scripts its
/// numbers are the figures below.
fn chart(path: &str, names: &[String], chosen: &[String]) -> String {
    let usual: Vec<&String> = names.iter().filter(|name| USUAL.contains(&name.as_str())).collect();
    let is_drawn = |name: &String| match chosen.is_empty() {
        true => usual.contains(&name) || (usual.is_empty() && names.first() == Some(name)),
        false => chosen.contains(name),
    };
    let mut out = Markup::default();
    out.open("section", &[("id", "zoom")]).element("h2", &[], "Every series, to zoom in");
    if names.is_empty() {
        out.element("p", &[("class", "absent")], "Nothing has been recorded yet.");
        return out.finish();
    }
    out.open("figure", &[("class", "wide chart"), ("id", "series"), ("data-run", path)]);
    let canvas = [
        ("class", "canvas"),
        ("role", "group"),
        ("aria-label", "The chosen series over the steps of the run"),
        ("tabindex", "0"),
        ("data-keep", ""),
    ];
    out.element("div", &canvas, "");
    out.open("figcaption", &[]);
    out.text(
        "Drag over the chart to zoom in, double-click to see all again; with the keyboard the \
         arrows move the cursor, + and − zoom, 0 shows all. The pale band reaches from the least \
         to the largest value of the steps that one point stands for. A logarithmic axis leaves \
         out what is not above zero.",
    );
    out.close();
    out.element("p", &[("class", "readings"), ("role", "status"), ("data-keep", "")], "");
    out.open("div", &[("class", "zooms")]);
    for (action, name) in [("all", "Show all"), ("in", "Zoom in"), ("out", "Zoom out")] {
        out.element("button", &[("type", "button"), ("data-zoom", action)], name);
    }
    out.open("label", &[]);
    out.empty("input", &[("type", "checkbox"), ("id", "log-axis")]).text(" logarithmic");
    out.close().close();
    out.open("details", &[("class", "more")]).element("summary", &[], "Choose series");
    out.open("form", &[("class", "choose"), ("method", "get"), ("data-series", "")]);
    out.open("fieldset", &[]).element("legend", &[], "Series that are drawn");
    for name in names {
        let field =
            [("type", "checkbox"), ("name", "series"), ("value", name.as_str()), ("checked", "")];
        out.open("label", &[]);
        out.empty("input", if is_drawn(name) { &field[..] } else { &field[..3] });
        out.text(&format!(" {name}")).close();
    }
    out.close();
    out.element("button", &[("type", "submit"), ("class", "apply")], "Draw");
    out.finish()
}
