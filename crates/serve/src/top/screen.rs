//! How a study is drawn on a terminal.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Text};
use ratatui::widgets::{Axis, Block, Chart, Dataset, Gauge, GraphType, LegendPosition, Paragraph};
use wd_lab::Band;
use wd_lab::progress::State;
use wd_page::{Terminal, number};

use crate::study::findings::Findings;

/// Lines of a chart that can be told apart.
const MOST_LINES: usize = 8;
/// A terminal lower than this has room for the words alone.
const ROOM_FOR_A_CHART: u16 = 26;
const CHART: u16 = 12;
const COLOURS: [Color; MOST_LINES] = [
    Color::Gray,
    Color::Cyan,
    Color::Magenta,
    Color::Yellow,
    Color::Green,
    Color::Blue,
    Color::Red,
    Color::LightCyan,
];

/// What is drawn.
pub(super) struct Screen {
    title: String,
    /// The share of the runs that have ended, and in words.
    progress: Option<(f64, String)>,
    curves: Vec<(String, Vec<(f64, f64)>)>,
    findings: Option<Findings>,
    place: String,
}

impl Screen {
    /// Of a study, one of several.
    pub(super) fn of(findings: Option<Findings>, place: usize, of: usize) -> Self {
        let (mut progress, mut curves) = (None, Vec::new());
        if let Some(found) = &findings {
            progress = found.progress.as_ref().map(|progress| {
                let ended = progress.runs.len() - progress.left();
                let under_way = progress.runs.iter().filter(|run| run.state == State::Running);
                let parts = under_way.filter_map(|run| Some(run.step as f64 / run.steps? as f64));
                let done = ended as f64 + parts.sum::<f64>();
                (done / progress.runs.len().max(1) as f64, progress.sentence())
            });
            let under_way = found.progress.iter().flat_map(|progress| &progress.arms);
            curves = under_way.map(|arm| curve(&arm.label, &arm.train_loss)).collect();
            if curves.is_empty() {
                let ended = found.analysis.iter().flat_map(|analysis| &analysis.arms);
                curves = ended.map(|arm| curve(&arm.label, &arm.train_loss)).collect();
            }
            curves.retain(|(_, points)| !points.is_empty());
            curves.truncate(MOST_LINES);
        }
        let title = findings.as_ref().map_or("wd top", |found| found.page.title.as_str());
        Screen {
            title: title.to_owned(),
            progress,
            curves,
            findings,
            place: match of {
                0 | 1 => String::new(),
                of => format!("study {} of {of}, ← → for others   ", place + 1),
            },
        }
    }

    /// Draws it; `line` is the first line of the words, and is kept where there are some.
    pub(super) fn draw(&self, frame: &mut Frame<'_>, line: &mut u16) {
        let area = frame.area();
        let has_chart = area.height >= ROOM_FOR_A_CHART && !self.curves.is_empty();
        let [head, gauge, chart, words, foot] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(u16::from(self.progress.is_some())),
            Constraint::Length(if has_chart { CHART } else { 0 }),
            Constraint::Min(3),
            Constraint::Length(1),
        ])
        .areas(area);
        frame.render_widget(Line::from(self.title.as_str()).bold(), head);
        if let Some((share, told)) = &self.progress {
            let bar = Gauge::default().ratio(share.clamp(0.0, 1.0)).label(told.as_str());
            frame.render_widget(bar.gauge_style(Style::new().fg(Color::Cyan)), gauge);
        }
        if has_chart {
            self.chart(frame, chart);
        }
        let terminal = Terminal { width: usize::from(words.width.max(40)), ..Terminal::plain() };
        let text = match &self.findings {
            Some(found) => found.page.terminal(&terminal),
            None => "There is nothing here yet: a study appears as soon as it is begun.".to_owned(),
        };
        let lines = u16::try_from(text.lines().count()).unwrap_or(u16::MAX);
        *line = (*line).min(lines.saturating_sub(words.height));
        frame.render_widget(Paragraph::new(Text::from(text)).scroll((*line, 0)), words);
        let keys = format!("{}↑ ↓ to read on   q to end", self.place);
        frame.render_widget(Line::from(keys).dim(), foot);
    }

    fn chart(&self, frame: &mut Frame<'_>, area: Rect) {
        let points = || self.curves.iter().flat_map(|(_, points)| points);
        let last = points().map(|(step, _)| *step).fold(1.0, f64::max);
        // The first steps would flatten all others.
        let late = points().filter(|(step, _)| *step >= 0.05 * last).map(|(_, value)| *value);
        let (low, high) = late.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        let (low, high) = if low < high { (low, high) } else { (low - 1.0, low + 1.0) };
        let sets = self.curves.iter().zip(COLOURS).map(|((name, points), colour)| {
            Dataset::default()
                .name(name.as_str())
                .marker(Marker::Braille)
                .graph_type(GraphType::Line)
                .style(Style::new().fg(colour))
                .data(points)
        });
        let steps = [0.0, last / 2.0, last].map(|step| number::count(step.round() as u64));
        let values = [low, (low + high) / 2.0, high].map(number::measured);
        let chart = Chart::new(sets.collect())
            .legend_position(Some(LegendPosition::TopRight))
            .hidden_legend_constraints((Constraint::Percentage(50), Constraint::Percentage(90)))
            .block(Block::new().title("training loss, a mean over seeds"))
            .x_axis(Axis::default().bounds([0.0, last]).labels(steps))
            .y_axis(Axis::default().bounds([low, high]).labels(values));
        frame.render_widget(chart, area);
    }
}

fn curve(label: &str, bands: &[Band]) -> (String, Vec<(f64, f64)>) {
    let points = bands.iter().filter(|band| band.mean.is_finite());
    (label.to_owned(), points.map(|band| (band.step, band.mean)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::backend::TestBackend;

    #[test]
    fn a_terminal_of_any_size_is_drawn_on() {
        let page = wd_page::Page {
            title: "A study".to_owned(),
            lead: "λ acts as a force.".to_owned(),
            ..wd_page::Page::default()
        };
        let findings = Findings { page, analysis: None, progress: None };
        let mut screen = Screen::of(Some(findings), 1, 3);
        screen.curves = vec![("λ=0.1".to_owned(), vec![(1.0, 3.0), (2.0, 2.5)])];
        for (width, height) in [(80, 40), (120, 26), (40, 10), (10, 3), (1, 1)] {
            let mut terminal = ratatui::Terminal::new(TestBackend::new(width, height))
                .expect("a terminal in memory");
            let mut line = 1000;
            terminal.draw(|frame| screen.draw(frame, &mut line)).expect("it is drawn");
            let drawn = terminal.backend().to_string();
            if width >= 80 {
                assert!(drawn.contains("λ acts as a force."), "{drawn}");
                assert!(drawn.contains("study 2 of 3"), "{drawn}");
            }
            assert!(line < 10, "it stops at the end of the words");
        }
    }
}
