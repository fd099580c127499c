//! What the command answers, as a value and a page.

use pyo3::prelude::*;
use pythonize::pythonize;
use wd_page::Context;

use crate::background;
use crate::failure::raised;
use crate::page::Page;

/// Asks a question in the words of the command. `made_by` is what the page says it was made by.
#[pyfunction]
pub(crate) fn ask(
    py: Python<'_>,
    words: Vec<String>,
    made_by: Option<String>,
) -> PyResult<(Bound<'_, PyAny>, Page)> {
    let answered = background::run(py, move || {
        let context = Context { commands: made_by.into_iter().collect(), ..Context::default() };
        wd::answer(words.iter().map(String::as_str), &context)
    })?;
    let answer = answered.map_err(|failure| raised(py, failure))?;
    let value = pythonize(py, &*answer.value)?;
    Ok((value, Page::new(answer.page)))
}
