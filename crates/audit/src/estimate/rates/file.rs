//! Learning rates from a file that the user names.
//!
//! | form | example |
//! |---|---|
//! | JSON array | `[1e-4, 2e-4, …]`: the rates of steps 1, 2, … |
//! | JSON object | `{"100": 1e-4, "200": 2e-4}`: step → rate |
//! | CSV | `step,rate` and a line a step; a first line of words is left out |

use std::path::Path;

use super::{RateSource, Rates};
use crate::AuditError;
use crate::checkpoint::LoggedRate;
use crate::limits::Limits;

impl Rates {
    /// Reads a file of learning rates: a JSON array with the rates of steps 1, 2, …, a JSON object
    /// from step to rate, or CSV lines `step,rate`.
    ///
    /// # Errors
    /// If the file cannot be read, or holds anything else.
    pub fn read(path: &Path) -> Result<Self, AuditError> {
        let io = |source| AuditError::Io { path: path.to_owned(), source };
        let length = std::fs::metadata(path).map_err(io)?.len();
        if length > Limits::DEFAULT.text_bytes as u64 {
            let limit = wd_page::number::bytes(Limits::DEFAULT.text_bytes as u64);
            return Err(wrong(path, None, format!("a file of learning rates has at most {limit}")));
        }
        Rates::parse(&std::fs::read_to_string(path).map_err(io)?, path)
    }

    /// The same from text; the path is for errors.
    ///
    /// # Errors
    /// If the text is none of the three forms.
    pub fn parse(text: &str, path: &Path) -> Result<Self, AuditError> {
        let points = match text.trim_start().as_bytes().first() {
            Some(b'[' | b'{') => json(text, path)?,
            _ => lines(text, path)?,
        };
        Rates::at_steps(points, RateSource::File).ok_or_else(|| {
            let what = "learning rates must be finite and not negative, and a step has one rate";
            wrong(path, None, what.to_owned())
        })
    }
}

fn wrong(path: &Path, line: Option<usize>, reason: String) -> AuditError {
    AuditError::Configuration { path: path.to_owned(), line, reason }
}

fn json(text: &str, path: &Path) -> Result<Vec<LoggedRate>, AuditError> {
    let value: serde_json::Value = serde_json::from_str(text)
        .map_err(|error| wrong(path, Some(error.line()), error.to_string()))?;
    let points: Option<Vec<LoggedRate>> = match &value {
        serde_json::Value::Array(rates) => (1_u32..)
            .zip(rates)
            .map(|(step, rate)| Some(LoggedRate { step: f64::from(step), rate: rate.as_f64()? }))
            .collect(),
        serde_json::Value::Object(rates) => rates
            .iter()
            .map(|(step, rate)| {
                Some(LoggedRate { step: step.trim().parse().ok()?, rate: rate.as_f64()? })
            })
            .collect(),
        _ => None,
    };
    let what = "learning rates are an array with one number a step, or an object from step to rate";
    points.ok_or_else(|| wrong(path, None, what.to_owned()))
}

fn lines(text: &str, path: &Path) -> Result<Vec<LoggedRate>, AuditError> {
    let mut points = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let mut cells = line.split(',').map(|cell| cell.trim().parse::<f64>());
        match (cells.next(), cells.next(), cells.next()) {
            (Some(Ok(step)), Some(Ok(rate)), None) => points.push(LoggedRate { step, rate }),
            _ if line.trim().is_empty() || number == 1 => {}
            _ => {
                let what = "a line has a step and its learning rate, with a comma in between";
                return Err(wrong(path, Some(number), what.to_owned()));
            }
        }
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_say_the_same() {
        let forms = [
            "[1e-4, 2e-4, 3e-4]",
            r#" {"3": 3e-4, "1": 0.0001, "2": 2e-4}"#,
            "step,rate\n1,1e-4\n2, 2e-4\n\n3,3e-4\n",
            "1,1e-4\n2,2e-4\n3,3e-4",
        ];
        for text in forms {
            let rates = Rates::parse(text, Path::new("rates")).unwrap();
            assert_eq!(rates.window(0, 3).unwrap(), [1e-4, 2e-4, 3e-4]);
            assert_eq!(rates.source(), RateSource::File);
            assert!(rates.window(0, 4).is_none());
        }
    }

    #[test]
    fn what_is_no_rate_is_refused_where_it_stands() {
        let line = |text: &str| match Rates::parse(text, Path::new("rates")) {
            Err(AuditError::Configuration { line, .. }) => line,
            other => panic!("{other:?}"),
        };
        assert_eq!(line("1,1e-4\n2;2e-4\n"), Some(2));
        assert_eq!(line("[1e-4,\n x]"), Some(2));
        for text in ["", "[]", "{}", "[null]", r#"{"a": 1}"#, "[-1]", "1,1e-4\n1,2e-4", "3"] {
            assert_eq!(line(text), None, "{text}");
        }
    }
}
