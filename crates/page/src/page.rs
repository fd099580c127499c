//! A page: what an answer says, in the order in which it is read.

use serde::Serialize;

use crate::{Claim, FigureBlock, Table};

/// A piece of a section. Every text is shown as it is, never as markup.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// A paragraph.
    Paragraph(String),
    /// Why a figure or number that belongs here is not shown.
    Absent(String),
    /// A small heading.
    Heading(String),
    /// The answer in one sentence: its beginning, and the words that matter.
    Answer(String, String),
    /// Claims with what was found about each.
    Claims(Vec<Claim>),
    /// Formulas, a line each.
    Formulas(Vec<String>),
    /// Lines to be typed into a shell.
    Commands(Vec<String>),
    /// Names with their values.
    Facts(Vec<(String, String)>),
    /// What to beware of.
    Warning {
        /// What is the matter.
        reason: String,
        /// What to do about it.
        fix: String,
    },
    /// A figure with its caption and numbers.
    Figure(Box<FigureBlock>),
    /// A table that is read as part of the text.
    Table(Table),
    /// Contents that are shown when asked for.
    More(String, Vec<Content>),
}

impl From<FigureBlock> for Content {
    fn from(block: FigureBlock) -> Self {
        Content::Figure(Box::new(block))
    }
}

impl Content {
    /// One name with its value; neighbours are set as one list.
    pub fn fact(name: impl Into<String>, value: impl Into<String>) -> Self {
        Content::Facts(vec![(name.into(), value.into())])
    }
}

/// A part of the page with a heading, listed in the contents.
#[derive(Debug, Clone, Serialize)]
pub struct Section {
    /// Name for links, unique in its page.
    pub id: &'static str,
    /// Name in the list of contents.
    pub name: &'static str,
    /// The heading.
    pub heading: String,
    /// What it says.
    pub contents: Vec<Content>,
    /// Where it is shown.
    pub shown: Shown,
}

/// Where a section is shown: a terminal shows what answers the question, a file shows everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    /// On a terminal and in a file.
    Everywhere,
    /// In a file alone.
    File,
    /// On a terminal alone, as the short form of what a file shows at length.
    Terminal,
}

impl Section {
    /// A section for terminals and files; its name in the list of contents is the heading.
    /// Facts, and formulas, that follow each other become one list.
    pub fn new(id: &'static str, heading: &'static str, contents: Vec<Content>) -> Self {
        let (name, heading) = (heading, heading.to_owned());
        Section { id, name, heading, contents: joined(contents), shown: Shown::Everywhere }
    }

    /// A section that only a file shows.
    pub fn full(id: &'static str, heading: &'static str, contents: Vec<Content>) -> Self {
        Section { shown: Shown::File, ..Section::new(id, heading, contents) }
    }

    /// What a terminal shows in place of sections that only a file shows.
    pub fn terminal(contents: Vec<Content>) -> Self {
        Section { shown: Shown::Terminal, ..Section::new("", "", contents) }
    }

    /// The same section under a shorter name in the list of contents.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Section { name, ..self }
    }
}

/// The contents with neighbouring lists of facts, and of formulas, made one.
fn joined(contents: Vec<Content>) -> Vec<Content> {
    let mut out: Vec<Content> = Vec::with_capacity(contents.len());
    for content in contents {
        match (out.last_mut(), content) {
            (Some(Content::Facts(facts)), Content::Facts(more)) => facts.extend(more),
            (Some(Content::Formulas(lines)), Content::Formulas(more)) => lines.extend(more),
            (_, content) => out.push(content),
        }
    }
    out
}

/// A whole page.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Page {
    /// What kind of page this is, above the title.
    pub kind: &'static str,
    /// The title.
    pub title: String,
    /// One sentence under the title: what was found.
    pub lead: String,
    /// A smaller sentence under it: where that holds.
    pub regime: String,
    /// A few short facts in a row.
    pub facts: Vec<(String, String)>,
    /// The sections.
    pub sections: Vec<Section>,
}

/// What a page says besides its answer. Every text is shown as it is, never as markup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Title of the page.
    pub title: String,
    /// The commands that make the page again, one line each.
    pub commands: Vec<String>,
    /// The setting as names and values: corpus, tokenizer, split, model, optimizer, machine.
    pub setting: Vec<(String, String)>,
    /// Remarks shown under the verdict, a paragraph each.
    pub notes: Vec<String>,
    /// What would decide what the answer leaves open.
    pub settling: Vec<Settling>,
}

/// What would decide something that an answer leaves open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settling {
    /// What it would decide, and what it costs.
    pub what: String,
    /// The command.
    pub command: String,
}

impl Context {
    /// What would decide what is left open, under a heading; nothing where nothing is.
    pub fn undecided(&self, heading: &str) -> Vec<Content> {
        let mut contents = Vec::new();
        if !self.settling.is_empty() {
            contents.push(Content::Heading(heading.to_owned()));
        }
        for Settling { what, command } in &self.settling {
            contents.push(Content::Paragraph(format!("{what}:")));
            contents.push(Content::Commands(vec![command.clone()]));
        }
        contents
    }

    /// The sections about how the answer was made.
    pub fn sections(&self) -> Vec<Section> {
        let mut sections = Vec::new();
        if !self.setting.is_empty() {
            let contents = vec![Content::Facts(self.setting.clone())];
            sections.push(Section::full("setting", "Setting", contents));
        }
        if !self.commands.is_empty() {
            let contents = vec![
                Content::Paragraph(
                    "These commands compute the same numbers and write the same report.".to_owned(),
                ),
                Content::Commands(self.commands.clone()),
            ];
            let section = Section::full("commands", "Remake this report", contents);
            sections.push(section.named("Remake it"));
        }
        sections
    }
}
