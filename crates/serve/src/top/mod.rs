//! A study in a terminal while it runs: the words of the report, how far the runs are, and the
//! training loss of each arm.
//!
//! | file | what |
//! |---|---|
//! | `mod` | what is looked at, and which keys do what |
//! | `screen` | how it is drawn |

mod screen;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use wd_page::Terminal;

use crate::ServeError;
use crate::index::Index;
use crate::study::findings::{Findings, findings};
use crate::study::{Choice, LiveStudy};
use screen::Screen;

/// Between two looks at the disk.
const PERIOD: Duration = Duration::from_secs(1);
/// Between two looks at the keyboard.
const PATIENCE: Duration = Duration::from_millis(100);

/// The studies below a folder as text, once: for a terminal that cannot be drawn on, or a pipe.
///
/// # Errors
/// [`ServeError::Path`] for a folder that is not there.
pub fn printed(path: &Path, terminal: &Terminal) -> Result<String, ServeError> {
    let index = Index::of(&[path.to_owned()])?;
    let studies = index.studies();
    let pages = studies.iter().map(|study| seen(study).page.terminal(terminal));
    Ok(match studies.is_empty() {
        true => format!("There is nothing below {} yet.\n", path.display()),
        false => pages.collect::<Vec<_>>().join("\n"),
    })
}

/// Shows the studies below a folder on this terminal until somebody ends it.
///
/// # Errors
/// [`ServeError::Path`] for a folder that is not there; [`ServeError::Terminal`] where nothing can
/// be drawn.
pub fn top(path: &Path) -> Result<(), ServeError> {
    let index = Index::of(&[path.to_owned()])?;
    let mut terminal = ratatui::try_init().map_err(ServeError::Terminal)?;
    let outcome = watch(&index, &mut terminal);
    // The terminal is given back as it was, whatever happened.
    ratatui::restore();
    outcome.map_err(ServeError::Terminal)
}

/// What somebody looks at.
#[derive(Debug, Default, Clone, Copy)]
struct Place {
    /// Which study.
    study: usize,
    /// The first line of its words.
    line: u16,
}

fn watch(index: &Index, terminal: &mut ratatui::DefaultTerminal) -> std::io::Result<()> {
    let mut place = Place::default();
    let mut shown: Option<(Instant, Screen)> = None;
    loop {
        if shown.as_ref().is_none_or(|(at, _)| at.elapsed() >= PERIOD) {
            let studies = index.studies();
            place.study = place.study.min(studies.len().saturating_sub(1));
            let found = studies.get(place.study).map(seen);
            let screen = Screen::of(found, place.study, studies.len());
            shown = Some((Instant::now(), screen));
        }
        let Some((_, screen)) = &shown else { continue };
        terminal.draw(|frame| screen.draw(frame, &mut place.line))?;
        if !event::poll(PATIENCE)? {
            continue;
        }
        let Event::Key(key) = event::read()? else { continue };
        match pressed(key, &mut place) {
            Some(Pressed::End) => return Ok(()),
            Some(Pressed::Other) => shown = None,
            None => {}
        }
    }
}

enum Pressed {
    End,
    /// Another study.
    Other,
}

fn pressed(key: KeyEvent, place: &mut Place) -> Option<Pressed> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
    let study = match key.code {
        KeyCode::Char('q') | KeyCode::Esc => return Some(Pressed::End),
        KeyCode::Char('c') if is_control => return Some(Pressed::End),
        KeyCode::Right | KeyCode::Tab => place.study + 1,
        KeyCode::Left | KeyCode::BackTab => place.study.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => return moved(place, 1),
        KeyCode::Up | KeyCode::Char('k') => return moved(place, -1),
        KeyCode::PageDown | KeyCode::Char(' ') => return moved(place, 15),
        KeyCode::PageUp => return moved(place, -15),
        KeyCode::Home => return moved(place, i16::MIN),
        _ => return None,
    };
    *place = Place { study, line: 0 };
    Some(Pressed::Other)
}

fn moved(place: &mut Place, lines: i16) -> Option<Pressed> {
    place.line = place.line.saturating_add_signed(lines);
    None
}

/// What a study shows now.
fn seen(study: &Arc<LiveStudy>) -> Findings {
    findings(&study.now().runs, &Choice::default())
}
