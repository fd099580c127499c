//! Which address is which page.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::get;
use axum::{Router, body::Body};

use super::answer::{self, Answer, BINARY, HTML, JSON};
use super::{App, assets, guard};
use crate::query::Query;
use crate::view::View;
use crate::{explore, index, run, study};

/// Why there is no such page.
pub(crate) type Problem = (StatusCode, String);
/// A page, or why there is none.
pub(crate) type Made = Result<Arc<View>, Problem>;

/// What a page is made of.
#[derive(Debug, Clone, Default)]
struct Asked {
    study: String,
    run: String,
    query: Query,
}

pub(super) fn router(app: Arc<App>) -> Router {
    let router = Router::new().route("/assets/{hash}/{name}", get(asset));
    let router = page(router, "", |app, asked| Ok(index::page::page(&app.index, &asked.query)));
    let router = page(router, "/explore", |_, asked| Ok(explore::setting::page(&asked.query)));
    let router =
        page(router, "/linear", |app, asked| explore::linear::page(&app.tables, &asked.query));
    let router = page(router, "/s/{study}", |app, asked| {
        study::page::page(&*app.index.study(&asked.study)?, &asked.query)
    });
    let router = page(router, "/s/{study}/runs", |app, asked| {
        run::list::page(&*app.index.study(&asked.study)?, &asked.query)
    });
    let router = page(router, "/s/{study}/compare", |app, asked| {
        run::compare::page(&*app.index.study(&asked.study)?, &asked.query)
    });
    let router = page(router, "/s/{study}/run/{run}", |app, asked| {
        run::page::page(&*app.index.study(&asked.study)?, &asked.run, &asked.query)
    });
    router
        .route("/s/{study}/run/{run}/series", get(series))
        .fallback(|headers: HeaderMap| async move {
            Answer::problem(StatusCode::NOT_FOUND, "There is no page at this address.")
                .respond(&headers)
        })
        .layer(from_fn_with_state(Arc::clone(&app), guard::watch))
        .with_state(app)
}

/// What makes a page.
type Make = fn(&App, &Asked) -> Made;

/// A page, what of it has changed, and the files of its figures.
fn page(router: Router<Arc<App>>, path: &'static str, make: Make) -> Router<Arc<App>> {
    let document = move |State(app): State<Arc<App>>,
                         Path(names): Path<Vec<(String, String)>>,
                         RawQuery(query): RawQuery,
                         headers: HeaderMap| async move {
        let asked = asked(names, query);
        work(app, headers, move |app| {
            let view = make(app, &asked)?;
            Ok(Answer::new(HTML, view.document()))
        })
        .await
    };
    let changes = move |State(app): State<Arc<App>>,
                        Path(names): Path<Vec<(String, String)>>,
                        RawQuery(query): RawQuery,
                        headers: HeaderMap| async move {
        let mut asked = asked(names, query);
        let have = asked.query.get("have").unwrap_or_default().to_owned();
        asked.query = asked.query.only(|name| name != "have");
        work(app, headers, move |app| {
            let view = make(app, &asked)?;
            Ok(match view.changes(&have) {
                None => Answer { status: StatusCode::NO_CONTENT, ..Answer::new(JSON, Vec::new()) },
                Some(changes) => {
                    let json = serde_json::to_vec(&changes);
                    Answer::new(JSON, json.map_err(|error| broken(&error.to_string()))?)
                }
            })
        })
        .await
    };
    let files = move |State(app): State<Arc<App>>,
                      Path(mut names): Path<Vec<(String, String)>>,
                      RawQuery(query): RawQuery,
                      headers: HeaderMap| async move {
        let file = names.pop().map(|(_, file)| file).unwrap_or_default();
        let asked = asked(names, query);
        work(app, headers, move |app| figure(&*make(app, &asked)?, &file)).await
    };
    let root = if path.is_empty() { "/" } else { path };
    router
        .route(root, get(document))
        .route(&format!("{path}/live"), get(changes))
        .route(&format!("{path}/figure/{{file}}"), get(files))
}

fn asked(names: Vec<(String, String)>, query: Option<String>) -> Asked {
    let mut asked = Asked { query: Query::read(&query.unwrap_or_default()), ..Asked::default() };
    for (name, value) in names {
        match name.as_str() {
            "study" => asked.study = value,
            "run" => asked.run = value,
            _ => {}
        }
    }
    asked
}

/// Makes an answer on a thread that may wait, a bounded number at once.
async fn work(
    app: Arc<App>,
    headers: HeaderMap,
    make: impl FnOnce(&App) -> Result<Answer, Problem> + Send + 'static,
) -> Response {
    let busy = || Answer::problem(StatusCode::SERVICE_UNAVAILABLE, "The server is ending.");
    let shared = Arc::clone(&app);
    let Ok(_place) = app.working.acquire().await else { return busy().respond(&headers) };
    let made = tokio::task::spawn_blocking(move || {
        let answer =
            make(&shared).unwrap_or_else(|(status, reason)| Answer::problem(status, &reason));
        // Compressing takes as long as making it.
        answer.respond(&headers)
    });
    made.await.unwrap_or_else(|_| {
        let reason = "This page could not be made: that is a fault of wd, whose log says more.";
        Answer::problem(StatusCode::INTERNAL_SERVER_ERROR, reason).respond(&HeaderMap::new())
    })
}

/// Width in pixels of a figure's file.
const FIGURE_WIDTH: f64 = 900.0;

fn figure(view: &View, file: &str) -> Result<Answer, Problem> {
    let missing = || (StatusCode::NOT_FOUND, "There is no such figure on this page.".to_owned());
    let (id, ending) = file.rsplit_once('.').ok_or_else(missing)?;
    let block = view.figure(id).ok_or_else(missing)?;
    let (svg, csv) = ("image/svg+xml", "text/csv; charset=utf-8");
    match ending {
        "svg" => Ok(Answer::file(file, svg, block.figure.file(FIGURE_WIDTH))),
        "csv" => Ok(Answer::file(file, csv, block.csv.text())),
        _ => Err(missing()),
    }
}

async fn asset(Path((hash, name)): Path<(String, String)>, headers: HeaderMap) -> Response<Body> {
    match assets::find(&hash, &name) {
        Some(asset) => answer::asset(asset, &headers),
        None => Answer::problem(StatusCode::NOT_FOUND, "There is no such file.").respond(&headers),
    }
}

async fn series(
    State(app): State<Arc<App>>,
    Path((study, run)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    let query = Query::read(&query.unwrap_or_default());
    work(app, headers, move |app| {
        let bytes = run::series::series(&*app.index.study(&study)?, &run, &query)?;
        Ok(Answer::new(BINARY, bytes))
    })
    .await
}

/// What should not happen.
pub(crate) fn broken(reason: &str) -> Problem {
    (StatusCode::INTERNAL_SERVER_ERROR, reason.to_owned())
}

/// What is not there.
pub(crate) fn missing(what: &str) -> Problem {
    (StatusCode::NOT_FOUND, what.to_owned())
}
