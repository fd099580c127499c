//! Configurations of no known trainer: λ under the names that people give it.

use wd_decay::{Declared, names};

use super::optimizer::Known;
use super::reading::{Reading, in_words, last, number, numbers, whole};
use super::{Declaration, UNKNOWN};
use crate::checkpoint::Value;

/// Names of λ, the plainest first.
const LAMBDAS: [&str; 14] = [
    "weight_decay",
    "weight-decay",
    "weightdecay",
    "weight_decay_rate",
    "wd",
    "decay",
    "l2",
    "l2_reg",
    "l2_lambda",
    "l2_coef",
    "l2_penalty",
    "reg_l2",
    "weight_decay_coef",
    "adam_weight_decay",
];

const RATES: [&str; 7] =
    ["learning_rate", "lr", "learning-rate", "max_lr", "peak_lr", "base_lr", "init_lr"];

const OPTIMIZERS: [&str; 8] = [
    "optimizer",
    "optim",
    "opt",
    "optimizer_name",
    "_target_",
    "type",
    "class_path",
    "_component_",
];

/// Tables of the arguments of a class, whose name stands beside the table.
const ARGUMENTS: [&str; 4] = ["init_args", "params", "kwargs", "args"];

const STEPS: [&str; 6] =
    ["max_steps", "total_steps", "num_steps", "train_steps", "max_iters", "steps"];

/// What generic names say; nothing if none of them is λ.
pub(super) fn read(reading: &Reading) -> Option<Declaration> {
    let leaves = reading.leaves();
    let find = |names: &[&str]| {
        names.iter().find_map(|name| {
            let is_named = |path: &str| {
                path.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case(name))
            };
            leaves.iter().find(|(path, value)| is_named(path) && number(value).is_some())
        })
    };
    let (key, value) = find(&LAMBDAS)?;
    reading.mark(key);
    let mut declaration = Declaration {
        dialect: UNKNOWN,
        lambda: number(value).map(Declared::stated),
        lambda_key: Some(key.clone()),
        ..Declaration::default()
    };
    if let Some((key, value)) = find(&RATES) {
        reading.mark(key);
        declaration.rate = number(value).map(Declared::stated);
    }
    let betas = leaves.iter().find(|(path, _)| path.rsplit('.').next() == Some("betas"));
    if let Some([first, second]) = betas.map(|(_, value)| numbers(value)).as_deref() {
        declaration.betas = Some((*first, *second));
    }
    if let Some((key, value)) = find(&STEPS) {
        reading.mark(key);
        declaration.steps = number(value).and_then(whole).filter(|steps| *steps > 0);
    }
    if let Some((key, value)) = find(&["momentum"]) {
        reading.mark(key);
        declaration.momentum = number(value);
    }
    declaration.note_adapter(reading);
    if let Some(name) = optimizer(&leaves, key) {
        // Betas and rates that nobody stated are not known: the code may pass others.
        let known = Known::named(name).map(|known| Known { betas: None, momentum: None, ..known });
        declaration.set_optimizer(name, known);
    }
    Some(declaration)
}

/// What the keys of a configuration that declares nothing may be slips of, or what λ's own key
/// holds, for a message.
pub(super) fn slip(reading: &Reading) -> String {
    let leaves = reading.leaves();
    let own = leaves.iter().find(|(path, value)| {
        **value != Value::None && LAMBDAS.iter().any(|name| last(path).eq_ignore_ascii_case(name))
    });
    if let Some((path, value)) = own {
        return format!(", as a number (`{path}` is {})", in_words(value));
    }
    let found = leaves.iter().find_map(|(path, _)| {
        let meant = names::slip_of(last(path), LAMBDAS)?;
        Some(format!(" (`{path}`: did you mean `{meant}`?)"))
    });
    found.unwrap_or_default()
}

/// A text that names an optimizer, first in the table that holds λ.
fn optimizer<'a>(leaves: &[(String, &'a Value)], lambda: &str) -> Option<&'a str> {
    let table = lambda.rsplit_once('.').map_or("", |(table, _)| table);
    let table = match table.rsplit_once('.') {
        Some((class, last)) if ARGUMENTS.contains(&last) => class,
        _ => table,
    };
    let named = |is_near: bool| {
        leaves.iter().find_map(|(path, value)| {
            let (parent, last) = path.rsplit_once('.').unwrap_or(("", path));
            let text = value.text()?;
            // `name` alone may be that of anything.
            let is_named = OPTIMIZERS.contains(&last) || (is_near && last == "name");
            let fits = is_named && (!is_near || parent == table);
            (fits && Known::named(text).is_some()).then_some(text)
        })
    };
    named(true).or_else(|| named(false))
}
