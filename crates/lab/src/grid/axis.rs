//! One axis of a grid: a key, and how its values are typed.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use toml_edit::Value;

use super::MOST_TRIALS;
use crate::LabError;
use crate::setting::{Setting, canonical, dotted, number, parse_key, parse_value, split_argument};

/// One key and the values it takes.
#[derive(Debug, Clone)]
pub struct Axis {
    path: Vec<String>,
    values: Vec<Value>,
}

impl Axis {
    /// The dotted key.
    pub fn key(&self) -> String {
        dotted(&self.path)
    }

    /// The key in its parts.
    pub(super) fn path(&self) -> &[String] {
        &self.path
    }

    /// How many values it takes.
    pub(super) fn count(&self) -> usize {
        self.values.len()
    }

    /// The settings of this axis, in the order given.
    pub fn settings(&self) -> Vec<Setting> {
        self.values
            .iter()
            .map(|value| Setting::from_parts(self.path.clone(), value.clone()))
            .collect()
    }
}

impl FromStr for Axis {
    type Err = LabError;

    /// Reads `key=ITEM,ITEM…`.
    ///
    /// # Errors
    /// [`LabError::Argument`] names the argument, what is wrong with it and how to write it.
    fn from_str(argument: &str) -> Result<Self, LabError> {
        let refuse = |problem: String, fix: String| LabError::Argument {
            argument: argument.to_owned(),
            problem,
            fix,
        };
        let (key, text) = split_argument(argument)?;
        let path = parse_key(key)?;
        let mut values = Vec::new();
        for item in split_items(text).map_err(|problem| refuse(problem, "close it".to_owned()))? {
            if item.is_empty() {
                let problem = if text.is_empty() {
                    "there is no value"
                } else {
                    "one of the values is empty"
                };
                return Err(refuse(problem.to_owned(), format!("write {key}=0,0.1 or {key}=0..3")));
            }
            let read = item_values(item)
                .map_err(|(problem, fix)| refuse(problem, fix.replace("KEY", key)))?;
            values.extend(read);
        }
        let mut seen = HashSet::new();
        for value in &values {
            let spelled = canonical(value);
            if !seen.insert(spelled.clone()) {
                return Err(refuse(
                    format!("the value {spelled} is there twice"),
                    "write each value once; to repeat a run, vary run.seed".to_owned(),
                ));
            }
        }
        Ok(Axis { path, values })
    }
}

impl fmt::Display for Axis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<String> = self.values.iter().map(canonical).collect();
        write!(formatter, "{}={}", self.key(), values.join(","))
    }
}

/// Splits at commas outside quotes and brackets.
fn split_items(text: &str) -> Result<Vec<&str>, String> {
    let mut items = Vec::new();
    let (mut start, mut depth, mut quote) = (0, 0_usize, None);
    for (index, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => {
                depth =
                    depth.checked_sub(1).ok_or_else(|| format!("`{character}` closes nothing"))?;
            }
            (None, ',') if depth == 0 => {
                items.push(text[start..index].trim());
                start = index + 1;
            }
            _ => {}
        }
    }
    if depth > 0 || quote.is_some() {
        return Err("a quote or bracket is not closed".to_owned());
    }
    items.push(text[start..].trim());
    Ok(items)
}

/// The values of one item; an error is (problem, fix), with `KEY` standing for the axis' key.
fn item_values(item: &str) -> Result<Vec<Value>, (String, String)> {
    if let Some((name, rest)) = item.split_once('(')
        && !item.starts_with(['"', '\'', '[', '{'])
    {
        let body = rest.strip_suffix(')');
        return match (name.trim(), body) {
            ("log", Some(body)) => logarithmic(body),
            _ => Err((
                format!("`{item}` is not known"),
                "the only function is log, as in KEY=log(1e-3..1,7)".to_owned(),
            )),
        };
    }
    if let Some((first, last)) = item.split_once("..")
        && !item.starts_with(['"', '\'', '[', '{'])
        && !item.contains(['/', '\\'])
    {
        return whole_numbers(item, first.trim(), last.trim());
    }
    parse_value(item)
        .map(|value| vec![value])
        .map_err(|problem| (problem, "write KEY=0.1 or KEY=\"text\"".to_owned()))
}

/// `first..last`, both included.
fn whole_numbers(item: &str, first: &str, last: &str) -> Result<Vec<Value>, (String, String)> {
    let (Ok(from), Ok(to)) = (first.parse::<i64>(), last.parse::<i64>()) else {
        return Err((
            format!("`{item}` is not a range of whole numbers"),
            "write KEY=0..3 (3 is included), a list such as KEY=0.1,0.3, or KEY=log(1e-3..1,7)"
                .to_owned(),
        ));
    };
    if from > to {
        return Err((format!("the range `{item}` is empty"), format!("write KEY={to}..{from}")));
    }
    if to.abs_diff(from) >= MOST_TRIALS as u64 {
        return Err((
            format!("the range `{item}` has more than {MOST_TRIALS} values"),
            "take a shorter one".to_owned(),
        ));
    }
    Ok((from..=to).map(Value::from).collect())
}

/// The body of `log(low..high,count)`.
fn logarithmic(body: &str) -> Result<Vec<Value>, (String, String)> {
    let fix = || "write KEY=log(1e-3..1,7): two positive ends and the number of values".to_owned();
    let read = || {
        let (range, count) = body.split_once(',')?;
        let (low, high) = range.split_once("..")?;
        let low = number(&parse_value(low).ok()?)?;
        let high = number(&parse_value(high).ok()?)?;
        Some((low, high, count.trim().parse::<usize>().ok()?))
    };
    let Some((low, high, count)) = read() else {
        return Err((format!("`log({body})` cannot be read"), fix()));
    };
    if !(low > 0.0 && high > low && high.is_finite()) {
        return Err((format!("the ends of `log({body})` are not 0 < low < high"), fix()));
    }
    if !(2..=MOST_TRIALS).contains(&count) {
        return Err((format!("`log({body})` asks for {count} values"), fix()));
    }
    let (from, to) = (low.ln(), high.ln());
    Ok((0..count)
        .map(|index| {
            let value = match index {
                0 => low,
                _ if index == count - 1 => high,
                _ => four_digits((from + (to - from) * index as f64 / (count - 1) as f64).exp()),
            };
            Value::from(value)
        })
        .collect())
}

/// Rounded to four significant digits, which is finer than any loss can tell and short enough for a
/// name.
fn four_digits(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}
