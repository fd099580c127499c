//! A grid sweep of W&B as a study file.

use std::path::Path;

use serde_json::{Map, Value};
use wd_import::formats::yaml;

use crate::PilotError;

/// The command of a sweep that names none.
const DEFAULT: [&str; 4] = ["${env}", "${interpreter}", "${program}", "${args}"];

/// Writes the study file of a sweep whose `method` is `grid`. `home` is how its folder is called
/// from the program's place.
///
/// # Errors
/// [`PilotError::Import`] when it is no YAML, [`PilotError::Declaration`] for another method, a
/// distribution, or a macro that is not known.
pub fn study_file(path: &Path, text: &str) -> Result<String, PilotError> {
    let sweep = yaml::value(path, text)?;
    let reader = Reader { path, sweep: &sweep };
    match sweep.get("method").and_then(Value::as_str) {
        Some("grid") => {}
        Some(other) => {
            let problem = format!("its method is `{other}`, which chooses values by what it saw");
            return Err(reader.refuse(problem, "write method: grid with `values`"));
        }
        None => return Err(reader.refuse("it has no `method`", "write method: grid")),
    }
    let mut axes = Vec::new();
    let parameters = sweep.get("parameters").and_then(Value::as_object);
    let Some(parameters) = parameters else {
        return Err(reader.refuse("it has no `parameters`", "write what varies"));
    };
    reader.axes("", parameters, &mut axes)?;
    let words = reader.command(&axes)?;
    let roles = reader.roles(&axes)?;
    let mut document = toml_edit::DocumentMut::new();
    if let Some(name) = sweep.get("name").and_then(Value::as_str) {
        document["title"] = toml_edit::value(name);
    }
    let mut command = toml_edit::Array::new();
    words.iter().for_each(|word| command.push(word.as_str()));
    document["trial"] = toml_edit::table();
    document["trial"]["command"] = toml_edit::value(command);
    document["axes"] = toml_edit::table();
    for (key, values) in &axes {
        let mut list = toml_edit::Array::new();
        values.iter().for_each(|value| list.push(value.clone()));
        document["axes"][key.as_str()] = toml_edit::value(list);
    }
    document["roles"] = toml_edit::table();
    for (role, key) in roles {
        document["roles"][role] = toml_edit::value(key);
    }
    document["metrics"] = toml_edit::table();
    if let Some(metric) = sweep.get("metric").and_then(|metric| metric.get("name")?.as_str()) {
        document["metrics"]["validation"] = toml_edit::value(metric);
    }
    Ok(document.to_string())
}

type Axes = Vec<(String, Vec<toml_edit::Value>)>;

struct Reader<'a> {
    path: &'a Path,
    sweep: &'a Value,
}

