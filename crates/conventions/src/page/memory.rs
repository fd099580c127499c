//! The memory of the run as a figure: which steps the final weights hold.

use crate::Explanation;
use crate::explanation::{MemoryPoint, RunMemory};

use wd_page::figure::{
    Colour, Figure, Horizontal, Labels, Mark, Panel, PanelFigure, Point, Reference, Series,
    Transform,
};
use wd_page::number::{self, share};
use wd_page::{Content, Csv, FigureBlock, Section, Table};

/// Rows of the table under the figure: as many as are read.
const ROWS: usize = 20;

/// The figure with its caption and numbers; absent where the memory is not known.
pub(super) fn section(explanation: &Explanation) -> Option<Section> {
    let memory = explanation.memory.as_ref()?;
    let mut csv = Csv::new(&["step", "relative_share", "held_up_to_here"]);
    let mut table = Table::new(&["step", "share × steps", "held up to here"], 0);
    let every = memory.points.len().div_ceil(ROWS).max(1);
    for (index, point) in memory.points.iter().enumerate() {
        let cells = [point.step as f64, point.relative_share, point.held_up_to_here];
        csv.row(&cells.map(Into::into));
        if index % every == 0 || index + 1 == memory.points.len() {
            table.rows.push(cells.map(number::measured).to_vec());
        }
    }
    let caption = format!(
        "The share of each step, and of the data it saw, in what the final weights hold of the \
         updates: c_t = η_t Π(1 − s_j) over the later steps j, divided by its sum; 1 would be a \
         step that counts as much as any. Decay makes early steps fade, a learning rate that falls \
         makes late ones light. The last tenth of the steps holds {}; the average is as wide as {} \
         of the run would be if all of it counted alike.",
        share(memory.last_tenth),
        share(memory.effective_share)
    );
    let contents = vec![Content::Figure(Box::new(FigureBlock {
        figure: figure(explanation, memory),
        name: "Which part of the run the final weights hold.".to_owned(),
        caption,
        table,
        csv,
    }))];
    Some(Section::full("memory", "The memory of the run", contents).named("Memory"))
}

fn figure(explanation: &Explanation, memory: &RunMemory) -> Figure {
    let panel = |title: &str, even: f64, of: &dyn Fn(&MemoryPoint) -> f64| {
        let mut panel = Panel::new(title, 130.0);
        let points: Vec<Point> =
            memory.points.iter().map(|point| Point::at(point.step as f64, of(point))).collect();
        let most = points.iter().map(|point| point.y).fold(even, f64::max);
        panel.domain = Some((0.0, 1.06 * most));
        panel.series = vec![Series::new("", Colour::Sequence(6), Mark::Line, points)];
        panel
    };
    let mut relative =
        panel("Share of a step × steps", 1.0, &|point: &MemoryPoint| point.relative_share);
    relative.references =
        vec![Reference { y: 1.0, label: "all steps alike".to_owned(), dotted: true }];
    let held = panel("Held of the steps so far", 1.0, &|point: &MemoryPoint| point.held_up_to_here);
    Figure::Panels(PanelFigure {
        id: "memory".to_owned(),
        title: format!("{}, the memory of the run", explanation.name),
        description: format!(
            "Share of each step in what the final weights of {} hold, and their running sum.",
            explanation.name
        ),
        horizontal: Horizontal::Quantity { label: "step".to_owned(), transform: Transform::Linear },
        panels: vec![relative, held],
        columns: 2,
        labels: Labels::None,
        dashes: String::new(),
    })
}
