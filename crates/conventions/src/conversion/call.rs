//! A conversion in the target's own keys, and as a call to paste.

use super::outcome::{Conversion, Fidelity, Found};
use super::target::Target;
use super::value::{Value, pasted};
use crate::Setting;
use crate::library::{Key, KeyDefault, KeyMeaning, LibraryEntry, Variant};

/// Writes `found` in the keys of the target; whatever the source has and the target cannot take over
/// is a reason more.
pub(super) fn written(
    setting: &Setting,
    target: &Target,
    variant: &'static Variant,
    found: Found,
) -> Conversion {
    let entry = target.entry;
    if found.fidelity == Fidelity::Impossible {
        return Conversion {
            entry,
            variant,
            fidelity: found.fidelity,
            reasons: found.reasons,
            keys: Vec::new(),
            call: None,
        };
    }
    let mut found = found;
    let mut keys = Vec::new();
    let mut unset = Vec::new();
    let holes: Vec<&str> = variant.holes().collect();
    for key in &entry.keys {
        match value_of(key, setting, target, variant, &found) {
            Some(value) => {
                // A key without a place in the call is fixed by the library.
                let fixed = match (key.default, value) {
                    (KeyDefault::Number(fixed), Value::Number(value))
                        if !holes.contains(&key.name.as_str()) =>
                    {
                        Some(fixed).filter(|fixed| *fixed != value)
                    }
                    _ => None,
                };
                if let (Some(fixed), Value::Number(value)) = (fixed, value) {
                    found = found.but(format!(
                        "{} is fixed at {} there, not {}",
                        key.name,
                        pasted(fixed),
                        pasted(value)
                    ));
                    keys.push((key.name.as_str(), Value::Number(fixed)));
                } else {
                    keys.push((key.name.as_str(), value));
                }
            }
            None => unset.push(key.name.as_str()),
        }
    }
    for (meaning, number) in &setting.values {
        let carried = entry.key(*meaning).is_some() || entry.optimizer.is_none();
        let inert = number.value == 0.0
            || (*meaning == KeyMeaning::Epsilon)
            || *meaning == KeyMeaning::L1Ratio;
        if !carried && !inert && setting.entry.optimizer == entry.optimizer {
            found = found.but(format!(
                "{} has no {}, which is {} here",
                entry.name,
                meaning.name(),
                pasted(number.value)
            ));
        }
    }
    let mut template = variant.call.clone();
    if let Some(differs) = intercept_differs(setting, entry) {
        let grouped =
            if differs.within == entry.name { bias_apart(entry, &variant.call) } else { None };
        let Intercept { out, within } = differs;
        found.reasons.push(match &grouped {
            Some(_) => format!(
                "{out} leaves the intercept out of the penalty, and so does the call: the bias has \
                 a group of its own"
            ),
            None => format!(
                "exact only without an intercept, or with it left out of the penalty: {out} leaves \
                 it out, {within} penalises it"
            ),
        });
        template = grouped.unwrap_or(template);
    }
    found.reasons.extend(columns_differ(setting, entry));
    let mut call = render(&template, &keys, &unset);
    if setting.entry.divides_columns && !entry.divides_columns && entry.library() == "sklearn" {
        call = format!(
            "sklearn.pipeline.make_pipeline(sklearn.preprocessing.StandardScaler(), {call})"
        );
    }
    if needs_saga(entry, &keys) {
        call.truncate(call.len() - 1);
        call.push_str(", solver=\"saga\", max_iter=10000)");
    }
    Conversion {
        entry,
        variant,
        fidelity: found.fidelity,
        reasons: found.reasons,
        keys,
        call: Some(call),
    }
}

/// What must be done to the columns where one side alone divides them.
fn columns_differ(setting: &Setting, entry: &LibraryEntry) -> Option<String> {
    let (from, to) = (setting.entry, entry);
    match (from.divides_columns, to.divides_columns) {
        (true, false) => Some(format!(
            "exact only for columns that are divided by their standard deviation (with N) first, \
             as {} does itself",
            from.name
        )),
        (false, true) => Some(format!(
            "exact only for columns whose standard deviation (with N) is 1 already: {} divides them",
            to.name
        )),
        _ => None,
    }
}

