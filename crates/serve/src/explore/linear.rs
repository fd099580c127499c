//! A table, and λ over its whole path.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use wd_evidence::fit::{Request, table_rows};
use wd_page::{Content, Markup, Section};
use wd_studies::prior::simulation::Table;
use wd_studies::prior::{Draw, LambdaPath, MOST_NUMBERS};

use super::field::{choice, slider, words};
use crate::ServeError;
use crate::query::Query;
use crate::server::{Made, broken, missing};
use crate::view::{SELDOM, View};

/// The tables whose λ can be moved, the shipped one first.
pub(crate) struct LinearTables {
    paths: Vec<LambdaPath>,
    /// The newest pages: a slider comes back to where it was.
    kept: Mutex<VecDeque<(String, Arc<View>)>>,
}

/// Pages that are kept.
const KEPT: usize = 32;
/// Rows of the sample where nobody has said how many.
const ROWS: usize = 30;

impl LinearTables {
    /// The shipped table and those that were named, each with the column that is explained.
    ///
    /// # Errors
    /// [`ServeError::Table`] for one that cannot be fitted.
    pub(crate) fn read(named: &[(PathBuf, String)]) -> Result<Self, ServeError> {
        let failed =
            |path: &PathBuf, problem: String| ServeError::Table { path: path.clone(), problem };
        let shipped = LambdaPath::shipped()
            .map_err(|error| failed(&PathBuf::from("diabetes.csv"), error.to_string()))?;
        let mut paths = vec![shipped];
        for (path, target) in named {
            let rows = table_rows(path, &Request::new(target.clone()), MOST_NUMBERS)
                .map_err(|error| failed(path, error.to_string()))?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let table = Table { x: rows.x, y: rows.y };
            let fitted = LambdaPath::of(&name, target, rows.columns, table);
            paths.push(fitted.map_err(|error| failed(path, error.to_string()))?);
        }
        Ok(LinearTables { paths, kept: Mutex::default() })
    }
}

/// The page under a query.
pub(crate) fn page(tables: &LinearTables, query: &Query) -> Made {
    let path =
        match query.get("table") {
            None => &tables.paths[0],
            Some(name) => tables.paths.iter().find(|path| path.name == name).ok_or_else(|| {
                missing("There is no such table: name one with --table FILE:COLUMN.")
            })?,
        };
    let (low, high) = (path.lambdas[0], path.lambdas[path.lambdas.len() - 1]);
    let best = path.best.point.lambda.clamp(low, high);
    // What lies outside the path, 0 too, is answered by its nearest end.
    let lambda = query.number("lambda").unwrap_or(best).clamp(low, high);
    let asked = query.get("lambda").filter(|text| !text.is_empty());
    let as_asked = query.number("lambda").map(rounded) == Some(rounded(lambda));
    let moved = asked.filter(|_| !as_asked).map(|asked| {
        format!(
            "λ = {asked} is not on the path, which goes from {} to {}: shown is λ = {}.",
            rounded(low),
            rounded(high),
            rounded(lambda)
        )
    });
    let shifted_by = query
        .get("shifted_by")
        .and_then(|name| path.columns.iter().position(|column| column == name));
    // The third column of the shipped table is the body mass index.
    let shifted_by = shifted_by.unwrap_or(2.min(path.columns.len() - 1));
    let draw = Draw {
        rows: query.number("rows").map_or(ROWS, |rows| rows.clamp(2.0, 1e9) as usize),
        seed: query.number("draw").map_or(0, |seed| seed.clamp(0.0, 1e9) as u64),
        shifted_by,
    };
    let draw = Draw { rows: draw.rows.clamp(2, path.most_drawn()), ..draw };
    let key = format!("{} {lambda} {draw:?} {moved:?}", path.name);
    let kept = || tables.kept.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some((_, view)) = kept().iter().find(|(known, _)| *known == key) {
        return Ok(Arc::clone(view));
    }
    let at = path.at(lambda, draw).map_err(|error| broken(&error.to_string()))?;
    let short = format!("{}", rounded(lambda));
    let address = Query::default()
        .with("table", &path.name)
        .with("lambda", &short)
        .with("rows", &draw.rows.to_string())
        .with("draw", &draw.seed.to_string())
        .with("shifted_by", &path.columns[draw.shifted_by]);
    let controls = form(tables, path, &short, draw, (low, high));
    let mut page = path.page(&at, draw);
    let moved = moved.map(|words| vec![Content::Absent(words)]);
    let moved = moved.map(|contents| Section::new("moved", "What is shown", contents));
    page.sections.splice(0..0, moved);
    let mut view = View::of(page, "/linear", &address.text(), controls);
    view.again = 4 * SELDOM;
    let view = Arc::new(view);
    let mut all = kept();
    all.push_back((key, Arc::clone(&view)));
    if all.len() > KEPT {
        all.pop_front();
    }
    Ok(view)
}

/// As many digits as a slider has places.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

fn form(
    tables: &LinearTables,
    path: &LambdaPath,
    lambda: &str,
    draw: Draw,
    ends: (f64, f64),
) -> Markup {
    let mut out = Markup::default();
    out.open("section", &[("class", "controls")]);
    out.open("form", &[("class", "wide fields"), ("method", "get"), ("data-view", "")]);
    slider(&mut out, "lambda", "λ", lambda, ends);
    let names = tables.paths.iter().map(|path| (path.name.as_str(), path.name.as_str()));
    choice(&mut out, "table", "table", &path.name, names);
    words(&mut out, "rows", "rows of the sample D₁", &draw.rows.to_string(), "30");
    words(&mut out, "draw", "which draw", &draw.seed.to_string(), "0");
    let columns = path.columns.iter().map(|name| (name.as_str(), name.as_str()));
    choice(
        &mut out,
        "shifted_by",
        "D₂ is the top third by",
        &path.columns[draw.shifted_by],
        columns,
    );
    out.element("button", &[("type", "submit"), ("class", "apply")], "Show");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_begins_where_the_evidence_is_highest() {
        let tables = LinearTables::read(&[]).expect("the shipped table");
        let html = page(&tables, &Query::default()).expect("a page").document();
        // The λ that `wd evidence` finds for this table.
        assert!(html.contains("<h1>λ = 14.9</h1>"), "{}", &html[..2000]);
        let other = page(&tables, &Query::read("lambda=100&rows=20&draw=3")).expect("a page");
        assert!(other.document().contains("<h1>λ = 100</h1>"));
        let least = page(&tables, &Query::read("lambda=0")).expect("a page").document();
        let title = least.split("<h1>λ = ").nth(1).and_then(|rest| rest.split('<').next());
        let title: f64 = title.and_then(|title| title.parse().ok()).expect("λ in the title");
        assert!((title / tables.paths[0].lambdas[0] - 1.0).abs() < 0.01, "{title}");
        assert!(least.contains("is not on the path"));
        assert!(!other.document().contains("is not on the path"));
        assert!(page(&tables, &Query::read("table=nowhere")).is_err());
        for hostile in ["lambda=-1", "lambda=1e999", "rows=1e30&draw=-5", "shifted_by=%00"] {
            assert!(page(&tables, &Query::read(hostile)).is_ok(), "{hostile}");
        }
    }
}
