//! Columns that are made of others: `log(price)`, `area:street`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::TableError;

/// A function of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Function {
    /// ln x
    Log,
    /// ln(1 + x)
    Log1p,
    /// log₁₀ x
    Log10,
    /// √x
    Sqrt,
    /// eˣ
    Exp,
    /// x²
    Square,
    /// |x|
    Abs,
}

/// Every function with its name.
const FUNCTIONS: [(&str, Function); 7] = [
    ("log", Function::Log),
    ("log1p", Function::Log1p),
    ("log10", Function::Log10),
    ("sqrt", Function::Sqrt),
    ("exp", Function::Exp),
    ("square", Function::Square),
    ("abs", Function::Abs),
];

impl Function {
    /// Its value at `x`; not finite where it has none.
    pub fn at(self, x: f64) -> f64 {
        match self {
            Function::Log => x.ln(),
            Function::Log1p => x.ln_1p(),
            Function::Log10 => x.log10(),
            Function::Sqrt => x.sqrt(),
            Function::Exp => x.exp(),
            Function::Square => x * x,
            Function::Abs => x.abs(),
        }
    }

    /// Its name in an expression.
    pub fn name(self) -> &'static str {
        FUNCTIONS.iter().find(|(_, function)| *function == self).map_or("", |(name, _)| name)
    }

    /// Its value at a cell, or what is wrong with the cell.
    pub(super) fn of_cell(self, x: f64) -> Result<f64, String> {
        let value = self.at(x);
        if value.is_finite() || x.is_nan() {
            return Ok(value);
        }
        let name = self.name();
        let remedy = match self {
            Function::Log | Function::Log10 if x == 0.0 => {
                "; `log1p` takes 0, or declare the value as missing"
            }
            _ => "; leave such rows out of the file, or take another function",
        };
        Err(format!("{name}({x}) is no finite number{remedy}"))
    }
}

/// A column, or a function of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// The column of the file.
    pub column: String,
    /// What is made of its numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<Function>,
}

impl Term {
    /// Reads `column` or `log(column)`; `is_column` knows the columns of the file, one of which may
    /// have parentheses in its name.
    pub(super) fn read(
        path: &Path,
        word: &str,
        is_column: &dyn Fn(&str) -> bool,
    ) -> Result<Term, TableError> {
        let word = word.trim();
        let plain = || Term { column: word.to_owned(), function: None };
        if is_column(word) {
            return Ok(plain());
        }
        let Some((name, rest)) = word.split_once('(') else { return Ok(plain()) };
        let Some(inner) = rest.strip_suffix(')') else { return Ok(plain()) };
        let found = FUNCTIONS.iter().find(|(known, _)| *known == name.trim());
        match found {
            Some((_, function)) => {
                Ok(Term { column: inner.trim().to_owned(), function: Some(*function) })
            }
            None => {
                let known: Vec<&str> = FUNCTIONS.iter().map(|(name, _)| *name).collect();
                let problem = format!(
                    "`{word}` is neither a column nor a function that is known; functions are {}",
                    known.join(", ")
                );
                Err(TableError::table(path, problem))
            }
        }
    }

    /// How it is written.
    pub fn name(&self) -> String {
        match self.function {
            Some(function) => format!("{}({})", function.name(), self.column),
            None => self.column.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_read_as_they_are_written() {
        let is_column = |name: &str| matches!(name, "price" | "CO(ref)" | "log(x)");
        let read = |word: &str| Term::read(Path::new("t"), word, &is_column);
        for (word, column, function) in [
            ("price", "price", None),
            ("log(price)", "price", Some(Function::Log)),
            (" sqrt( CO(ref) ) ", "CO(ref)", Some(Function::Sqrt)),
            ("CO(ref)", "CO(ref)", None),
            ("log(x)", "log(x)", None),
        ] {
            let term = read(word).expect(word);
            assert_eq!((term.column.as_str(), term.function), (column, function), "{word}");
        }
        assert!(read("sin(price)").is_err());
        assert!(Function::Log.of_cell(0.0).is_err_and(|problem| problem.contains("log1p")));
        assert_eq!(Function::Square.of_cell(-3.0), Ok(9.0));
    }
}
