//! The verdict for a terminal.

use wd_lab::Analysis;
use wd_page::{Context, Terminal};

use crate::fixture;

fn study_summary(analysis: &Analysis) -> String {
    analysis.page(&Context::default()).terminal(&Terminal::plain())
}

#[test]
fn the_summary_of_a_full_study() {
    insta::assert_snapshot!(study_summary(&fixture::realistic()));
}

#[test]
fn the_summary_of_one_run() {
    insta::assert_snapshot!(study_summary(&fixture::single()));
}

#[test]
fn lines_are_short_and_plain() {
    let mut hostile = fixture::realistic();
    hostile.arms[0].label = "\u{1b}[31m".to_owned() + &"x".repeat(300);
    hostile.verdict.headline = "y".repeat(250);
    hostile.verdict.lines[0].finding = "\u{1b}]0;title\u{7}".to_owned();
    let mut nothing = fixture::single();
    nothing.arms.clear();
    for analysis in [fixture::realistic(), fixture::diverged(), fixture::many(), hostile, nothing] {
        for line in study_summary(&analysis).lines() {
            assert!(line.chars().count() <= 100, "{} columns: {line}", line.chars().count());
            assert!(!line.chars().any(char::is_control), "{line:?}");
        }
    }
}
