//! An analysis as JSON: the keys that scripts read. What is infinite is null.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::analysis::{Analysis, Group, Output};

impl Serialize for Analysis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object(self).serialize(serializer)
    }
}

fn object(analysis: &Analysis) -> Value {
    let findings = &analysis.table.findings;
    let by_group = |value: fn(&Group) -> f64| -> Value {
        let pairs = analysis.groups.iter();
        Value::Object(pairs.map(|group| (group.name.clone(), json!(value(group)))).collect())
    };
    let has_groups = !analysis.groups.is_empty();
    let names = |places: &[usize]| -> Vec<&String> {
        places.iter().map(|column| &analysis.columns[*column]).collect()
    };
    let constant: Vec<usize> = findings.constant.iter().map(|(column, _)| *column).collect();
    let duplicate: Vec<usize> = findings.duplicate.iter().map(|(column, _)| *column).collect();
    let path: Vec<Value> =
        (0..analysis.path.len()).map(|place| path_point(analysis, place)).collect();
    json!({
        "target": analysis.target,
        "family": analysis.family,
        "rows": whole(analysis.rows),
        "rows_used": findings.rows,
        "left_out": {
            "blank": findings.left_out.blank,
            "comments": findings.left_out.comments,
            "missing": findings.left_out.missing,
            "unseen": findings.left_out.unseen,
            "weightless": findings.left_out.weightless,
        },
        "filled": findings.left_out.filled_in.iter().map(|(_, cells)| cells).sum::<u64>(),
        "chosen_by": analysis.chosen_by.name(),
        "outcome": analysis.outcome,
        "lambda": if has_groups { by_group(|group| group.lambda) } else { json!(analysis.lambda) },
        "lambda_interval": if has_groups { Value::Null } else { json!(analysis.interval) },
        "alpha": if has_groups { by_group(|group| group.alpha) } else { json!(analysis.alpha) },
        "beta": analysis.beta,
        "log_evidence": analysis.log_evidence,
        "effective_parameters": analysis.effective_parameters,
        "rank": analysis.rank,
        "coefficients": by_output(analysis, |output| {
            named(&analysis.columns, &output.coefficients)
        }),
        "standardized_coefficients": by_output(analysis, |output| {
            named(&analysis.columns, &output.standardized)
        }),
        "standard_deviations": by_output(analysis, |output| match output.deviations.is_empty() {
            true => Value::Null,
            false => named(&analysis.columns, &output.deviations),
        }),
        "intercept": by_output(analysis, |output| json!(output.intercept)),
        "groups": analysis.groups.iter().map(|group| json!({
            "name": group.name,
            "columns": group.columns,
            "lambda": group.lambda,
            "alpha": group.alpha,
            "effective_parameters": group.effective_parameters,
        })).collect::<Vec<_>>(),
        "path": path,
        "comparison": analysis.comparison.choices.iter().map(|choice| json!({
            "chosen_by": choice.criterion.name(),
            "lambda": choice.lambda,
            "at_edge": choice.at_edge,
            "error": choice.error,
            "standard_error": choice.standard_error,
            "largest_within_one_standard_error": choice.within_error,
            "costs": analysis.comparison.curves.iter().zip(&choice.costs).map(|(curve, cost)| {
                (curve.criterion.name(), json!(cost))
            }).collect::<Map<_, _>>(),
        })).collect::<Vec<_>>(),
        "quality": analysis.quality,
        "conventions": analysis.conventions,
        "design": analysis.table.design,
        "constant_columns": names(&constant),
        "duplicate_columns": names(&duplicate),
        "numbering_columns": names(&findings.numbering),
        "notes": analysis.notes,
    })
}

/// A count that is a whole number as one.
fn whole(value: f64) -> Value {
    match value.fract() == 0.0 && (0.0..9e15).contains(&value) {
        true => json!(value as u64),
        false => json!(value),
    }
}

/// λ with everything along the path, the criteria by their names.
fn path_point(analysis: &Analysis, place: usize) -> Value {
    let point = &analysis.path[place];
    let mut object = Map::new();
    object.insert("lambda".to_owned(), json!(analysis.comparison.lambdas[place]));
    object.insert("log_evidence".to_owned(), json!(point.log_evidence));
    object.insert("effective_parameters".to_owned(), json!(point.effective_parameters));
    object.insert("squared_norm".to_owned(), json!(point.squared_norm));
    object.insert("training_error".to_owned(), json!(point.training_error));
    // The evidence is the first of them.
    for curve in analysis.comparison.curves.iter().skip(1) {
        object.insert(curve.criterion.name(), json!(curve.values[place]));
    }
    Value::Object(object)
}

/// A value, or one for each class.
fn by_output(analysis: &Analysis, value: impl Fn(&Output) -> Value) -> Value {
    match analysis.outputs.as_slice() {
        [only] => value(only),
        outputs => Value::Object(
            outputs
                .iter()
                .map(|output| (output.class.clone().unwrap_or_default(), value(output)))
                .collect(),
        ),
    }
}

fn named(names: &[String], values: &[f64]) -> Value {
    Value::Object(
        names.iter().zip(values).map(|(name, value)| (name.clone(), json!(value))).collect(),
    )
}
