//! An answer as data: title, sections, facts, tables, figures. It holds no HTML and no terminal
//! codes; the renderers here write it for a terminal, as one HTML file or as Markdown, or draw a
//! figure of it as SVG.
//!
//! | module | what |
//! |---|---|
//! | [`page`] | a page and what stands in it |
//! | [`claim`] | a claim and what was found about it |
//! | [`table`] | tables, and the numbers behind a figure as CSV |
//! | [`figure`] | figures, and how they are drawn |
//! | [`figure_block`] | a figure with its caption and numbers |
//! | [`mod@html`], [`markdown`], [`mod@terminal`] | the renderers |
//! | [`markup`] | markup in which foreign text stays text |
//! | [`number`], [`words`] | how numbers and their nouns are written, everywhere |
//!
//! # Example
//! ```
//! use wd_page::{Content, Page, Section, Terminal};
//!
//! let page = Page {
//!     kind: "An example",
//!     title: "λ = 0.1".to_owned(),
//!     lead: "It leaves 19 % of the initial weights.".to_owned(),
//!     sections: vec![Section::new("run", "Over the run", vec![Content::fact("κ = Σ s", "1.65")])],
//!     ..Page::default()
//! };
//! assert!(page.html().starts_with("<!DOCTYPE html>"));
//! assert_eq!(
//!     page.terminal(&Terminal::plain()),
//!     "It leaves 19 % of the initial weights.\n\nOver the run\n  κ = Σ s               1.65\n"
//! );
//! ```

pub mod claim;
pub mod figure;
pub mod figure_block;
pub mod html;
pub mod markdown;
pub mod markup;
pub mod number;
pub mod page;
pub mod table;
pub mod terminal;
pub mod words;

pub use claim::{Claim, Supported};
pub use figure_block::FigureBlock;
pub use html::Fragment;
pub use markdown::Markdown;
pub use markup::Markup;
pub use page::{Content, Context, Page, Section, Settling, Shown};
pub use table::{Csv, Field, Table};
pub use terminal::Terminal;
pub use words::counted;
