//! JSON lines of one run: `{"step": 10, "train/loss": 2.1, "val": {"loss": 2.3}}`.
//!
//! Every number beside the step is a point of a curve, nested keys joined by dots. A line that is no
//! such object, a torn last one among them, is passed over.

use std::path::Path;

use serde_json::Value;

use crate::files::Lines;
use crate::names::whole;
use crate::run::Run;
use crate::{ImportError, lenient};

/// Reads the points of a file.
///
/// # Errors
/// [`ImportError::Io`].
pub fn read(path: &Path) -> Result<Run, ImportError> {
    let mut run = Run::new(path.file_stem().unwrap_or_default().to_string_lossy(), path);
    let mut lines = Lines::open(path)?;
    while let Some(line) = lines.next()? {
        if let Ok(Value::Object(members)) = lenient::json(line)
            && let Some(step) = members.get("step").and_then(lenient::number).and_then(whole)
        {
            for (key, value) in members.iter().filter(|(key, _)| *key != "step") {
                put(&mut run, key, step, value);
            }
        }
    }
    Ok(run)
}

fn put(run: &mut Run, key: &str, step: u64, value: &Value) {
    match value {
        Value::Object(members) => {
            for (member, value) in members {
                put(run, &format!("{key}.{member}"), step, value);
            }
        }
        value => {
            if let Some(number) = lenient::number(value) {
                run.push(key, step, number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_curves_and_a_torn_line_is_passed_over() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = "{\"step\": 0, \"loss\": 3, \"val\": {\"loss\": NaN}, \"note\": \"x\"}\n\
                    {\"step\": 5, \"loss\": 2.5}\nno JSON\n{\"loss\": 1}\n{\"step\": 9, \"los";
        std::fs::write(file.path(), text).unwrap();
        let run = read(file.path()).unwrap();
        assert_eq!((&run.curves["loss"].steps[..], run.curves.len()), (&[0, 5][..], 2));
        assert!(run.curves["val.loss"].values[0].is_nan());
    }
}