impl Reader<'_> {
    fn refuse(&self, problem: impl Into<String>, fix: impl Into<String>) -> PilotError {
        let (path, problem, fix) = (self.path.to_owned(), problem.into(), fix.into());
        PilotError::Declaration { path, problem, fix }
    }

    fn axes(
        &self,
        above: &str,
        parameters: &Map<String, Value>,
        axes: &mut Axes,
    ) -> Result<(), PilotError> {
        for (key, parameter) in parameters {
            let key = format!("{above}{key}");
            if let Some(inner) = parameter.get("parameters").and_then(Value::as_object) {
                self.axes(&format!("{key}."), inner, axes)?;
                continue;
            }
            let values = match (parameter.get("values"), parameter.get("value")) {
                (Some(Value::Array(values)), _) => values.clone(),
                (None, Some(value)) => vec![value.clone()],
                _ => {
                    let problem = format!("`{key}` has neither `values` nor `value`");
                    let fix = "a grid lists its values; a distribution is drawn from";
                    return Err(self.refuse(problem, fix));
                }
            };
            let scalar = |value: &Value| match value {
                Value::Bool(truth) => Ok((*truth).into()),
                Value::Number(number) => Ok(match number.as_i64() {
                    Some(whole) => whole.into(),
                    None => number.as_f64().unwrap_or(f64::NAN).into(),
                }),
                Value::String(text) => Ok(text.as_str().into()),
                _ => Err(self.refuse(
                    format!("`{key}` has a value that is no number, truth value or text"),
                    "name the choices, and look them up in the program",
                )),
            };
            axes.push((key.clone(), values.iter().map(scalar).collect::<Result<_, _>>()?));
        }
        Ok(())
    }

    /// The words of the command, with macros expanded.
    fn command(&self, axes: &Axes) -> Result<Vec<String>, PilotError> {
        let given = self.sweep.get("command").and_then(Value::as_array);
        let words: Vec<String> = match given {
            Some(words) => words
                .iter()
                .map(|word| word.as_str().map_or_else(|| word.to_string(), str::to_owned))
                .collect(),
            None => DEFAULT.map(str::to_owned).to_vec(),
        };
        let program = self.sweep.get("program").and_then(Value::as_str);
        let named = |form: &dyn Fn(&str) -> String| -> Vec<String> {
            axes.iter().map(|(key, _)| form(key)).collect()
        };
        let mut command = Vec::new();
        for word in words {
            match word.as_str() {
                "${env}" => command.extend(["/usr/bin/env".to_owned()]),
                "${interpreter}" => command.push("python".to_owned()),
                "${program}" => match program {
                    Some(program) => command.push(at_home(program)),
                    None => {
                        return Err(self.refuse("it has no `program`", "name the training script"));
                    }
                },
                "${args}" => command.extend(named(&|key| format!("--{key}={{{key}}}"))),
                "${args_no_hyphens}" | "${args_append_hydra}" | "${args_override_hydra}" => {
                    command.extend(named(&|key| format!("{key}={{{key}}}")));
                }
                "${args_no_equals}" => {
                    for (key, _) in axes {
                        command.extend([format!("--{key}"), format!("{{{key}}}")]);
                    }
                }
                "${args_json_file}" => command.push("{settings}".to_owned()),
                macro_ if macro_.starts_with("${") => {
                    let problem = format!("the macro `{macro_}` is not known here");
                    return Err(self.refuse(problem, "write the words with {KEY} instead"));
                }
                plain if plain.ends_with(".py") => command.push(at_home(plain)),
                plain => command.push(plain.replace('{', "{{").replace('}', "}}")),
            }
        }
        Ok(command)
    }

    /// λ, η and the seed, by the names that programs give them.
    fn roles(&self, axes: &Axes) -> Result<Vec<(&'static str, String)>, PilotError> {
        let called = |is_one: fn(&str) -> bool| -> Vec<&String> {
            let several = axes.iter().filter(|(key, _)| is_one(key));
            let varying: Vec<&String> = several
                .clone()
                .filter(|(_, values)| values.len() > 1)
                .map(|(key, _)| key)
                .collect();
            match varying.is_empty() {
                true => several.map(|(key, _)| key).collect(),
                false => varying,
            }
        };
        let lambda = called(wd_import::names::is_lambda);
        let [lambda] = lambda.as_slice() else {
            let keys: Vec<&str> = axes.iter().map(|(key, _)| key.as_str()).collect();
            return Err(self.refuse(
                format!("which of its parameters is λ cannot be told: {}", keys.join(", ")),
                "write the study file by hand, with roles.lambda",
            ));
        };
        let mut roles = vec![("lambda", (*lambda).clone())];
        if let [rate] = called(wd_import::names::is_rate).as_slice() {
            roles.push(("rate", (*rate).clone()));
        }
        if let [seed] = called(wd_import::names::is_seed).as_slice() {
            roles.push(("seed", (*seed).clone()));
        }
        Ok(roles)
    }
}

/// A script of a sweep lies where the sweep's file does.
fn at_home(program: &str) -> String {
    match program.starts_with('/') {
        true => program.to_owned(),
        false => format!("{{home}}/{program}"),
    }
}
