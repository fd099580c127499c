//! A page as HTML, text and Markdown, and its figures as SVG.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use pythonize::pythonize;
use wd_page::{Content, FigureBlock, Terminal};

/// A page: title, sections, facts, tables and figures.
#[pyclass(frozen, module = "weight_decay._native")]
pub(crate) struct Page {
    page: wd_page::Page,
}

impl Page {
    pub(crate) fn new(page: wd_page::Page) -> Self {
        Page { page }
    }

    /// Every figure, in the order in which it is shown.
    fn blocks(&self) -> Vec<&FigureBlock> {
        fn collect<'a>(contents: &'a [Content], into: &mut Vec<&'a FigureBlock>) {
            for content in contents {
                match content {
                    Content::Figure(block) => into.push(block),
                    Content::More(_, contents) => collect(contents, into),
                    _ => {}
                }
            }
        }
        let mut blocks = Vec::new();
        self.page.sections.iter().for_each(|section| collect(&section.contents, &mut blocks));
        blocks
    }
}

#[pymethods]
impl Page {
    /// What was found, in one sentence.
    #[getter]
    fn lead(&self) -> &str {
        &self.page.lead
    }

    /// The title.
    #[getter]
    fn title(&self) -> &str {
        &self.page.title
    }

    /// The page as one HTML file that loads nothing.
    fn html(&self) -> String {
        self.page.html()
    }

    /// The page as lines of text, as on a terminal.
    #[pyo3(signature = (width = 100, colour = false))]
    fn text(&self, width: usize, colour: bool) -> String {
        let terminal = Terminal { width: width.clamp(40, 400), colour, ..Terminal::plain() };
        self.page.terminal(&terminal)
    }

    /// The page as a dictionary.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(pythonize(py, &self.page)?)
    }

    /// Its figures: name, caption, and the numbers that are drawn.
    fn figures<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let described = self.blocks().into_iter().map(|block| {
            let figure = PyDict::new(py);
            figure.set_item("name", &block.name)?;
            figure.set_item("caption", &block.caption)?;
            figure.set_item("csv", block.csv.text())?;
            figure.set_item("figure", pythonize(py, &block.figure)?)?;
            Ok(figure)
        });
        described.collect()
    }

    /// One of its figures as an SVG file.
    fn svg(&self, figure: usize, width: f64) -> Option<String> {
        self.blocks().get(figure).map(|block| block.figure.file(width))
    }
}