/// Two objectives of which one alone penalises the intercept.
struct Intercept<'a> {
    /// The entry that leaves it out.
    out: &'a str,
    /// The entry that penalises it.
    within: &'a str,
}

fn intercept_differs<'a>(setting: &Setting, entry: &'a LibraryEntry) -> Option<Intercept<'a>> {
    // Between two optimizers the same tensors are handed over.
    if setting.entry.has_steps() && entry.has_steps() {
        return None;
    }
    let (from, to) = (setting.entry, entry);
    match (from.penalizes_intercept?, to.penalizes_intercept?) {
        (false, true) => Some(Intercept { out: &from.name, within: &to.name }),
        (true, false) => Some(Intercept { out: &to.name, within: &from.name }),
        _ => None,
    }
}

/// The call of a PyTorch optimizer with the bias in a group of its own, for which the default of 0
/// holds.
fn bias_apart(entry: &LibraryEntry, call: &str) -> Option<String> {
    let default = entry.key(KeyMeaning::WeightDecay)?.default;
    let argument = ", weight_decay={weight_decay}";
    if entry.library() != "torch" || default != KeyDefault::Number(0.0) || !call.contains(argument)
    {
        return None;
    }
    let groups = "([{\"params\": [model.weight], \"weight_decay\": {weight_decay}}, {\"params\": \
        [model.bias]}]";
    Some(call.replacen(argument, "", 1).replacen("(params", groups, 1))
}

/// Whether scikit-learn's default solver, lbfgs, would refuse the call: it has no L1, which only
/// saga fits together with L2 (`sklearn/linear_model/_logistic.py`, `_check_solver`). Saga takes
/// small steps, and more of them than the default of 100.
fn needs_saga(entry: &LibraryEntry, keys: &[(&'static str, Value)]) -> bool {
    entry.name == "sklearn.LogisticRegression"
        && keys.iter().any(|(name, value)| *name == "l1_ratio" && *value != Value::Number(0.0))
}

/// The value that the converted setting has for one of the target's keys; `None` when it must be
/// filled in by the user.
fn value_of(
    key: &Key,
    setting: &Setting,
    target: &Target,
    variant: &Variant,
    found: &Found,
) -> Option<Value> {
    let another = match (setting.entry.optimizer, target.entry.optimizer) {
        (Some(from), Some(to)) => from != to,
        _ => false,
    };
    let carried = match key.meaning {
        KeyMeaning::WeightDecay => Some(found.lambda),
        KeyMeaning::LearningRate if target.learning_rate.is_some() => target.learning_rate,
        // Another optimizer has other momenta, and needs a learning rate of its own.
        KeyMeaning::LearningRate if another => return None,
        _ if another => None,
        KeyMeaning::LearningRate => setting.run.peak_learning_rate.map(|rate| rate.value),
        KeyMeaning::L1Ratio => found.l1_ratio,
        meaning => setting.value(meaning).map(|number| number.value),
    };
    match key.default {
        KeyDefault::Switch(default) => Some(Value::Switch(match key.meaning {
            KeyMeaning::Nesterov => carried.map_or(default, |on| on != 0.0),
            _ => variant
                .switches
                .iter()
                .find(|(name, _)| *name == key.name)
                .map_or(default, |(_, on)| *on),
        })),
        KeyDefault::Number(default) => Some(Value::Number(carried.unwrap_or(default))),
        KeyDefault::Required => carried.map(Value::Number),
    }
}

/// Fills the holes of a template; a key without a value leaves `…`.
fn render(template: &str, keys: &[(&'static str, Value)], unset: &[&str]) -> String {
    let python =
        !template.contains("::") && !template.contains("TRUE") && !template.contains("standardize");
    let mut call = template.to_owned();
    for (name, value) in keys {
        let text = match value {
            Value::Number(number) if number.is_infinite() => {
                if python { "float('inf')" } else { "Inf" }.to_owned()
            }
            Value::Number(number) => pasted(*number),
            Value::Switch(on) if python => if *on { "True" } else { "False" }.to_owned(),
            Value::Switch(on) => on.to_string(),
        };
        call = call.replace(&format!("{{{name}}}"), &text);
    }
    for name in unset {
        call = call.replace(&format!("{{{name}}}"), "…");
    }
    call
}
