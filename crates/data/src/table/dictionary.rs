//! The distinct texts of a column, numbered as they appear.

use std::collections::HashMap;

/// The code of a missing value.
pub(super) const MISSING: u32 = u32::MAX;

/// More distinct texts than this are names of rows or free text, not a category: the Gram matrix of
/// their indicators alone would take 134 MB.
pub(super) const MOST_LEVELS: usize = 4096;

/// Texts by code.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    texts: Vec<String>,
    codes: HashMap<String, u32>,
}

impl Dictionary {
    /// The code of a text, new or known; what is wrong with the column when there are too many.
    pub(super) fn code(&mut self, text: &str) -> Result<u32, String> {
        if let Some(code) = self.codes.get(text) {
            return Ok(*code);
        }
        if self.texts.len() == MOST_LEVELS {
            return Err(format!(
                "is its {}th different text: no category; leave it out with `drop`",
                MOST_LEVELS + 1
            ));
        }
        let code = self.texts.len() as u32;
        self.texts.push(text.to_owned());
        self.codes.insert(text.to_owned(), code);
        Ok(code)
    }

    /// The texts in the order of their codes.
    pub(super) fn texts(&self) -> &[String] {
        &self.texts
    }
}
